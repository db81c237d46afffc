/* The engine against a server that behaves, and against one that does not. */
#include "agent/base/lease.h"
#include "agent/base/memory_account.h"
#include "agent/http/curl/curl_kind.h"
#include "agent/http/native/native_kind.h"
#include "agent/net/stream.h"
#include "common/clock.h"
#include "common/memory.h"
#include "tests/unit/agent/http/rude_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

/* The kind that is tested: all tests run with each. */
static const struct http_engine_functions *kind;

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

static int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);

    uv_loop_init(&fixture->loop);
    fixture->server = rude_server_new(&fixture->loop);
    atomic_init(&fixture->lease_until_ns, UINT64_MAX);
    lease_init(&fixture->lease, &fixture->lease_until_ns);
    fixture->engine = http_engine_new(kind, &fixture->loop, &fixture->lease);
    for (int i = 0; i < 2; i++) {
        fixture->users[i].client = http_client_new(fixture->engine);
    }
    *state = fixture;
    alarm(30);
    return 0;
}

static int tear_down(void **state)
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

static void start(struct fixture *fixture, int user, const char *path, struct http_request request)
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

static const struct http_response *await(struct fixture *fixture, int user)
{
    while (!fixture->users[user].is_done) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    return fixture->users[user].response;
}

static const struct http_response *fetch(struct fixture *fixture, int user, const char *path,
                                         struct http_request request)
{
    start(fixture, user, path, request);
    return await(fixture, user);
}

static const char *get(struct fixture *fixture, int user, const char *path)
{
    const struct http_response *response = fetch(fixture, user, path, (struct http_request){0});

    assert_int_equal(response->failure, HTTP_OK);
    assert_int_equal(response->status, 200);
    return fixture->users[user].body;
}

static void keeps_one_connection_for_each_client(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++) {
        assert_string_equal(get(fixture, 0, "/ok"), "1");
        assert_string_equal(get(fixture, 1, "/ok"), "2");
    }
}

static void both_at_once_keep_theirs_too(void **state)
{
    struct fixture *fixture = *state;
    get(fixture, 0, "/ok");
    get(fixture, 1, "/ok");
    for (int i = 0; i < 20; i++) {
        start(fixture, 0, "/ok", (struct http_request){0});
        start(fixture, 1, "/ok", (struct http_request){0});
        await(fixture, 0);
        await(fixture, 1);
        assert_string_equal(fixture->users[0].body, "1");
        assert_string_equal(fixture->users[1].body, "2");
    }
}

static void keeps_cookies_apart(void **state)
{
    struct fixture *fixture = *state;
    get(fixture, 0, "/cookie");
    assert_non_null(strstr(get(fixture, 0, "/echo"), "Cookie: who=someone\r\n"));
    assert_null(strstr(get(fixture, 1, "/echo"), "Cookie:"));
}

static void sends_what_was_asked_and_no_more_the_next_time(void **state)
{
    struct fixture *fixture = *state;
    struct http_header headers[] = {{"X-Name", "value"}, {"X-Empty", ""}};
    struct http_request put = {.method = "PUT",
                               .headers = headers,
                               .header_count = 2,
                               .body = bytes_of_string("the body"),
                               .has_body = true,
                               .user = "me",
                               .password = "secret"};
    fetch(fixture, 0, "/echo", put);
    const char *echo = fixture->users[0].body;
    assert_non_null(strstr(echo, "PUT /echo HTTP/1.1\r\n"));
    assert_non_null(strstr(echo, "X-Name: value\r\n"));
    assert_non_null(strstr(echo, "X-Empty:\r\n"));
    assert_non_null(strstr(echo, "Content-Length: 8\r\n"));
    assert_non_null(strstr(echo, "Authorization: Basic bWU6c2VjcmV0\r\n"));
    assert_non_null(strstr(echo, "\r\n\r\nthe body"));
    assert_null(strstr(echo, "Expect:"));
    assert_null(strstr(echo, "Content-Type:"));
    fetch(fixture, 0, "/echo", (struct http_request){0});
    assert_non_null(strstr(echo, "GET /echo HTTP/1.1\r\n"));
    assert_null(strstr(echo, "X-Name"));
    assert_null(strstr(echo, "Authorization"));
    assert_null(strstr(echo, "Content-Length"));
    fetch(fixture, 0, "/echo", (struct http_request){.method = "DELETE"});
    assert_non_null(strstr(echo, "DELETE /echo HTTP/1.1\r\n"));
    fetch(fixture, 0, "/echo",
          (struct http_request){.method = "POST", .has_body = true, .body = bytes_of_string("b")});
    assert_non_null(strstr(echo, "POST /echo HTTP/1.1\r\n"));
    const struct http_response *head =
        fetch(fixture, 0, "/later-close", (struct http_request){.method = "HEAD"});
    assert_int_equal(head->failure, HTTP_OK);
    assert_int_equal(head->body.size, 0);
}

static void gives_headers_status_and_timings(void **state)
{
    struct fixture *fixture = *state;
    const struct http_response *response = fetch(fixture, 0, "/echo", (struct http_request){0});
    char headers[300];
    bytes_to_text(response->headers, headers, sizeof headers);
    assert_non_null(strstr(headers, "X-Twice: a\r\nx-twice: b\r\n"));
    assert_null(strstr(headers, "HTTP/1.1"));
    assert_true(response->timings.total_us >= response->timings.first_byte_us);
    assert_true(response->timings.first_byte_us > 0);
    response = fetch(fixture, 0, "/status/404", (struct http_request){0});
    assert_int_equal(response->failure, HTTP_OK);
    assert_int_equal(response->status, 404);
    assert_string_equal(fixture->users[0].body, "gone");
}

static void expect_whole_time(const struct http_response *response, bool is_reused)
{
    const uint64_t *us = response->timings.phase_us;
    uint64_t sum = 0;
    for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        sum += us[phase];
    }
    assert_int_equal(sum, response->timings.total_us);
    assert_int_equal(us[REQUEST_BLOCKED], 0);
    assert_int_equal(us[REQUEST_TLS], 0);
    if (is_reused) {
        assert_int_equal(us[REQUEST_LOOKUP] + us[REQUEST_CONNECT], 0);
    }
}

static void phases_are_the_whole_time(void **state)
{
    struct fixture *fixture = *state;
    expect_whole_time(fetch(fixture, 0, "/hints", (struct http_request){0}), false);
    expect_whole_time(fetch(fixture, 0, "/ok", (struct http_request){0}), true);
    expect_whole_time(fetch(fixture, 0, "/redirect", (struct http_request){.is_followed = true}), true);
    const struct http_response *response =
        fetch(fixture, 0, "/stall", (struct http_request){.timeout_ms = 60});
    assert_string_equal(response->phase, "waiting");
    assert_true(response->has_left);
    assert_in_range(response->timings.phase_us[REQUEST_WAITING], 50000, 5000000);
    expect_whole_time(response, true);
    response = fetch(fixture, 0, "", (struct http_request){.url = "http://127.0.0.1:1/"});
    assert_string_equal(response->phase, "connect");
    assert_false(response->has_left);
    expect_whole_time(response, false);
    response = fetch(fixture, 0, "/half", (struct http_request){0});
    assert_string_equal(response->phase, "receiving");
    assert_true(response->has_left);
    response = fetch(fixture, 0, "", (struct http_request){.url = "http://"});
    assert_null(response->phase);
    assert_false(response->has_left);
}

static void follows_redirects_only_when_asked(void **state)
{
    struct fixture *fixture = *state;
    const struct http_response *response = fetch(fixture, 0, "/redirect", (struct http_request){0});
    assert_int_equal(response->status, 302);
    response = fetch(fixture, 0, "/redirect", (struct http_request){.is_followed = true});
    assert_int_equal(response->status, 200);
    assert_string_equal(fixture->users[0].body, "1");
    assert_non_null(strstr(response->url, "/ok"));
    response = fetch(fixture, 0, "/loop", (struct http_request){.is_followed = true});
    assert_int_equal(response->failure, HTTP_REDIRECTS);
}

static void says_how_a_server_misbehaves(void **state)
{
    static const struct {
        const char *path;
        enum http_failure failure;
    } rows[] = {
        {"/reset", HTTP_RESET},     {"/empty", HTTP_RESET},     {"/half", HTTP_RESET},
        {"/broken", HTTP_PROTOCOL}, {"/chunks", HTTP_PROTOCOL}, {"/big", HTTP_TOO_LARGE},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct http_response *response = fetch(fixture, 0, rows[i].path, (struct http_request){0});
        if (response->failure != rows[i].failure || response->text == NULL || !response->text[0]) {
            fail_msg("%s gave %s: %s", rows[i].path, http_failure_name(response->failure), response->text);
        }
        get(fixture, 0, "/ok");
    }
}

static void ends_a_stall_at_its_timeout(void **state)
{
    struct fixture *fixture = *state;
    get(fixture, 0, "/ok");
    uint64_t began_ns = clock_now_ns();
    const struct http_response *response =
        fetch(fixture, 0, "/stall", (struct http_request){.timeout_ms = 60});
    assert_int_equal(response->failure, HTTP_TIMEOUT);
    assert_in_range((clock_now_ns() - began_ns) / NS_PER_MS, 55, 5000);
    get(fixture, 0, "/ok");
    /* An earlier, longer timeout does not hide it. */
    start(fixture, 0, "/stall", (struct http_request){.timeout_ms = 20000});
    began_ns = clock_now_ns();
    response = fetch(fixture, 1, "/stall", (struct http_request){.timeout_ms = 60});
    assert_int_equal(response->failure, HTTP_TIMEOUT);
    assert_in_range((clock_now_ns() - began_ns) / NS_PER_MS, 55, 5000);
}

static void refuses_what_is_no_request(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fetch(fixture, 0, "", (struct http_request){.url = "http://"})->failure,
                     HTTP_BAD_REQUEST);
    assert_int_equal(fetch(fixture, 0, "", (struct http_request){.url = "ftp://x/"})->failure,
                     HTTP_BAD_REQUEST);
    assert_int_equal(fetch(fixture, 0, "", (struct http_request){.url = "http://127.0.0.1:1/"})->failure,
                     HTTP_REFUSED);
    get(fixture, 0, "/ok");
}

/* No more descriptors: that is this machine's fault, not the server's. */
static void says_what_this_machine_has_too_few_of(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    get(fixture, 0, "/ok");
    int next = dup(0);
    assert_true(next > 0);
    close(next);
    struct rlimit small = {.rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
    const struct http_response *response = fetch(fixture, 1, "/ok", (struct http_request){0});
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_string_equal(http_failure_name(response->failure), "local_limit");
    assert_non_null(strstr(response->text, "ulimit -n"));
    get(fixture, 1, "/ok");
}

static void notices_that_the_server_closed_an_idle_connection(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 5; i++) {
        assert_string_equal(get(fixture, 0, i % 2 ? "/close" : "/later-close"), "bye");
        for (int turn = 0; turn < 20; turn++) {
            uv_run(&fixture->loop, UV_RUN_NOWAIT);
        }
    }
    assert_string_equal(get(fixture, 0, "/ok"), "6");
}

static void cancels(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 0, "/stall", (struct http_request){0});
    for (int turn = 0; turn < 20; turn++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
    http_exchange_free(&fixture->users[0].exchange);
    assert_false(fixture->users[0].is_done);
    get(fixture, 0, "/ok");
    start(fixture, 0, "/stall", (struct http_request){0});
    start(fixture, 1, "/big", (struct http_request){.max_body_bytes = 1 << 30});
    for (int turn = 0; turn < 20; turn++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
}

static void turn(struct fixture *fixture, int turns)
{
    for (int i = 0; i < turns; i++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static void end_lease(struct fixture *fixture)
{
    atomic_store(&fixture->lease_until_ns, 1);
}

static void renew_lease(struct fixture *fixture)
{
    atomic_store(&fixture->lease_until_ns, UINT64_MAX);
}

/* As if the process had not run for this long, and the lease had ended meanwhile. */
static void freeze(struct fixture *fixture, uint64_t for_ns)
{
    end_lease(fixture);
    fixture->lease.looked_ns -= for_ns;
}

static void without_a_lease_nothing_leaves_and_nothing_is_lost(void **state)
{
    struct fixture *fixture = *state;
    get(fixture, 0, "/ok");
    end_lease(fixture);
    start(fixture, 0, "/ok", (struct http_request){0});
    start(fixture, 1, "/ok", (struct http_request){0});
    turn(fixture, 50);
    assert_false(fixture->users[0].is_done);
    assert_false(fixture->users[1].is_done);
    assert_int_equal(rude_server_requests(fixture->server), 1);
    renew_lease(fixture);
    assert_int_equal(await(fixture, 0)->failure, HTTP_OK);
    assert_int_equal(await(fixture, 1)->failure, HTTP_OK);
    assert_int_equal(rude_server_requests(fixture->server), 3);
}

static void an_answer_that_comes_without_a_lease_is_read_with_the_next(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 0, "/stall", (struct http_request){.timeout_ms = 100});
    turn(fixture, 10);
    assert_int_equal(rude_server_requests(fixture->server), 1);
    end_lease(fixture);
    turn(fixture, 200);
    assert_false(fixture->users[0].is_done);
    renew_lease(fixture);
    assert_int_equal(await(fixture, 0)->failure, HTTP_TIMEOUT);
}

static void count_round(uv_check_t *check)
{
    ++*(unsigned *)check->data;
}

/* A deadline that passes without a lease has to wait for the next one; the loop goes on meanwhile. */
static void the_loop_goes_on_without_a_lease(void **state)
{
    struct fixture *fixture = *state;
    unsigned rounds = 0;
    uv_check_t check;
    uv_check_init(&fixture->loop, &check);
    check.data = &rounds;
    uv_check_start(&check, count_round);
    start(fixture, 0, "/stall", (struct http_request){.timeout_ms = 50});
    turn(fixture, 10);
    end_lease(fixture);
    for (int i = 0; i < 3; i++) {
        turn(fixture, 1);
        usleep(150000); /* a loop that sleeps: its timers come due */
    }
    assert_in_range(rounds, 13, 100);
    assert_false(fixture->users[0].is_done);
    renew_lease(fixture);
    assert_int_equal(await(fixture, 0)->failure, HTTP_TIMEOUT);
    uv_close((uv_handle_t *)&check, NULL);
    turn(fixture, 1);
}

static void who_was_frozen_past_its_lease_gives_up_what_was_begun(void **state)
{
    struct fixture *fixture = *state;
    get(fixture, 0, "/ok");
    freeze(fixture, LEASE_FROZEN_NS);
    start(fixture, 0, "/ok", (struct http_request){0});
    start(fixture, 1, "/ok", (struct http_request){0});
    assert_int_equal(await(fixture, 0)->failure, HTTP_LOST);
    assert_int_equal(await(fixture, 1)->failure, HTTP_LOST);
    assert_string_equal(http_failure_name(HTTP_LOST), "lost");
    turn(fixture, 50);
    assert_int_equal(rude_server_requests(fixture->server), 1);
    renew_lease(fixture);
    assert_string_equal(get(fixture, 0, "/ok"), "2"); /* over a new connection */
}

static void note_stream_open(void *context)
{
    ++*(unsigned *)context;
}

static void note_stream_lost(void *context)
{
    *(unsigned *)context += 10;
}

static void connections_beside_the_requests_are_lost_too(void **state)
{
    static const struct stream_callbacks callbacks = {.on_open = note_stream_open,
                                                      .on_lost = note_stream_lost};
    struct fixture *fixture = *state;
    const struct stream_target target = {
        .host = "127.0.0.1", .is_literal = true, .port = (uint16_t)rude_server_port(fixture->server)};
    unsigned told = 0;

    if (kind != &native_kind) {
        return;
    }
    struct stream *stream = stream_open(native_kind_net(fixture->engine), &target, &callbacks, &told);
    turn(fixture, 50);
    assert_int_equal(told, 1);
    end_lease(fixture);
    turn(fixture, 5);
    assert_int_equal(told, 1); /* it may come back */
    renew_lease(fixture);
    turn(fixture, 5);
    freeze(fixture, LEASE_FROZEN_NS);
    turn(fixture, 5);
    assert_true(told >= 11);
    stream_close(&stream, true);
    turn(fixture, 1);
}

static void who_is_held_for_too_long_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, 0, "/ok", (struct http_request){0});
    end_lease(fixture);
    turn(fixture, 5);
    assert_false(fixture->users[0].is_done);
    fixture->lease.over_ns -= LEASE_MOST_HELD_NS;
    assert_int_equal(await(fixture, 0)->failure, HTTP_LOST);
    assert_int_equal(rude_server_requests(fixture->server), 0);
}

/* The kernel has accepted megabytes of it by then: they are dropped with the connection. */
static void the_rest_of_a_body_is_not_sent(void **state)
{
    static char body[32 * 1024 * 1024];
    struct fixture *fixture = *state;
    struct http_request put = {.method = "PUT", .body = bytes_of(body, sizeof body), .has_body = true};
    start(fixture, 0, "/sink", put);
    turn(fixture, 100);
    assert_true(rude_server_sunk(fixture->server) > 0);
    freeze(fixture, LEASE_FROZEN_NS);
    assert_int_equal(await(fixture, 0)->failure, HTTP_LOST);
    rude_server_drain(fixture->server);
    for (int i = 0; i < 2000 && !rude_server_has_ended(fixture->server); i++) {
        turn(fixture, 1);
    }
    assert_true(rude_server_has_ended(fixture->server));
    assert_true(rude_server_sunk(fixture->server) < 1024 * 1024);
}

static void what_is_cancelled_without_a_lease_is_reset(void **state)
{
    static char body[32 * 1024 * 1024];
    struct fixture *fixture = *state;
    struct http_request put = {.method = "PUT", .body = bytes_of(body, sizeof body), .has_body = true};
    start(fixture, 0, "/sink", put);
    turn(fixture, 100);
    end_lease(fixture);
    fixture->users[0].exchange = NULL;
    http_client_free(&fixture->users[0].client);
    rude_server_drain(fixture->server);
    for (int i = 0; i < 2000 && !rude_server_has_ended(fixture->server); i++) {
        turn(fixture, 1);
    }
    assert_true(rude_server_has_ended(fixture->server));
    assert_true(rude_server_sunk(fixture->server) < 1024 * 1024);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* A target that sends endlessly to many: together they stay within half of what the shard may hold. */
static void bodies_of_all_clients_have_a_limit(void **state)
{
    struct fixture *fixture = *state;
    struct memory_account memory = {.limit_bytes = 8 << 20};
    struct http_request endless = {.max_body_bytes = 1 << 30};

    http_engine_set_memory(fixture->engine, &memory);
    for (int round = 0; round < 3; round++) {
        start(fixture, 0, "/big", endless);
        start(fixture, 1, "/big", endless);
        for (int user = 0; user < 2; user++) {
            const struct http_response *response = await(fixture, user);
            assert_int_equal(response->failure, HTTP_NO_MEMORY);
            assert_non_null(strstr(response->text, "have reached 4 MiB"));
        }
        assert_int_equal(memory.used_bytes, 0);
    }
    assert_string_not_equal(get(fixture, 0, "/ok"), "");
    for (int user = 0; user < 2; user++) {
        fixture->users[user].exchange = NULL;
        http_client_free(&fixture->users[user].client);
    }
    assert_int_equal(memory.body_bytes, 0);
}

/* Curl has a copy of each: 90 workers that post the same long text hold it 90 times. */
static void bodies_that_are_sent_count_too(void **state)
{
    struct fixture *fixture = *state;
    struct memory_account memory = {.limit_bytes = 8 << 20};
    size_t size = 3 << 20;
    uint8_t *text = memory_new(size, 1);
    struct http_request post = {.method = "POST", .body = bytes_of(text, size), .has_body = true};

    http_engine_set_memory(fixture->engine, &memory);
    start(fixture, 0, "/stall", post);
    assert_in_range(memory.used_bytes, size / 2, size);
    assert_int_equal(fetch(fixture, 1, "/stall", post)->failure, HTTP_NO_MEMORY);
    http_exchange_free(&fixture->users[0].exchange);
    assert_int_equal(memory.used_bytes, 0);
    for (int user = 0; user < 2; user++) {
        fixture->users[user].exchange = NULL;
        http_client_free(&fixture->users[user].client);
    }
    memory_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeps_one_connection_for_each_client),
        TEST(both_at_once_keep_theirs_too),
        TEST(keeps_cookies_apart),
        TEST(sends_what_was_asked_and_no_more_the_next_time),
        TEST(gives_headers_status_and_timings),
        TEST(phases_are_the_whole_time),
        TEST(follows_redirects_only_when_asked),
        TEST(says_how_a_server_misbehaves),
        TEST(ends_a_stall_at_its_timeout),
        TEST(refuses_what_is_no_request),
        TEST(says_what_this_machine_has_too_few_of),
        TEST(notices_that_the_server_closed_an_idle_connection),
        TEST(cancels),
        TEST(without_a_lease_nothing_leaves_and_nothing_is_lost),
        TEST(an_answer_that_comes_without_a_lease_is_read_with_the_next),
        TEST(the_loop_goes_on_without_a_lease),
        TEST(who_was_frozen_past_its_lease_gives_up_what_was_begun),
        TEST(connections_beside_the_requests_are_lost_too),
        TEST(who_is_held_for_too_long_is_given_up),
        TEST(the_rest_of_a_body_is_not_sent),
        TEST(what_is_cancelled_without_a_lease_is_reset),
        TEST(bodies_of_all_clients_have_a_limit),
        TEST(bodies_that_are_sent_count_too),
    };
    kind = &curl_kind;
    int failed = cmocka_run_group_tests_name("curl", tests, NULL, NULL);
    kind = &native_kind;
    return failed + cmocka_run_group_tests_name("native", tests, NULL, NULL);
}
