/* The engine against a server that behaves, and against one that does not. */
#include "tests/unit/agent/http/http_fixture.h"

#include "agent/base/memory_account.h"
#include "agent/http/curl/curl_kind.h"
#include "agent/http/native/native_kind.h"
#include "common/clock.h"
#include "common/memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void keeps_one_connection_for_each_client(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++) {
        assert_string_equal(fixture_get(fixture, 0, "/ok"), "1");
        assert_string_equal(fixture_get(fixture, 1, "/ok"), "2");
    }
}

static void both_at_once_keep_theirs_too(void **state)
{
    struct fixture *fixture = *state;
    fixture_get(fixture, 0, "/ok");
    fixture_get(fixture, 1, "/ok");
    for (int i = 0; i < 20; i++) {
        fixture_start(fixture, 0, "/ok", (struct http_request){0});
        fixture_start(fixture, 1, "/ok", (struct http_request){0});
        fixture_await(fixture, 0);
        fixture_await(fixture, 1);
        assert_string_equal(fixture->users[0].body, "1");
        assert_string_equal(fixture->users[1].body, "2");
    }
}

static void keeps_cookies_apart(void **state)
{
    struct fixture *fixture = *state;
    fixture_get(fixture, 0, "/cookie");
    assert_non_null(strstr(fixture_get(fixture, 0, "/echo"), "Cookie: who=someone\r\n"));
    assert_null(strstr(fixture_get(fixture, 1, "/echo"), "Cookie:"));
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
    fixture_fetch(fixture, 0, "/echo", put);
    const char *echo = fixture->users[0].body;
    assert_non_null(strstr(echo, "PUT /echo HTTP/1.1\r\n"));
    assert_non_null(strstr(echo, "X-Name: value\r\n"));
    assert_non_null(strstr(echo, "X-Empty:\r\n"));
    assert_non_null(strstr(echo, "Content-Length: 8\r\n"));
    assert_non_null(strstr(echo, "Authorization: Basic bWU6c2VjcmV0\r\n"));
    assert_non_null(strstr(echo, "\r\n\r\nthe body"));
    assert_null(strstr(echo, "Expect:"));
    assert_null(strstr(echo, "Content-Type:"));
    fixture_fetch(fixture, 0, "/echo", (struct http_request){0});
    assert_non_null(strstr(echo, "GET /echo HTTP/1.1\r\n"));
    assert_null(strstr(echo, "X-Name"));
    assert_null(strstr(echo, "Authorization"));
    assert_null(strstr(echo, "Content-Length"));
    fixture_fetch(fixture, 0, "/echo", (struct http_request){.method = "DELETE"});
    assert_non_null(strstr(echo, "DELETE /echo HTTP/1.1\r\n"));
    fixture_fetch(fixture, 0, "/echo",
                  (struct http_request){.method = "POST", .has_body = true, .body = bytes_of_string("b")});
    assert_non_null(strstr(echo, "POST /echo HTTP/1.1\r\n"));
    const struct http_response *head =
        fixture_fetch(fixture, 0, "/later-close", (struct http_request){.method = "HEAD"});
    assert_int_equal(head->failure, HTTP_OK);
    assert_int_equal(head->body.size, 0);
}

static void gives_headers_status_and_timings(void **state)
{
    struct fixture *fixture = *state;
    const struct http_response *response = fixture_fetch(fixture, 0, "/echo", (struct http_request){0});
    char headers[300];
    bytes_to_text(response->headers, headers, sizeof headers);
    assert_non_null(strstr(headers, "X-Twice: a\r\nx-twice: b\r\n"));
    assert_null(strstr(headers, "HTTP/1.1"));
    assert_true(response->timings.total_us >= response->timings.first_byte_us);
    assert_true(response->timings.first_byte_us > 0);
    response = fixture_fetch(fixture, 0, "/status/404", (struct http_request){0});
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
    /* No connection is waited for; with libcurl a request begins a moment after it was made. */
    assert_in_range(us[REQUEST_BLOCKED], 0, fixture_kind == &curl_kind ? 10000 : 0);
    assert_int_equal(us[REQUEST_TLS], 0);
    if (is_reused) {
        assert_int_equal(us[REQUEST_LOOKUP] + us[REQUEST_CONNECT], 0);
    }
}

static void phases_are_the_whole_time(void **state)
{
    struct fixture *fixture = *state;
    expect_whole_time(fixture_fetch(fixture, 0, "/hints", (struct http_request){0}), false);
    expect_whole_time(fixture_fetch(fixture, 0, "/ok", (struct http_request){0}), true);
    expect_whole_time(fixture_fetch(fixture, 0, "/redirect", (struct http_request){.is_followed = true}),
                      true);
    const struct http_response *response =
        fixture_fetch(fixture, 0, "/stall", (struct http_request){.timeout_ms = 60});
    assert_string_equal(response->phase, "waiting");
    assert_true(response->has_left);
    assert_in_range(response->timings.phase_us[REQUEST_WAITING], 50000, 5000000);
    expect_whole_time(response, true);
    response = fixture_fetch(fixture, 0, "", (struct http_request){.url = "http://127.0.0.1:1/"});
    assert_string_equal(response->phase, "connect");
    assert_false(response->has_left);
    expect_whole_time(response, false);
    response = fixture_fetch(fixture, 0, "/half", (struct http_request){0});
    assert_string_equal(response->phase, "receiving");
    assert_true(response->has_left);
    response = fixture_fetch(fixture, 0, "", (struct http_request){.url = "http://"});
    assert_null(response->phase);
    assert_false(response->has_left);
}

static void follows_redirects_only_when_asked(void **state)
{
    struct fixture *fixture = *state;
    const struct http_response *response = fixture_fetch(fixture, 0, "/redirect", (struct http_request){0});
    assert_int_equal(response->status, 302);
    response = fixture_fetch(fixture, 0, "/redirect", (struct http_request){.is_followed = true});
    assert_int_equal(response->status, 200);
    assert_string_equal(fixture->users[0].body, "1");
    assert_non_null(strstr(response->url, "/ok"));
    response = fixture_fetch(fixture, 0, "/loop", (struct http_request){.is_followed = true});
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
        const struct http_response *response =
            fixture_fetch(fixture, 0, rows[i].path, (struct http_request){0});
        if (response->failure != rows[i].failure || response->text == NULL || !response->text[0]) {
            fail_msg("%s gave %s: %s", rows[i].path, http_failure_name(response->failure), response->text);
        }
        fixture_get(fixture, 0, "/ok");
    }
}

static void ends_a_stall_at_its_timeout(void **state)
{
    struct fixture *fixture = *state;
    fixture_get(fixture, 0, "/ok");
    uint64_t began_ns = clock_now_ns();
    const struct http_response *response =
        fixture_fetch(fixture, 0, "/stall", (struct http_request){.timeout_ms = 60});
    assert_int_equal(response->failure, HTTP_TIMEOUT);
    assert_in_range((clock_now_ns() - began_ns) / NS_PER_MS, 55, 5000);
    fixture_get(fixture, 0, "/ok");
    /* An earlier, longer timeout does not hide it. */
    fixture_start(fixture, 0, "/stall", (struct http_request){.timeout_ms = 20000});
    began_ns = clock_now_ns();
    response = fixture_fetch(fixture, 1, "/stall", (struct http_request){.timeout_ms = 60});
    assert_int_equal(response->failure, HTTP_TIMEOUT);
    assert_in_range((clock_now_ns() - began_ns) / NS_PER_MS, 55, 5000);
}

static void refuses_what_is_no_request(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_fetch(fixture, 0, "", (struct http_request){.url = "http://"})->failure,
                     HTTP_BAD_REQUEST);
    assert_int_equal(fixture_fetch(fixture, 0, "", (struct http_request){.url = "ftp://x/"})->failure,
                     HTTP_BAD_REQUEST);
    assert_int_equal(
        fixture_fetch(fixture, 0, "", (struct http_request){.url = "http://127.0.0.1:1/"})->failure,
        HTTP_REFUSED);
    fixture_get(fixture, 0, "/ok");
}

/* No more descriptors: that is this machine's fault, not the server's. */
static void says_what_this_machine_has_too_few_of(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    fixture_get(fixture, 0, "/ok");
    int next = dup(0);
    assert_true(next > 0);
    close(next);
    struct rlimit small = {.rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
    const struct http_response *response = fixture_fetch(fixture, 1, "/ok", (struct http_request){0});
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_string_equal(http_failure_name(response->failure), "local_limit");
    assert_non_null(strstr(response->text, "ulimit -n"));
    fixture_get(fixture, 1, "/ok");
}

static void notices_that_the_server_closed_an_idle_connection(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 5; i++) {
        assert_string_equal(fixture_get(fixture, 0, i % 2 ? "/close" : "/later-close"), "bye");
        for (int turn = 0; turn < 20; turn++) {
            uv_run(&fixture->loop, UV_RUN_NOWAIT);
        }
    }
    assert_string_equal(fixture_get(fixture, 0, "/ok"), "6");
}

static void cancels(void **state)
{
    struct fixture *fixture = *state;
    fixture_start(fixture, 0, "/stall", (struct http_request){0});
    for (int turn = 0; turn < 20; turn++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
    http_exchange_free(&fixture->users[0].exchange);
    assert_false(fixture->users[0].is_done);
    fixture_get(fixture, 0, "/ok");
    fixture_start(fixture, 0, "/stall", (struct http_request){0});
    fixture_start(fixture, 1, "/big", (struct http_request){.max_body_bytes = 1 << 30});
    for (int turn = 0; turn < 20; turn++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
}

/* A target that sends endlessly to many: together they stay within half of what the shard may hold. */
static void bodies_of_all_clients_have_a_limit(void **state)
{
    struct fixture *fixture = *state;
    struct memory_account memory = {.limit_bytes = 8 << 20};
    struct http_request endless = {.max_body_bytes = 1 << 30};

    http_engine_set_memory(fixture->engine, &memory);
    for (int round = 0; round < 3; round++) {
        fixture_start(fixture, 0, "/big", endless);
        fixture_start(fixture, 1, "/big", endless);
        for (int user = 0; user < 2; user++) {
            const struct http_response *response = fixture_await(fixture, user);
            assert_int_equal(response->failure, HTTP_NO_MEMORY);
            assert_non_null(strstr(response->text, "have reached 4 MiB"));
        }
        assert_int_equal(memory.used_bytes, 0);
    }
    assert_string_not_equal(fixture_get(fixture, 0, "/ok"), "");
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
    fixture_start(fixture, 0, "/stall", post);
    assert_in_range(memory.used_bytes, size / 2, size);
    assert_int_equal(fixture_fetch(fixture, 1, "/stall", post)->failure, HTTP_NO_MEMORY);
    http_exchange_free(&fixture->users[0].exchange);
    assert_int_equal(memory.used_bytes, 0);
    for (int user = 0; user < 2; user++) {
        fixture->users[user].exchange = NULL;
        http_client_free(&fixture->users[user].client);
    }
    memory_free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

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
        TEST(bodies_of_all_clients_have_a_limit),
        TEST(bodies_that_are_sent_count_too),
    };
    fixture_kind = &curl_kind;
    int failed = cmocka_run_group_tests_name("curl", tests, NULL, NULL);
    fixture_kind = &native_kind;
    return failed + cmocka_run_group_tests_name("native", tests, NULL, NULL);
}
