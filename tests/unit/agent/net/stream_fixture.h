/* A stream, and a plain server for it on the same loop. */
#pragma once
#include "agent/base/lease.h"
#include "agent/net/stream.h"
#include "common/buffer.h"
#include "tests/unit/common/check.h"

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

extern const struct stream_callbacks listener_callbacks;

int fixture_set_up(void **state);
int fixture_tear_down(void **state);
/* Begins the fixture's stream; the one before is closed. */
void fixture_open(struct fixture *fixture, const char *host, uint16_t port);
/* Until it is open, or has ended. */
void fixture_await(struct fixture *fixture);
void fixture_await_end(struct fixture *fixture);
/* To the server, which has accepted it then. */
void fixture_connect(struct fixture *fixture);
void fixture_turn(struct fixture *fixture, int turns);
/* One more of the name that is looked up. */
void fixture_add_address(const char *host);
void echo_drop(struct echo *echo);
/* Reads on, where it is slow. */
void echo_go_on(struct echo *echo);
