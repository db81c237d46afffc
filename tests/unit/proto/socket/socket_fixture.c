/* A loop with sockets of ours on it, and rude peers. */
#include "tests/unit/proto/socket/socket_fixture.h"

#include "common/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#define PATIENCE_MS 30000

static void on_late(uv_timer_t *timer)
{
    struct fixture *fixture = timer->data;
    fixture->is_late = true;
}

static void init_end(struct end *end)
{
    buffer_init(&end->texts, 1u << 20);
}

int fixture_set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);
    uv_loop_init(&fixture->loop);
    uv_timer_init(&fixture->loop, &fixture->guard);
    fixture->guard.data = fixture;
    uv_unref((uv_handle_t *)&fixture->guard);
    init_end(&fixture->router);
    init_end(&fixture->dealer);
    init_end(&fixture->other);
    end_open_router(fixture, &fixture->router, LOCAL_ANY);
    *state = fixture;
    return 0;
}

int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;
    end_close(&fixture->dealer, 0);
    end_close(&fixture->other, 0);
    end_close(&fixture->router, 0);
    uv_close((uv_handle_t *)&fixture->guard, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    buffer_finish(&fixture->router.texts);
    buffer_finish(&fixture->dealer.texts);
    buffer_finish(&fixture->other.texts);
    memory_free(fixture);
    return 0;
}

static void on_frame(void *context, const struct socket_sender *from, struct bytes envelope,
                     struct bytes message)
{
    struct end *end = context;
    end->frames++;
    end->frames_of_turn++;
    end->bytes += message.size;
    end->route_size = from->route.size;
    if (from->route.size > 0) {
        memcpy(end->route, from->route.data, from->route.size);
    }
    if (envelope.size + message.size < 100) {
        buffer_append(&end->texts, envelope.data, envelope.size);
        buffer_append_string(&end->texts, "|");
        buffer_append(&end->texts, message.data, message.size);
        buffer_append_string(&end->texts, " ");
    }
    if (end->on_frame != NULL) {
        end->on_frame(end, envelope, message);
    }
}

static void on_turn_end(void *context)
{
    struct end *end = context;
    end->turns++;
    if (end->frames_of_turn > end->most_frames_of_turn) {
        end->most_frames_of_turn = end->frames_of_turn;
    }
    end->frames_of_turn = 0;
}

bool end_try_router(struct fixture *fixture, struct end *end, const char *endpoint)
{
    struct socket_callbacks callbacks = {.on_frame = on_frame, .on_turn_end = on_turn_end, .context = end};
    end->socket = socket_new_router(&fixture->loop, endpoint, NULL, &callbacks, NULL);
    return end->socket != NULL;
}

void end_open_router(struct fixture *fixture, struct end *end, const char *endpoint)
{
    assert_true(end_try_router(fixture, end, endpoint));
}

void end_open_dealer(struct fixture *fixture, struct end *end, const char *endpoint)
{
    struct error error;
    struct socket_callbacks callbacks = {.on_frame = on_frame, .on_turn_end = on_turn_end, .context = end};
    end->socket = socket_new_dealer(&fixture->loop, endpoint, NULL, &callbacks, &error);
    if (end->socket == NULL) {
        fail_msg("%s", error.text);
    }
}

void end_close(struct end *end, int linger_ms)
{
    socket_close(&end->socket, linger_ms);
}

struct bytes end_route(const struct end *end)
{
    return bytes_of(end->route, end->route_size);
}

bool end_send(struct end *end, const char *envelope, const char *message)
{
    return socket_send(end->socket, end_route(end), bytes_of_string(envelope), bytes_of_string(message));
}

void run_until(struct fixture *fixture, const size_t *counter, size_t wanted)
{
    fixture->is_late = false;
    uv_update_time(&fixture->loop);
    uv_timer_start(&fixture->guard, on_late, PATIENCE_MS, 0);
    while (*counter < wanted && !fixture->is_late) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&fixture->guard);
    if (fixture->is_late) {
        fail_msg("stalled at %zu of %zu", *counter, wanted);
    }
}

void rude_open(struct rude_peer *peer, const char *endpoint)
{
    int patience_ms = PATIENCE_MS;
    int none = 0;
    peer->context = zmq_ctx_new();
    peer->zmq = zmq_socket(peer->context, ZMQ_DEALER);
    zmq_setsockopt(peer->zmq, ZMQ_LINGER, &none, sizeof none);
    assert_int_equal(zmq_socket_monitor(peer->zmq, "inproc://monitor", ZMQ_EVENT_DISCONNECTED), 0);
    peer->monitor = zmq_socket(peer->context, ZMQ_PAIR);
    zmq_setsockopt(peer->monitor, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
    zmq_setsockopt(peer->monitor, ZMQ_LINGER, &none, sizeof none);
    assert_int_equal(zmq_connect(peer->monitor, "inproc://monitor"), 0);
    assert_int_equal(zmq_connect(peer->zmq, endpoint), 0);
}

void rude_send(struct rude_peer *peer, size_t parts, size_t size)
{
    uint8_t *data = memory_new(1, size);
    for (size_t i = 0; i < parts; i++) {
        assert_true(zmq_send(peer->zmq, data, size, i + 1 < parts ? ZMQ_SNDMORE : 0) >= 0);
    }
    memory_free(data);
}

void rude_await_disconnection(struct rude_peer *peer)
{
    uint8_t event[6];
    assert_int_equal(zmq_recv(peer->monitor, event, sizeof event, 0), sizeof event);
    assert_true(zmq_recv(peer->monitor, event, sizeof event, 0) >= 0); /* the address */
}

void rude_close(struct rude_peer *peer)
{
    zmq_socket_monitor(peer->zmq, NULL, 0);
    zmq_close(peer->monitor);
    zmq_close(peer->zmq);
    zmq_ctx_term(peer->context);
}

int raw_connect(const char *endpoint, const void *data, size_t size)
{
    unsigned long port = strtoul(strrchr(endpoint, ':') + 1, NULL, 10);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(descriptor >= 0);
    assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(descriptor, data, size, MSG_NOSIGNAL), size);
    return descriptor;
}

void raw_await_end(int descriptor)
{
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    uint8_t byte[256];
    ssize_t got;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    do {
        got = recv(descriptor, byte, sizeof byte, 0);
    } while (got > 0);
    assert_true(got == 0 || errno == ECONNRESET);
    close(descriptor);
}
