/* A stream, and a plain server for it on the same loop. */
#include "tests/unit/agent/net/stream_fixture.h"

#include "common/memory.h"
#include "tests/unit/agent/net/fake_resolver.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct echo *echo = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(echo->chunk, sizeof echo->chunk);
}

void echo_drop(struct echo *echo)
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

void echo_go_on(struct echo *echo)
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

const struct stream_callbacks listener_callbacks = {
    .on_open = on_open, .on_data = on_data, .on_end = on_end, .on_lost = on_lost};

int fixture_set_up(void **state)
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

int fixture_tear_down(void **state)
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

void fixture_open(struct fixture *fixture, const char *host, uint16_t port)
{
    struct stream_target target = {.host = host, .port = port};

    stream_close(&fixture->listener.stream, false);
    fixture->listener.opened = fixture->listener.ended = 0;
    fixture->listener.stream = stream_open(fixture->net, &target, &listener_callbacks, &fixture->listener);
    assert_int_equal(fixture->listener.opened + fixture->listener.ended, 0);
}

void fixture_await(struct fixture *fixture)
{
    while (fixture->listener.opened + fixture->listener.ended == 0) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

void fixture_await_end(struct fixture *fixture)
{
    while (fixture->listener.ended == 0) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

void fixture_connect(struct fixture *fixture)
{
    fixture_open(fixture, "127.0.0.3", fixture->port);
    fixture_await(fixture);
    assert_int_equal(fixture->listener.opened, 1);
    while (!fixture->echo.has_peer) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

void fixture_turn(struct fixture *fixture, int turns)
{
    for (int i = 0; i < turns; i++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

void fixture_add_address(const char *host)
{
    struct net_address address;

    assert_true(net_address_parse(host, &address));
    address_list_add(&fake_addresses, &address);
}
