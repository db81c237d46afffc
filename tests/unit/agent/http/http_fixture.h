/* An engine with two clients, and a server on the same loop. */
#pragma once
#include "agent/base/lease.h"
#include "agent/http/engine.h"
#include "tests/unit/agent/http/rude_server.h"
#include "tests/unit/common/check.h"

#include <uv.h>

struct user {
    struct http_client *client;
    struct http_exchange *exchange;
    const struct http_response *response;
    char body[70000];
    bool is_done;
};

struct fixture {
    uv_loop_t loop;
    struct rude_server *server;
    struct http_engine *engine;
    _Atomic(uint64_t) lease_until_ns;
    struct lease lease;
    struct user users[2];
    char url[200];
};

/* The kind of engine that is tested. */
extern const struct http_engine_functions *fixture_kind;

int fixture_set_up(void **state);
int fixture_tear_down(void **state);
/* What the request leaves out is usual: GET, 10 s, the server's URL with this path. */
void fixture_start(struct fixture *fixture, int user, const char *path, struct http_request request);
const struct http_response *fixture_await(struct fixture *fixture, int user);
const struct http_response *fixture_fetch(struct fixture *fixture, int user, const char *path,
                                          struct http_request request);
/* The body of an answer that is good. */
const char *fixture_get(struct fixture *fixture, int user, const char *path);
void fixture_turn(struct fixture *fixture, int turns);
