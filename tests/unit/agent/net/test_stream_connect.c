/* How streams connect: addresses that race, proxies, local sockets, limits of the machine. */
#include "tests/unit/agent/net/stream_fixture.h"

#include "agent/net/address_list.h"
#include "common/address.h"
#include "common/clock.h"
#include "common/memory.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#define MANY 900

static void who_cannot_be_reached_is_named(void **state)
{
    struct fixture *fixture = *state;

    fixture_open(fixture, "127.0.0.4", fixture->port);
    fixture_await(fixture);
    assert_int_equal(fixture->listener.failure, NET_REFUSED);
    assert_non_null(strstr(fixture->listener.text, "connect to 127.0.0.4:"));
    fixture_open(fixture, "nowhere", 80);
    fixture_await(fixture);
    assert_int_equal(fixture->listener.failure, NET_RESOLVE);
    assert_non_null(strstr(fixture->listener.text, "nowhere cannot be resolved: no such name"));
    fixture_open(fixture, "255.255.255.255", 80);
    fixture_await(fixture);
    assert_int_equal(fixture->listener.ended, 1);
    assert_int_not_equal(fixture->listener.failure, NET_OK);
}

static void another_address_is_tried_at_once_where_one_refuses(void **state)
{
    struct fixture *fixture = *state;
    uint64_t began_ns = clock_now_ns();

    fixture_add_address("127.0.0.4");
    fixture_add_address("::1");
    fixture_add_address("127.0.0.3");
    fixture_open(fixture, "later", fixture->port);
    fixture_await(fixture);
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
    fixture_add_address("127.0.0.5");
    fixture_add_address("127.0.0.3");
    uint64_t began_ns = clock_now_ns();
    fixture_open(fixture, "known", fixture->port);
    fixture_await(fixture);
    uint64_t took_ms = (clock_now_ns() - began_ns) / NS_PER_MS;
    assert_int_equal(fixture->listener.opened, 1);
    assert_in_range(took_ms, STREAM_ATTEMPT_MS - 5, STREAM_ATTEMPT_MS + 600);
    assert_int_equal(strncmp(fixture->listener.peer, "127.0.0.3:", 10), 0);
    /* It is closed while both are under way. */
    fixture_open(fixture, "known", fixture->port);
    fixture_turn(fixture, 300);
    stream_close(&fixture->listener.stream, false);
    fixture_open(fixture, "127.0.0.5", fixture->port);
    fixture_turn(fixture, 20);
    stream_close(&fixture->listener.stream, false);
    fixture_turn(fixture, 5);
    close_all(fds, 4);
}

static void open_target(struct fixture *fixture, const struct stream_target *target)
{
    stream_close(&fixture->listener.stream, false);
    fixture->listener.opened = fixture->listener.ended = 0;
    fixture->listener.stream = stream_open(fixture->net, target, &listener_callbacks, &fixture->listener);
    fixture_await(fixture);
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
    fixture_add_address("::1");
    fixture_add_address("127.0.0.3");
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
    fixture_turn(fixture, 3);
    fixture->echo.is_silent = true;
    fixture->echo.received = 0;
    buffer_clear(&fixture->listener.data);
    fixture->listener.opened = fixture->listener.ended = 0;
    fixture->listener.stream = stream_open(fixture->net, &target, &listener_callbacks, &fixture->listener);
    while (fixture->echo.received == 0) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

static void a_tunnel_opens_when_the_proxy_says_so(void **state)
{
    struct fixture *fixture = *state;

    begin_tunnel(fixture);
    fixture_turn(fixture, 3);
    assert_int_equal(fixture->listener.opened, 0);
    /* What follows in the same piece is the host's. */
    proxy_says(fixture, "HTTP/1.1 200 OK\r\n\r\nwelcome");
    fixture_turn(fixture, 5);
    assert_int_equal(fixture->listener.opened, 1);
    assert_string_equal(buffer_string(&fixture->listener.data), "welcome");
    fixture->echo.is_silent = false;
    stream_write(fixture->listener.stream, bytes_of_string("!"));
    fixture_turn(fixture, 5);
    assert_string_equal(buffer_string(&fixture->listener.data), "welcome!");
    stream_close(&fixture->listener.stream, false);
}

static void a_tunnel_that_is_not_made_is_blamed_on_the_proxy(void **state)
{
    struct fixture *fixture = *state;

    begin_tunnel(fixture);
    proxy_says(fixture, "HTTP/1.1 407 Who?\r\n\r\n");
    fixture_await_end(fixture);
    assert_int_equal(fixture->listener.failure, NET_PROXY);
    assert_int_equal(stream_proxy_status(fixture->listener.stream), 407);
    assert_non_null(strstr(fixture->listener.text, "the proxy 127.0.0.3:"));
    assert_non_null(strstr(fixture->listener.text, "it answered 407 Who?"));
    stream_close(&fixture->listener.stream, false);
    begin_tunnel(fixture);
    echo_drop(&fixture->echo);
    fixture_await_end(fixture);
    assert_int_equal(fixture->listener.failure, NET_PROXY);
    assert_int_equal(stream_proxy_status(fixture->listener.stream), 0);
    stream_close(&fixture->listener.stream, false);
    /* Closed meanwhile, by its owner, while the net is held or not. */
    begin_tunnel(fixture);
    proxy_says(fixture, "HTTP/1.1 200 O");
    fixture_turn(fixture, 3);
    net_hold(fixture->net);
    fixture_turn(fixture, 2);
    net_go_on(fixture->net);
    stream_close(&fixture->listener.stream, true);
    fixture_turn(fixture, 3);
    assert_int_equal(fixture->listener.opened + fixture->listener.ended, 0);
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
    fixture->listener.stream = stream_open(fixture->net, &target, &listener_callbacks, &fixture->listener);
    fixture_await_end(fixture);
    assert_int_equal(fixture->listener.failure, NET_CONNECT);
    assert_non_null(strstr(fixture->listener.text, path));
    stream_close(&fixture->listener.stream, false);
    fixture->listener.ended = 0;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    bytes_to_text(bytes_of_string(path), address.local.sun_path, sizeof address.local.sun_path);
    assert_int_equal(bind(listener, &address.any, sizeof address.local), 0);
    assert_int_equal(listen(listener, 1), 0);
    fixture->listener.stream = stream_open(fixture->net, &target, &listener_callbacks, &fixture->listener);
    fixture_await(fixture);
    assert_int_equal(fixture->listener.opened, 1);
    assert_string_equal(fixture->listener.peer, path);
    stream_write(fixture->listener.stream, bytes_of_string("hello"));
    int peer = accept(listener, NULL, NULL);
    assert_int_equal(read(peer, word, sizeof word), 5);
    assert_string_equal(word, "hello");
    close(peer);
    fixture_await_end(fixture);
    assert_int_equal(fixture->listener.failure, NET_OK);
    close(listener);
    unlink(path);
}

static void connections_come_up_while_the_net_is_held(void **state)
{
    struct fixture *fixture = *state;

    fixture_open(fixture, "later", fixture->port);
    fixture_add_address("127.0.0.3");
    net_hold(fixture->net);
    fixture_await(fixture);
    assert_int_equal(fixture->listener.opened, 1);
    stream_write(fixture->listener.stream, bytes_of_string("now"));
    fixture_turn(fixture, 10);
    assert_int_equal(fixture->listener.data.size, 0);
    net_go_on(fixture->net);
    fixture_turn(fixture, 10);
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
        many[i].stream = stream_open(fixture->net, &target, &listener_callbacks, &many[i]);
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

static void a_machine_without_descriptors_is_to_blame_itself(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int next = dup(0);
    close(next);
    struct rlimit none = {.rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    fixture_open(fixture, "127.0.0.3", fixture->port);
    fixture_await(fixture);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(fixture->listener.failure, NET_LOCAL_LIMIT);
    assert_non_null(strstr(fixture->listener.text, "ulimit"));
    fixture_connect(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_cannot_be_reached_is_named),
        TEST(another_address_is_tried_at_once_where_one_refuses),
        TEST(another_address_is_tried_beside_one_that_is_silent),
        TEST(addresses_that_are_set_take_the_place_of_others),
        TEST(a_connection_comes_from_its_own_address),
        TEST(a_tunnel_opens_when_the_proxy_says_so),
        TEST(a_tunnel_that_is_not_made_is_blamed_on_the_proxy),
        TEST(a_local_socket_is_named_by_its_path),
        TEST(connections_come_up_while_the_net_is_held),
        TEST(many_that_begin_at_once_give_way),
        TEST(a_machine_without_descriptors_is_to_blame_itself),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* the server's own writes */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
