/* Several requests of one client at once. */
#include "agent/base/lease.h"
#include "agent/http/curl/curl_kind.h"
#include "agent/http/native/native_kind.h"
#include "common/clock.h"
#include "common/memory.h"
#include "tests/unit/agent/http/rude_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CALLS 12

/* The kind that is tested: all tests run with each. */
static const struct http_engine_functions *kind;

struct call {
    struct http_exchange *exchange;
    struct http_exchange **victim; /* freed when this one is done; NULL: none */
    enum http_failure failure;
    uint32_t status;
    char body[2000];
    bool is_done;
};

struct fixture {
    uv_loop_t loop;
    struct rude_server *servers[2];
    struct http_engine *engine;
    struct http_client *client;
    _Atomic(uint64_t) lease_until_ns;
    struct lease lease;
    struct call calls[CALLS];
};

static void on_done(void *context, struct http_response *response)
{
    struct call *call = context;

    assert_false(call->is_done);
    call->is_done = true;
    call->failure = response->failure;
    call->status = response->status;
    bytes_to_text(response->body, call->body, sizeof call->body);
    if (call->victim != NULL) {
        http_exchange_free(call->victim);
    }
}

static int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);

    uv_loop_init(&fixture->loop);
    for (int i = 0; i < 2; i++) {
        fixture->servers[i] = rude_server_new(&fixture->loop);
    }
    atomic_init(&fixture->lease_until_ns, UINT64_MAX);
    lease_init(&fixture->lease, &fixture->lease_until_ns);
    fixture->engine = http_engine_new(kind, &fixture->loop, &fixture->lease);
    fixture->client = http_client_new(fixture->engine);
    *state = fixture;
    alarm(30);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    http_client_free(&fixture->client);
    http_engine_close(&fixture->engine);
    for (int i = 0; i < 2; i++) {
        rude_server_close(&fixture->servers[i]);
    }
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    memory_free(fixture);
    alarm(0);
    return 0;
}

static void start(struct fixture *fixture, int call, int server, const char *path, uint64_t timeout_ms)
{
    char url[200];
    struct http_request request = {
        .method = "GET", .url = url, .timeout_ms = timeout_ms, .max_body_bytes = 100000};

    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", rude_server_port(fixture->servers[server]), path);
    fixture->calls[call].is_done = false;
    fixture->calls[call].exchange = http_start(fixture->client, &request, on_done, &fixture->calls[call]);
}

static void start_all(struct fixture *fixture, int count, const char *path)
{
    for (int i = 0; i < count; i++) {
        start(fixture, i, 0, path, 10000);
    }
}

static void turn(struct fixture *fixture, int turns)
{
    for (int i = 0; i < turns; i++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static struct call *await(struct fixture *fixture, int call)
{
    while (!fixture->calls[call].is_done) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    return &fixture->calls[call];
}

static void expect_requests(struct fixture *fixture, unsigned count)
{
    for (int i = 0; i < 2000 && rude_server_requests(fixture->servers[0]) < count; i++) {
        turn(fixture, 1);
    }
    turn(fixture, 20);
    assert_int_equal(rude_server_requests(fixture->servers[0]), count);
}

static void are_under_way_at_the_same_time(void **state)
{
    struct fixture *fixture = *state;

    for (int round = 0; round < 3; round++) {
        start_all(fixture, 5, "/meet/5");
        for (int i = 0; i < 5; i++) {
            assert_int_equal(await(fixture, i)->status, 200);
            assert_string_equal(fixture->calls[i].body, "together");
        }
        for (int i = 0; i < 5; i++) {
            http_exchange_free(&fixture->calls[i].exchange);
        }
    }
    /* The connections were kept, and are used again. */
    start(fixture, 0, 0, "/ok", 10000);
    assert_true(atoi(await(fixture, 0)->body) <= 5);
}

static void each_has_its_own_answer(void **state)
{
    struct fixture *fixture = *state;
    static const char *const paths[] = {"/echo/0", "/status/404", "/echo/2", "/half", "/echo/4", "/empty"};

    for (int i = 0; i < 6; i++) {
        start(fixture, i, 0, paths[i], 10000);
    }
    for (int i = 0; i < 6; i++) {
        await(fixture, i);
    }
    for (int i = 0; i < 6; i += 2) {
        char line[40];
        snprintf(line, sizeof line, "GET %s HTTP/1.1\r\n", paths[i]);
        assert_int_equal(strncmp(fixture->calls[i].body, line, strlen(line)), 0);
    }
    assert_int_equal(fixture->calls[1].status, 404);
    assert_int_equal(fixture->calls[3].failure, HTTP_RESET);
    assert_int_equal(fixture->calls[5].failure, HTTP_RESET);
}

static void six_reach_a_server_and_the_others_wait(void **state)
{
    struct fixture *fixture = *state;

    start_all(fixture, 10, "/stall");
    expect_requests(fixture, HTTP_CONNECTIONS_MAX);
    /* One that gives up, whether it waits or not, lets another go on, or none. */
    http_exchange_free(&fixture->calls[7].exchange);
    expect_requests(fixture, HTTP_CONNECTIONS_MAX);
    http_exchange_free(&fixture->calls[0].exchange);
    http_exchange_free(&fixture->calls[3].exchange);
    expect_requests(fixture, HTTP_CONNECTIONS_MAX + 2);
    http_client_cancel(fixture->client);
    turn(fixture, 20);
    expect_requests(fixture, HTTP_CONNECTIONS_MAX + 2);
    for (int i = 0; i < 10; i++) {
        assert_false(fixture->calls[i].is_done);
    }
    start(fixture, 0, 0, "/ok", 10000);
    assert_int_equal(await(fixture, 0)->status, 200);
}

static void many_come_to_their_end_in_order(void **state)
{
    struct fixture *fixture = *state;

    for (int round = 0; round < 3; round++) {
        start_all(fixture, CALLS, round == 1 ? "/close" : "/echo");
        for (int i = CALLS - 1; i >= 0; i--) {
            assert_int_equal(await(fixture, i)->status, 200);
        }
        for (int i = 0; i < CALLS; i++) {
            http_exchange_free(&fixture->calls[i].exchange);
        }
    }
    expect_requests(fixture, 3 * CALLS);
}

/* The clock runs from http_start on. */
static void what_waits_times_out_too(void **state)
{
    struct fixture *fixture = *state;
    uint64_t began_ns = clock_now_ns();

    for (int i = 0; i < CALLS; i++) {
        start(fixture, i, 0, "/stall", 300);
    }
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(await(fixture, i)->failure, HTTP_TIMEOUT);
    }
    assert_in_range((clock_now_ns() - began_ns) / NS_PER_MS, 295, 5000);
}

static void one_may_free_another_when_it_is_done(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, 0, 0, "/meet/2", 10000);
    start(fixture, 1, 0, "/meet/2", 10000);
    fixture->calls[0].victim = &fixture->calls[1].exchange;
    fixture->calls[1].victim = &fixture->calls[0].exchange;
    while (!fixture->calls[0].is_done && !fixture->calls[1].is_done) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    turn(fixture, 20);
    assert_true(fixture->calls[0].is_done != fixture->calls[1].is_done);
}

static void one_that_is_refused_is_not_the_others_fault(void **state)
{
    struct fixture *fixture = *state;
    struct http_request nonsense = {
        .method = "GET", .url = "ftp://x/", .timeout_ms = 1000, .max_body_bytes = 1000};

    start(fixture, 0, 0, "/meet/2", 10000);
    fixture->calls[1].exchange = http_start(fixture->client, &nonsense, on_done, &fixture->calls[1]);
    start(fixture, 2, 0, "/meet/2", 10000);
    assert_int_equal(await(fixture, 1)->failure, HTTP_BAD_REQUEST);
    assert_int_equal(await(fixture, 0)->status, 200);
    assert_int_equal(await(fixture, 2)->status, 200);
}

static void cookies_are_the_clients(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, 0, 0, "/cookie", 10000);
    start(fixture, 1, 0, "/meet/1", 10000);
    await(fixture, 0);
    await(fixture, 1);
    start_all(fixture, 3, "/echo");
    for (int i = 0; i < 3; i++) {
        assert_non_null(strstr(await(fixture, i)->body, "Cookie: who=someone\r\n"));
    }
}

static void all_are_lost_with_the_lease(void **state)
{
    struct fixture *fixture = *state;

    start_all(fixture, 10, "/stall");
    expect_requests(fixture, HTTP_CONNECTIONS_MAX);
    /* Frozen for long, and the lease is over. */
    turn(fixture, 2);
    atomic_store(&fixture->lease_until_ns, 1);
    usleep(LEASE_FROZEN_NS / 1000 + 10000);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(await(fixture, i)->failure, HTTP_LOST);
    }
    atomic_store(&fixture->lease_until_ns, UINT64_MAX);
    expect_requests(fixture, HTTP_CONNECTIONS_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(are_under_way_at_the_same_time),
        TEST(each_has_its_own_answer),
        TEST(six_reach_a_server_and_the_others_wait),
        TEST(many_come_to_their_end_in_order),
        TEST(what_waits_times_out_too),
        TEST(one_may_free_another_when_it_is_done),
        TEST(one_that_is_refused_is_not_the_others_fault),
        TEST(cookies_are_the_clients),
        TEST(all_are_lost_with_the_lease),
    };
    kind = &curl_kind;
    int failed = cmocka_run_group_tests_name("curl", tests, NULL, NULL);
    kind = &native_kind;
    return failed + cmocka_run_group_tests_name("native", tests, NULL, NULL);
}
