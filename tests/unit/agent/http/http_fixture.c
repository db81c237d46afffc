/* An engine with two clients, and a server on the same loop. */
#include "tests/unit/agent/http/http_fixture.h"

#include "common/memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct http_engine_functions *fixture_kind;

static void on_done(void *context, struct http_response *response)
{
    struct user *user = context;

    user->response = response;
    user->is_done = true;
    size_t size = response->body.size < sizeof user->body ? response->body.size : sizeof user->body - 1;
    if (size > 0) {
        memcpy(user->body, response->body.data, size);
    }
    user->body[size] = 0;
}

int fixture_set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);

    uv_loop_init(&fixture->loop);
    fixture->server = rude_server_new(&fixture->loop);
    atomic_init(&fixture->lease_until_ns, UINT64_MAX);
    lease_init(&fixture->lease, &fixture->lease_until_ns);
    fixture->engine = http_engine_new(fixture_kind, &fixture->loop, &fixture->lease);
    for (int i = 0; i < 2; i++) {
        fixture->users[i].client = http_client_new(fixture->engine);
    }
    *state = fixture;
    alarm(30);
    return 0;
}

int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 2; i++) {
        http_client_free(&fixture->users[i].client);
    }
    http_engine_close(&fixture->engine);
    rude_server_close(&fixture->server);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    memory_free(fixture);
    alarm(0);
    return 0;
}

void fixture_start(struct fixture *fixture, int user, const char *path, struct http_request request)
{
    snprintf(fixture->url, sizeof fixture->url, "http://127.0.0.1:%d%s", rude_server_port(fixture->server),
             path);
    request.url = request.url != NULL ? request.url : fixture->url;
    request.method = request.method != NULL ? request.method : "GET";
    request.timeout_ms = request.timeout_ms ? request.timeout_ms : 10000;
    request.max_body_bytes = request.max_body_bytes ? request.max_body_bytes : 100000;
    fixture->users[user].is_done = false;
    http_exchange_free(&fixture->users[user].exchange);
    fixture->users[user].exchange =
        http_start(fixture->users[user].client, &request, on_done, &fixture->users[user]);
}

const struct http_response *fixture_await(struct fixture *fixture, int user)
{
    while (!fixture->users[user].is_done) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    return fixture->users[user].response;
}

const struct http_response *fixture_fetch(struct fixture *fixture, int user, const char *path,
                                          struct http_request request)
{
    fixture_start(fixture, user, path, request);
    return fixture_await(fixture, user);
}

const char *fixture_get(struct fixture *fixture, int user, const char *path)
{
    const struct http_response *response = fixture_fetch(fixture, user, path, (struct http_request){0});

    assert_int_equal(response->failure, HTTP_OK);
    assert_int_equal(response->status, 200);
    return fixture->users[user].body;
}

void fixture_turn(struct fixture *fixture, int turns)
{
    for (int i = 0; i < turns; i++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}
