/* Plain streams: how they connect, and how bytes go in and out. */
#include "agent/net/stream.h"

#include "agent/base/lease.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "common/memory.h"
#include "tests/unit/agent/net/fake_resolver.h"
#include "tests/unit/common/check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#define MANY 900
#define LARGE_BYTES (8u * 1024u * 1024u)

enum close_at { CLOSE_NEVER, CLOSE_AT_OPEN, CLOSE_AT_DATA, CLOSE_AT_END };

/* What one stream has said. */
struct listener {
    struct stream *stream;
    struct buffer data;
    enum close_at close_at;
    unsigned opened;
    unsigned ended;
    unsigned lost;
    enum net_failure failure;
    char text[400];
    char peer[60];
};

/* The other side: a plain server on the same loop, for one connection at a time. */
struct echo {
    uv_tcp_t tcp;
    uv_tcp_t peer;
    char chunk[65536];
    size_t received;
    uint32_t sum;
    unsigned connections;
    bool has_peer;
    bool is_silent; /* reads, and does not send it back */
    bool is_slow;   /* does not read before echo_go_on */
};

struct fixture {
    uv_loop_t loop;
    _Atomic(uint64_t) lease_until_ns;
    struct lease lease;
    struct net *net;
    struct echo echo;
    struct listener listener;
    uint16_t port;
};

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct echo *echo = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(echo->chunk, sizeof echo->chunk);
}

static void echo_drop(struct echo *echo)
{
    if (echo->has_peer && !uv_is_closing((uv_handle_t *)&echo->peer)) {
        uv_close((uv_handle_t *)&echo->peer, NULL);
    }
    echo->has_peer = false;
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct echo *echo = stream->data;

    if (count < 0) {
        echo_drop(echo);
        return;
    }
    for (ssize_t i = 0; i < count; i++) {
        echo->sum = echo->sum * 31 + (uint8_t)buffer->base[i];
    }
    echo->received += (size_t)count;
    if (!echo->is_silent) {
        uv_buf_t back = uv_buf_init(buffer->base, (unsigned)count);
        assert_int_equal(uv_try_write(stream, &back, 1), count);
    }
}

static void echo_go_on(struct echo *echo)
{
    uv_read_start((uv_stream_t *)&echo->peer, on_alloc, on_read);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct echo *echo = stream->data;

    assert_int_equal(status, 0);
    if (echo->has_peer) {
        return;
    }
    uv_tcp_init(stream->loop, &echo->peer);
    echo->peer.data = echo;
    echo->has_peer = true;
    echo->connections++;
    assert_int_equal(uv_accept(stream, (uv_stream_t *)&echo->peer), 0);
    if (!echo->is_slow) {
        echo_go_on(echo);
    }
}

static uint16_t echo_listen(struct echo *echo, uv_loop_t *loop, const char *host)
{
    struct sockaddr_in address;
    int size = sizeof address;

    uv_ip4_addr(host, 0, &address);
    uv_tcp_init(loop, &echo->tcp);
    echo->tcp.data = echo;
    uv_tcp_bind(&echo->tcp, (const struct sockaddr *)&address, 0);
    assert_int_equal(uv_listen((uv_stream_t *)&echo->tcp, 16, on_connection), 0);
    uv_tcp_getsockname(&echo->tcp, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

static void close_if(struct listener *listener, enum close_at at)
{
    if (listener->close_at == at) {
        stream_close(&listener->stream, false);
    }
}

static void on_open(void *context)
{
    struct listener *listener = context;

    listener->opened++;
    snprintf(listener->peer, sizeof listener->peer, "%s", stream_peer(listener->stream));
    close_if(listener, CLOSE_AT_OPEN);
}

static void on_data(void *context, struct bytes data)
{
    struct listener *listener = context;

    assert_non_null(listener->stream);
    buffer_append(&listener->data, data.data, data.size);
    close_if(listener, CLOSE_AT_DATA);
}

static void on_end(void *context, enum net_failure failure, const char *text)
{
    struct listener *listener = context;

    assert_non_null(listener->stream);
    listener->ended++;
    listener->failure = failure;
    snprintf(listener->text, sizeof listener->text, "%s", text);
    close_if(listener, CLOSE_AT_END);
}

static void on_lost(void *context)
{
    struct listener *listener = context;

    listener->lost++;
    stream_close(&listener->stream, true);
}

static const struct stream_callbacks callbacks = {
    .on_open = on_open, .on_data = on_data, .on_end = on_end, .on_lost = on_lost};

static int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);

    uv_loop_init(&fixture->loop);
    atomic_init(&fixture->lease_until_ns, UINT64_MAX);
    lease_init(&fixture->lease, &fixture->lease_until_ns);
    fixture->net = net_new(&fixture->loop, &fixture->lease);
    fixture->port = echo_listen(&fixture->echo, &fixture->loop, "127.0.0.3");
    buffer_init(&fixture->listener.data, 1u << 30);
    fake_addresses = (struct address_list){.count = 0};
    *state = fixture;
    alarm(30);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    stream_close(&fixture->listener.stream, false);
    net_close(&fixture->net);
    echo_drop(&fixture->echo);
    uv_close((uv_handle_t *)&fixture->echo.tcp, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    buffer_finish(&fixture->listener.data);
    memory_free(fixture);
    alarm(0);
    return 0;
}

static void open_stream(struct fixture *fixture, const char *host, uint16_t port)
{
    struct stream_target target = {.host = host, .port = port};

    stream_close(&fixture->listener.stream, false);
    fixture->listener.opened = fixture->listener.ended = 0;
    fixture->listener.stream = stream_open(fixture->net, &target, &callbacks, &fixture->listener);
    assert_int_equal(fixture->listener.opened + fixture->listener.ended, 0);
}

/* Until it is open, or has ended. */
static void await(struct fixture *fixture)
{
    while (fixture->listener.opened + fixture->listener.ended == 0) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

static void await_end(struct fixture *fixture)
{
    while (fixture->listener.ended == 0) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

static void connect_to_echo(struct fixture *fixture)
{
    open_stream(fixture, "127.0.0.3", fixture->port);
    await(fixture);
    assert_int_equal(fixture->listener.opened, 1);
    while (!fixture->echo.has_peer) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

static void turn(struct fixture *fixture, int turns)
{
    for (int i = 0; i < turns; i++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static void add_address(const char *host)
{
    struct net_address address;

    assert_true(net_address_parse(host, &address));
    address_list_add(&fake_addresses, &address);
}

static void bytes_go_there_and_back(void **state)
{
    struct fixture *fixture = *state;
    char peer[60];

    connect_to_echo(fixture);
    snprintf(peer, sizeof peer, "127.0.0.3:%u", fixture->port);
    assert_string_equal(fixture->listener.peer, peer);
    assert_int_equal(stream_protocol(fixture->listener.stream).size, 0);
    assert_true(stream_times(fixture->listener.stream)->open_ns >=
                stream_times(fixture->listener.stream)->connected_ns);
    stream_write(fixture->listener.stream, bytes_of_string("hello, "));
    stream_write(fixture->listener.stream, bytes_of_string("there"));
    while (fixture->listener.data.size < 12) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_string_equal(buffer_string(&fixture->listener.data), "hello, there");
    assert_int_equal(stream_pending(fixture->listener.stream), 0);
}

static void who_cannot_be_reached_is_named(void **state)
{
    struct fixture *fixture = *state;

    open_stream(fixture, "127.0.0.4", fixture->port);
    await(fixture);
    assert_int_equal(fixture->listener.failure, NET_REFUSED);
    assert_non_null(strstr(fixture->listener.text, "connect to 127.0.0.4:"));
    open_stream(fixture, "nowhere", 80);
    await(fixture);
    assert_int_equal(fixture->listener.failure, NET_RESOLVE);
    assert_non_null(strstr(fixture->listener.text, "nowhere cannot be resolved: no such name"));
    open_stream(fixture, "255.255.255.255", 80);
    await(fixture);
    assert_int_equal(fixture->listener.ended, 1);
    assert_int_not_equal(fixture->listener.failure, NET_OK);
}

static void another_address_is_tried_at_once_where_one_refuses(void **state)
{
    struct fixture *fixture = *state;
    uint64_t began_ns = clock_now_ns();

    add_address("127.0.0.4");
    add_address("::1");
    add_address("127.0.0.3");
    open_stream(fixture, "later", fixture->port);
    await(fixture);
    assert_int_equal(fixture->listener.opened, 1);
    assert_true(clock_now_ns() - began_ns < STREAM_ATTEMPT_MS * NS_PER_MS);
    assert_int_equal(strncmp(fixture->listener.peer, "127.0.0.3:", 10), 0);
}

/* A listening socket whose queue is full does not answer. Gives the descriptors in `fds`. */
static void make_black_hole(const char *host, uint16_t port, int *fds, size_t count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    inet_pton(AF_INET, host, &address.sin_addr);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fds[0], (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fds[0], 0), 0);
    for (size_t i = 1; i < count; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (const struct sockaddr *)&address, sizeof address);
    }
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        close(fds[i]);
    }
}

static void another_address_is_tried_beside_one_that_is_silent(void **state)
{
    struct fixture *fixture = *state;
    int fds[4];

    make_black_hole("127.0.0.5", fixture->port, fds, 4);
    add_address("127.0.0.5");
    add_address("127.0.0.3");
    uint64_t began_ns = clock_now_ns();
    open_stream(fixture, "known", fixture->port);
    await(fixture);
    uint64_t took_ms = (clock_now_ns() - began_ns) / NS_PER_MS;
    assert_int_equal(fixture->listener.opened, 1);
    assert_in_range(took_ms, STREAM_ATTEMPT_MS - 5, STREAM_ATTEMPT_MS + 600);
    assert_int_equal(strncmp(fixture->listener.peer, "127.0.0.3:", 10), 0);
    /* It is closed while both are under way. */
    open_stream(fixture, "known", fixture->port);
    turn(fixture, 300);
    stream_close(&fixture->listener.stream, false);
    open_stream(fixture, "127.0.0.5", fixture->port);
    turn(fixture, 20);
    stream_close(&fixture->listener.stream, false);
    turn(fixture, 5);
    close_all(fds, 4);
}

static void open_target(struct fixture *fixture, const struct stream_target *target)
{
    stream_close(&fixture->listener.stream, false);
    fixture->listener.opened = fixture->listener.ended = 0;
    fixture->listener.stream = stream_open(fixture->net, target, &callbacks, &fixture->listener);
    await(fixture);
}

static void addresses_that_are_set_take_the_place_of_others(void **state)
{
    struct fixture *fixture = *state;
    char overrides[100];
    struct stream_target target = {.host = "nowhere", .port = fixture->port};

    /* Both of the entry are tried, the one of another port is not. */
    snprintf(overrides, sizeof overrides, "nowhere:1:127.0.0.9 nowhere:%u:127.0.0.4,127.0.0.3",
             fixture->port);
    target.overrides = bytes_of_string(overrides);
    open_target(fixture, &target);
    assert_int_equal(fixture->listener.opened, 1);
    assert_int_equal(strncmp(fixture->listener.peer, "127.0.0.3:", 10), 0);
    snprintf(overrides, sizeof overrides, "*:%u:127.0.0.3", fixture->port);
    target.overrides = bytes_of_string(overrides);
    open_target(fixture, &target);
    assert_int_equal(fixture->listener.opened, 1);
    target.overrides = bytes_of_string("nowhere:1:127.0.0.3");
    open_target(fixture, &target);
    assert_int_equal(fixture->listener.failure, NET_RESOLVE);
}

static void a_connection_comes_from_its_own_address(void **state)
{
    struct fixture *fixture = *state;
    struct sockaddr_in from = {0};
    int size = sizeof from;
    struct address source;
    struct stream_target target = {.host = "known", .port = fixture->port, .source = &source};

    assert_true(address_parse(bytes_of_string("127.0.0.9"), &source));
    /* The address of the other family is passed over: no connection can lead there. */
    add_address("::1");
    add_address("127.0.0.3");
    open_target(fixture, &target);
    assert_int_equal(fixture->listener.opened, 1);
    while (!fixture->echo.has_peer) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    uv_tcp_getpeername(&fixture->echo.peer, (struct sockaddr *)&from, &size);
    assert_int_equal(ntohl(from.sin_addr.s_addr), 0x7f000009);
    assert_true(address_parse(bytes_of_string("203.0.113.9"), &source));
    open_target(fixture, &target);
    assert_int_equal(fixture->listener.failure, NET_LOCAL_LIMIT);
    assert_non_null(strstr(fixture->listener.text, "this machine does not have the address 203.0.113.9"));
    target.host = "::1";
    open_target(fixture, &target);
    assert_int_equal(fixture->listener.opened, 0);
    assert_non_null(strstr(fixture->listener.text, "connect to [::1]:"));
}

/* The other side of the fixture plays a proxy. */
static struct stream_target through_proxy(const struct fixture *fixture, struct stream_proxy *proxy)
{
    *proxy = (struct stream_proxy){
        .host = "127.0.0.3", .is_literal = true, .is_tunnel = true, .port = fixture->port};
    return (struct stream_target){.host = "app.invalid", .port = 7, .proxy = proxy};
}

static void proxy_says(struct fixture *fixture, const char *text)
{
    uv_buf_t answer = uv_buf_init((char *)(uintptr_t)text, (unsigned)strlen(text));
    assert_int_equal(uv_try_write((uv_stream_t *)&fixture->echo.peer, &answer, 1), answer.len);
}

static void begin_tunnel(struct fixture *fixture)
{
    static struct stream_proxy proxy; /* needed until the tunnel is made */
    struct stream_target target = through_proxy(fixture, &proxy);

    echo_drop(&fixture->echo);
    turn(fixture, 3);
    fixture->echo.is_silent = true;
    fixture->echo.received = 0;
    buffer_clear(&fixture->listener.data);
    fixture->listener.opened = fixture->listener.ended = 0;
    fixture->listener.stream = stream_open(fixture->net, &target, &callbacks, &fixture->listener);
    while (fixture->echo.received == 0) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

static void a_tunnel_opens_when_the_proxy_says_so(void **state)
{
    struct fixture *fixture = *state;

    begin_tunnel(fixture);
    turn(fixture, 3);
    assert_int_equal(fixture->listener.opened, 0);
    /* What follows in the same piece is the host's. */
    proxy_says(fixture, "HTTP/1.1 200 OK\r\n\r\nwelcome");
    turn(fixture, 5);
    assert_int_equal(fixture->listener.opened, 1);
    assert_string_equal(buffer_string(&fixture->listener.data), "welcome");
    fixture->echo.is_silent = false;
    stream_write(fixture->listener.stream, bytes_of_string("!"));
    turn(fixture, 5);
    assert_string_equal(buffer_string(&fixture->listener.data), "welcome!");
    stream_close(&fixture->listener.stream, false);
}

static void a_tunnel_that_is_not_made_is_blamed_on_the_proxy(void **state)
{
    struct fixture *fixture = *state;

    begin_tunnel(fixture);
    proxy_says(fixture, "HTTP/1.1 407 Who?\r\n\r\n");
    await_end(fixture);
    assert_int_equal(fixture->listener.failure, NET_PROXY);
    assert_int_equal(stream_proxy_status(fixture->listener.stream), 407);
    assert_non_null(strstr(fixture->listener.text, "the proxy 127.0.0.3:"));
    assert_non_null(strstr(fixture->listener.text, "it answered 407 Who?"));
    stream_close(&fixture->listener.stream, false);
    begin_tunnel(fixture);
    echo_drop(&fixture->echo);
    await_end(fixture);
    assert_int_equal(fixture->listener.failure, NET_PROXY);
    assert_int_equal(stream_proxy_status(fixture->listener.stream), 0);
    stream_close(&fixture->listener.stream, false);
    /* Closed meanwhile, by its owner, while the net is held or not. */
    begin_tunnel(fixture);
    proxy_says(fixture, "HTTP/1.1 200 O");
    turn(fixture, 3);
    net_hold(fixture->net);
    turn(fixture, 2);
    net_go_on(fixture->net);
    stream_close(&fixture->listener.stream, true);
    turn(fixture, 3);
    assert_int_equal(fixture->listener.opened + fixture->listener.ended, 0);
}

static void nothing_begins_without_a_lease(void **state)
{
    struct fixture *fixture = *state;

    atomic_store(&fixture->lease_until_ns, 1);
    open_stream(fixture, "127.0.0.3", fixture->port);
    turn(fixture, 20);
    assert_int_equal(fixture->echo.connections, 0);
    /* It is back before the net was held. */
    atomic_store(&fixture->lease_until_ns, UINT64_MAX);
    turn(fixture, 200);
    assert_int_equal(fixture->listener.opened, 1);
    assert_int_equal(fixture->echo.connections, 1);
}

static void a_net_that_is_held_neither_reads_nor_writes(void **state)
{
    struct fixture *fixture = *state;

    connect_to_echo(fixture);
    atomic_store(&fixture->lease_until_ns, 1);
    net_hold(fixture->net);
    stream_write(fixture->listener.stream, bytes_of_string("later"));
    uv_buf_t unasked = uv_buf_init((char[]){"early"}, 5);
    assert_int_equal(uv_try_write((uv_stream_t *)&fixture->echo.peer, &unasked, 1), 5);
    turn(fixture, 20);
    assert_int_equal(stream_pending(fixture->listener.stream), 5);
    assert_int_equal(fixture->echo.received, 0);
    assert_int_equal(fixture->listener.data.size, 0);
    atomic_store(&fixture->lease_until_ns, UINT64_MAX);
    net_go_on(fixture->net);
    turn(fixture, 20);
    assert_string_equal(buffer_string(&fixture->listener.data), "earlylater");
    assert_int_equal(stream_pending(fixture->listener.stream), 0);
}

static void who_has_an_open_stream_is_told_of_a_lost_lease(void **state)
{
    struct fixture *fixture = *state;

    open_stream(fixture, "127.0.0.3", fixture->port);
    net_lose(fixture->net);
    assert_int_equal(fixture->listener.lost, 0);
    connect_to_echo(fixture);
    stream_write(fixture->listener.stream, bytes_of_string("before"));
    turn(fixture, 10);
    net_hold(fixture->net);
    net_lose(fixture->net);
    assert_int_equal(fixture->listener.lost, 1);
    assert_null(fixture->listener.stream);
    turn(fixture, 10);
    assert_false(fixture->echo.has_peer);
    net_go_on(fixture->net);
    turn(fixture, 10);
    assert_int_equal(fixture->listener.lost + fixture->listener.ended, 1);
}

static void a_local_socket_is_named_by_its_path(void **state)
{
    struct fixture *fixture = *state;
    char path[] = "/tmp/tutti-stream-XXXXXX";
    union {
        struct sockaddr any;
        struct sockaddr_un local;
    } address = {.local.sun_family = AF_UNIX};
    struct stream_target target = {.path = path};
    char word[8] = "";

    assert_non_null(mkdtemp(path));
    rmdir(path);
    fixture->listener.stream = stream_open(fixture->net, &target, &callbacks, &fixture->listener);
    await_end(fixture);
    assert_int_equal(fixture->listener.failure, NET_CONNECT);
    assert_non_null(strstr(fixture->listener.text, path));
    stream_close(&fixture->listener.stream, false);
    fixture->listener.ended = 0;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    bytes_to_text(bytes_of_string(path), address.local.sun_path, sizeof address.local.sun_path);
    assert_int_equal(bind(listener, &address.any, sizeof address.local), 0);
    assert_int_equal(listen(listener, 1), 0);
    fixture->listener.stream = stream_open(fixture->net, &target, &callbacks, &fixture->listener);
    await(fixture);
    assert_int_equal(fixture->listener.opened, 1);
    assert_string_equal(fixture->listener.peer, path);
    stream_write(fixture->listener.stream, bytes_of_string("hello"));
    int peer = accept(listener, NULL, NULL);
    assert_int_equal(read(peer, word, sizeof word), 5);
    assert_string_equal(word, "hello");
    close(peer);
    await_end(fixture);
    assert_int_equal(fixture->listener.failure, NET_OK);
    close(listener);
    unlink(path);
}

static void connections_come_up_while_the_net_is_held(void **state)
{
    struct fixture *fixture = *state;

    open_stream(fixture, "later", fixture->port);
    add_address("127.0.0.3");
    net_hold(fixture->net);
    await(fixture);
    assert_int_equal(fixture->listener.opened, 1);
    stream_write(fixture->listener.stream, bytes_of_string("now"));
    turn(fixture, 10);
    assert_int_equal(fixture->listener.data.size, 0);
    net_go_on(fixture->net);
    turn(fixture, 10);
    assert_string_equal(buffer_string(&fixture->listener.data), "now");
}

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 2 * MANY; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static void many_that_begin_at_once_give_way(void **state)
{
    struct fixture *fixture = *state;
    struct listener *many = memory_new(MANY, sizeof *many);
    struct stream_target target = {.host = "127.0.0.3", .port = fixture->port};
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    int before = open_descriptors();
    for (int i = 0; i < MANY; i++) {
        many[i].stream = stream_open(fixture->net, &target, &callbacks, &many[i]);
    }
    assert_int_equal(open_descriptors(), before);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    assert_in_range(open_descriptors() - before, 1, MANY - 1);
    /* Some are closed while they wait for their turn. */
    for (int i = 0; i < MANY; i += 3) {
        stream_close(&many[i].stream, true);
    }
    while (open_descriptors() - before < MANY / 2) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(many[i].ended, 0);
        stream_close(&many[i].stream, true);
        buffer_finish(&many[i].data);
    }
    memory_free(many);
}

static void a_stream_is_closed_within_its_callbacks(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = &fixture->listener;

    listener->close_at = CLOSE_AT_OPEN;
    open_stream(fixture, "127.0.0.3", fixture->port);
    await(fixture);
    assert_null(listener->stream);
    turn(fixture, 10);
    listener->close_at = CLOSE_AT_END;
    open_stream(fixture, "127.0.0.4", fixture->port);
    await_end(fixture);
    open_stream(fixture, "nowhere", fixture->port);
    await_end(fixture);
    turn(fixture, 10);
    connect_to_echo(fixture);
    echo_drop(&fixture->echo);
    await_end(fixture);
    assert_int_equal(listener->failure, NET_OK);
    turn(fixture, 10);
    listener->close_at = CLOSE_AT_DATA;
    connect_to_echo(fixture);
    stream_write(listener->stream, bytes_of_string("data"));
    turn(fixture, 20);
    assert_null(listener->stream);
    assert_int_equal(listener->ended, 0);
    /* And before any. */
    for (int turns = 0; turns < 8; turns++) {
        open_stream(fixture, turns % 2 ? "later" : "127.0.0.3", fixture->port);
        turn(fixture, turns);
        stream_close(&listener->stream, turns % 3 == 0);
    }
    open_stream(fixture, "never", fixture->port);
    turn(fixture, 3);
}

static void what_is_large_goes_as_the_reader_takes_it(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *large = memory_new(LARGE_BYTES, 1);
    uint32_t sum = 0;

    for (uint32_t i = 0; i < LARGE_BYTES; i++) {
        large[i] = (uint8_t)(i * 2654435761u >> 24);
        sum = sum * 31 + large[i];
    }
    fixture->echo.is_slow = fixture->echo.is_silent = true;
    connect_to_echo(fixture);
    stream_write_borrowed(fixture->listener.stream, bytes_of(large, LARGE_BYTES));
    turn(fixture, 20);
    assert_in_range(stream_pending(fixture->listener.stream), 1, LARGE_BYTES - 1);
    echo_go_on(&fixture->echo);
    net_hold(fixture->net);
    turn(fixture, 20);
    size_t pending = stream_pending(fixture->listener.stream);
    assert_true(pending > 0);
    net_go_on(fixture->net);
    while (fixture->echo.received < LARGE_BYTES) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(stream_pending(fixture->listener.stream), 0);
    assert_int_equal(fixture->echo.sum, sum);
    memory_free(large);
}

static void a_reset_is_told(void **state)
{
    struct fixture *fixture = *state;

    connect_to_echo(fixture);
    fixture->echo.has_peer = false;
    uv_tcp_close_reset(&fixture->echo.peer, NULL);
    await_end(fixture);
    assert_int_equal(fixture->listener.failure, NET_RESET);
    assert_non_null(strstr(fixture->listener.text, "reset"));
    assert_int_equal(fixture->listener.ended, 1);
}

static void a_stream_is_quiet_until_something_has_come(void **state)
{
    struct fixture *fixture = *state;

    connect_to_echo(fixture);
    assert_true(stream_is_quiet(fixture->listener.stream));
    uv_buf_t unasked = uv_buf_init((char[]){"x"}, 1);
    uv_try_write((uv_stream_t *)&fixture->echo.peer, &unasked, 1);
    usleep(1000);
    assert_false(stream_is_quiet(fixture->listener.stream));
    turn(fixture, 5);
    assert_true(stream_is_quiet(fixture->listener.stream));
    echo_drop(&fixture->echo);
    await_end(fixture);
    assert_false(stream_is_quiet(fixture->listener.stream));
}

static void what_comes_with_the_end_is_heard_before_it(void **state)
{
    struct fixture *fixture = *state;

    connect_to_echo(fixture);
    uv_buf_t last = uv_buf_init((char[]){"last words"}, 10);
    assert_int_equal(uv_try_write((uv_stream_t *)&fixture->echo.peer, &last, 1), 10);
    echo_drop(&fixture->echo);
    await_end(fixture);
    assert_int_equal(fixture->listener.failure, NET_OK);
    assert_string_equal(buffer_string(&fixture->listener.data), "last words");
}

/* Between the timer that connects and the look at what is ready. */
static void speak_at_once(uv_prepare_t *prepare)
{
    struct fixture *fixture = prepare->data;
    int listening = -1;

    uv_fileno((uv_handle_t *)&fixture->echo.tcp, &listening);
    int fd = accept(listening, NULL, NULL);
    if (fd >= 0) {
        assert_int_equal(write(fd, "welcome", 7), 7);
        close(fd);
    }
}

static void a_server_that_speaks_first_and_goes_is_heard(void **state)
{
    struct fixture *fixture = *state;
    uv_prepare_t prepare;

    uv_prepare_init(&fixture->loop, &prepare);
    prepare.data = fixture;
    uv_prepare_start(&prepare, speak_at_once);
    open_stream(fixture, "127.0.0.3", fixture->port);
    await_end(fixture);
    uv_close((uv_handle_t *)&prepare, NULL);
    assert_int_equal(fixture->listener.opened, 1);
    assert_int_equal(fixture->listener.failure, NET_OK);
    assert_string_equal(buffer_string(&fixture->listener.data), "welcome");
    turn(fixture, 1);
}

static void a_machine_without_descriptors_is_to_blame_itself(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int next = dup(0);
    close(next);
    struct rlimit none = {.rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    open_stream(fixture, "127.0.0.3", fixture->port);
    await(fixture);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(fixture->listener.failure, NET_LOCAL_LIMIT);
    assert_non_null(strstr(fixture->listener.text, "ulimit"));
    connect_to_echo(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_go_there_and_back),
        TEST(who_cannot_be_reached_is_named),
        TEST(another_address_is_tried_at_once_where_one_refuses),
        TEST(another_address_is_tried_beside_one_that_is_silent),
        TEST(addresses_that_are_set_take_the_place_of_others),
        TEST(a_connection_comes_from_its_own_address),
        TEST(a_tunnel_opens_when_the_proxy_says_so),
        TEST(a_tunnel_that_is_not_made_is_blamed_on_the_proxy),
        TEST(nothing_begins_without_a_lease),
        TEST(a_net_that_is_held_neither_reads_nor_writes),
        TEST(who_has_an_open_stream_is_told_of_a_lost_lease),
        TEST(a_local_socket_is_named_by_its_path),
        TEST(connections_come_up_while_the_net_is_held),
        TEST(many_that_begin_at_once_give_way),
        TEST(a_stream_is_closed_within_its_callbacks),
        TEST(what_is_large_goes_as_the_reader_takes_it),
        TEST(a_reset_is_told),
        TEST(a_stream_is_quiet_until_something_has_come),
        TEST(what_comes_with_the_end_is_heard_before_it),
        TEST(a_server_that_speaks_first_and_goes_is_heard),
        TEST(a_machine_without_descriptors_is_to_blame_itself),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* the server's own writes */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
