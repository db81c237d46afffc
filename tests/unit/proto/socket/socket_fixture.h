/* A loop with sockets of ours on it, and rude peers that use ZeroMQ or TCP directly. */
#pragma once
#include "common/buffer.h"
#include "proto/socket/socket.h"

#include <uv.h>

#define LOCAL_ANY "tcp://127.0.0.1:*"

/* One end, and what has happened at it. */
struct end {
    struct socket *socket;
    uint8_t route[SOCKET_MAX_ROUTE_BYTES]; /* of the newest frame */
    size_t route_size;
    size_t frames;
    size_t turns;
    size_t frames_of_turn;
    size_t most_frames_of_turn;
    size_t bytes;
    struct buffer texts; /* envelope|message of each frame */
    void (*on_frame)(struct end *end, struct bytes envelope, struct bytes message);
    void *user;
};

struct fixture {
    uv_loop_t loop;
    uv_timer_t guard;
    bool is_late;
    struct end router;
    struct end dealer;
    struct end other;
};

/* A router and no dealer yet. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

void end_open_router(struct fixture *fixture, struct end *end, const char *endpoint);
bool end_try_router(struct fixture *fixture, struct end *end, const char *endpoint);
void end_open_dealer(struct fixture *fixture, struct end *end, const char *endpoint);
void end_close(struct end *end, int linger_ms);
struct bytes end_route(const struct end *end);
bool end_send(struct end *end, const char *envelope, const char *message);

/* Runs the loop until `*counter` has reached `wanted`; fails the test if that takes half a minute. */
void run_until(struct fixture *fixture, const size_t *counter, size_t wanted);

/* A DEALER that ignores our protocol, and sends `parts` parts of `size` bytes at once. */
struct rude_peer {
    void *context;
    void *zmq;
    void *monitor;
};
void rude_open(struct rude_peer *peer, const char *endpoint);
void rude_send(struct rude_peer *peer, size_t parts, size_t size);
/* Waits until the other side has cut the connection. */
void rude_await_disconnection(struct rude_peer *peer);
void rude_close(struct rude_peer *peer);

/* Connects by plain TCP and writes these bytes. */
int raw_connect(const char *endpoint, const void *data, size_t size);
/* Waits until the other side has closed it. */
void raw_await_end(int descriptor);
