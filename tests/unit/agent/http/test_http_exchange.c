/* What an engine makes of one request: redirects, second tries, connections that go stale, codings, Expect.
 */
#include "agent/base/memory_account.h"
#include "agent/http/curl/curl_kind.h"
#include "agent/http/native/native_kind.h"
#include "common/clock.h"
#include "common/memory.h"
#include "tests/unit/agent/http/rude_server.h"
#include "tests/unit/common/check.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SERVERS 7

/* The kind that is tested. */
static const struct http_engine_functions *kind;

struct fixture {
    uv_loop_t loop;
    struct rude_server *servers[SERVERS];
    struct http_engine *engine;
    struct http_client *client;
    struct http_exchange *exchange;
    const struct http_response *response;
    char body[70000];
    char url[300];
    bool is_done;
    unsigned streamed; /* how often on_data was called */
};

static void on_done(void *context, struct http_response *response)
{
    struct fixture *fixture = context;

    fixture->response = response;
    fixture->is_done = true;
    bytes_to_text(response->body, fixture->body, sizeof fixture->body);
}

static int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);

    uv_loop_init(&fixture->loop);
    for (int i = 0; i < SERVERS; i++) {
        fixture->servers[i] = rude_server_new(&fixture->loop);
    }
    fixture->engine = http_engine_new(kind, &fixture->loop, NULL);
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
    for (int i = 0; i < SERVERS; i++) {
        rude_server_close(&fixture->servers[i]);
    }
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    memory_free(fixture);
    alarm(0);
    return 0;
}

static void turn(struct fixture *fixture, int turns)
{
    for (int i = 0; i < turns; i++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static void begin(struct fixture *fixture, int server, const char *path, struct http_request request)
{
    snprintf(fixture->url, sizeof fixture->url, "http://127.0.0.1:%d%s",
             rude_server_port(fixture->servers[server]), path);
    request.url = request.url != NULL ? request.url : fixture->url;
    request.method = request.method != NULL ? request.method : "GET";
    request.timeout_ms = request.timeout_ms ? request.timeout_ms : 10000;
    request.max_body_bytes = request.max_body_bytes ? request.max_body_bytes : 100000;
    fixture->is_done = false;
    http_exchange_free(&fixture->exchange);
    fixture->exchange = http_start(fixture->client, &request, on_done, fixture);
}

static const struct http_response *await(struct fixture *fixture)
{
    while (!fixture->is_done) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    return fixture->response;
}

static const struct http_response *fetch(struct fixture *fixture, int server, const char *path,
                                         struct http_request request)
{
    begin(fixture, server, path, request);
    return await(fixture);
}

static const char *get(struct fixture *fixture, int server, const char *path)
{
    const struct http_response *response = fetch(fixture, server, path, (struct http_request){0});

    if (response->failure != HTTP_OK) {
        fail_msg("%s: %s", path, response->text);
    }
    assert_int_equal(response->status, 200);
    return fixture->body;
}

static struct http_request with_body(const char *method, const char *body)
{
    return (struct http_request){
        .method = method, .has_body = true, .body = bytes_of_string(body), .is_followed = true};
}

static void expect_redirect(struct fixture *fixture, int status, const char *from, const char *to)
{
    bool has_body = strcmp(from, "GET") != 0 && strcmp(from, "HEAD") != 0;
    bool keeps_body = has_body && strcmp(from, to) == 0;
    struct http_header headers[] = {{"Content-Type", "text/plain"}, {"X-Mine", "kept"}};
    struct http_request request = with_body(from, "the body");
    char path[40];
    char line[60];

    request.has_body = has_body;
    request.headers = headers;
    request.header_count = 2;
    snprintf(path, sizeof path, "/redirect/%d", status);
    const struct http_response *response = fetch(fixture, 0, path, request);
    const char *last = rude_server_last(fixture->servers[0]);
    snprintf(line, sizeof line, "%s /echo HTTP/1.1\r\n", to);
    if (response->failure != HTTP_OK || strncmp(last, line, strlen(line)) != 0 ||
        (strstr(last, "\r\n\r\nthe body") != NULL) != keeps_body ||
        (strstr(last, "Content-Length: 8") != NULL) != keeps_body ||
        (has_body && (strcasestr(last, "Content-Type") != NULL) != keeps_body) ||
        strstr(last, "X-Mine: kept\r\n") == NULL) {
        fail_msg("%d to %s gave %s: %s", status, from, http_failure_name(response->failure), last);
    }
}

static void redirects_change_the_method_as_browsers_do(void **state)
{
    static const int statuses[] = {301, 302, 303, 307, 308};
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        for (size_t j = 0; j < sizeof methods / sizeof *methods; j++) {
            bool is_safe = j < 2;
            bool is_post = j == 2;
            bool becomes_get = statuses[i] == 303 ? !is_safe : statuses[i] < 303 && is_post;
            expect_redirect(*state, statuses[i], methods[j], becomes_get ? "GET" : methods[j]);
        }
    }
}

static void secrets_stay_with_their_origin(void **state)
{
    struct fixture *fixture = *state;
    struct http_header headers[] = {{"Cookie", "mine=1"}, {"X-Mine", "kept"}, {"Host", "virtual.example"}};
    struct http_request request = {
        .is_followed = true, .user = "me", .password = "secret", .headers = headers, .header_count = 2};
    char path[200];

    get(fixture, 0, "/cookie");
    assert_non_null(strstr(get(fixture, 0, "/echo"), "Cookie: who=someone\r\n"));
    fetch(fixture, 0, "/redirect/307", request);
    assert_non_null(strstr(fixture->body, "Authorization: Basic "));
    assert_non_null(strstr(fixture->body, "Cookie: who=someone; mine=1\r\n"));
    request.header_count = 3;
    fetch(fixture, 0, "/redirect/307", request);
    assert_non_null(strstr(fixture->body, "Host: virtual.example\r\n"));
    /* Another host: nothing goes along. */
    snprintf(path, sizeof path, "/redirect-to?http://localhost:%d/echo",
             rude_server_port(fixture->servers[1]));
    const struct http_response *response = fetch(fixture, 0, path, request);
    assert_int_equal(response->failure, HTTP_OK);
    assert_null(strstr(fixture->body, "Authorization"));
    assert_null(strstr(fixture->body, "Cookie"));
    assert_null(strstr(fixture->body, "virtual.example"));
    assert_non_null(strstr(fixture->body, "Host: localhost:"));
    assert_non_null(strstr(fixture->body, "X-Mine: kept\r\n"));
    assert_non_null(strstr(response->url, "http://localhost:"));
}

static void a_redirect_that_leads_nowhere_is_told(void **state)
{
    struct fixture *fixture = *state;
    const struct http_response *response =
        fetch(fixture, 0, "/redirect-to?ftp://x/", (struct http_request){.is_followed = true});

    assert_int_equal(response->failure, HTTP_REDIRECTS);
    assert_non_null(strstr(response->text, "leads nowhere"));
    get(fixture, 0, "/ok");
}

static void what_is_idempotent_is_tried_once_more(void **state)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        get(fixture, 0, "/ok");
        unsigned before = rude_server_requests(fixture->servers[0]);
        const struct http_response *response =
            fetch(fixture, 0, "/dies", (struct http_request){.method = methods[i]});
        assert_int_equal(response->failure, HTTP_OK);
        assert_int_equal(rude_server_requests(fixture->servers[0]), before + 2);
    }
    /* Once, and no more. */
    unsigned before = rude_server_requests(fixture->servers[0]);
    assert_int_equal(fetch(fixture, 0, "/empty", (struct http_request){0})->failure, HTTP_RESET);
    assert_int_equal(rude_server_requests(fixture->servers[0]), before + 2);
    /* Not on a new connection. */
    assert_int_equal(fetch(fixture, 0, "/empty", (struct http_request){0})->failure, HTTP_RESET);
    assert_int_equal(rude_server_requests(fixture->servers[0]), before + 3);
}

static void what_is_not_idempotent_is_never_repeated(void **state)
{
    static const char *const methods[] = {"POST", "PATCH", "MINE"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        get(fixture, 0, "/ok");
        unsigned before = rude_server_requests(fixture->servers[0]);
        assert_int_equal(fetch(fixture, 0, "/dies", with_body(methods[i], "x"))->failure, HTTP_RESET);
        assert_int_equal(rude_server_requests(fixture->servers[0]), before + 1);
    }
}

/* Both have come, but have not been read when the next request begins. */
static void a_connection_that_has_gone_stale_is_not_used(void **state)
{
    struct fixture *fixture = *state;

    assert_string_equal(get(fixture, 0, "/ok"), "1");
    turn(fixture, 3);
    rude_server_say(fixture->servers[0], "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    usleep(5000);
    uv_update_time(&fixture->loop);
    assert_string_equal(get(fixture, 0, "/ok"), "2");
    turn(fixture, 3);
    rude_server_hang_up(fixture->servers[0]);
    usleep(5000);
    uv_update_time(&fixture->loop);
    assert_int_equal(fetch(fixture, 0, "/ok", with_body("POST", "x"))->failure, HTTP_OK);
    assert_string_equal(fixture->body, "3");
}

static void what_comes_unasked_ends_an_idle_connection(void **state)
{
    struct fixture *fixture = *state;

    assert_string_equal(get(fixture, 0, "/ok"), "1");
    rude_server_say(fixture->servers[0], "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    turn(fixture, 10);
    assert_string_equal(get(fixture, 0, "/ok"), "2");
}

static void the_connection_that_is_used_most_is_kept(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < SERVERS; i++) {
        assert_string_equal(get(fixture, i, "/ok"), "1");
        assert_string_equal(get(fixture, 0, "/ok"), "1");
        turn(fixture, 2); /* curl counts in milliseconds */
    }
    /* The second gave way to the last. */
    assert_string_equal(get(fixture, 1, "/ok"), "2");
}

static void coded_bodies_are_decoded_within_their_limit(void **state)
{
    struct fixture *fixture = *state;

    get(fixture, 0, "/gzip/60000");
    assert_int_equal(strspn(fixture->body, "a"), 60000);
    get(fixture, 0, "/gzip/0");
    assert_string_equal(fixture->body, "");
    assert_int_equal(fetch(fixture, 0, "/gzip/50000000", (struct http_request){0})->failure, HTTP_TOO_LARGE);
    assert_int_equal(fetch(fixture, 0, "/cut-gzip/20", (struct http_request){0})->failure, HTTP_PROTOCOL);
    /* Nothing at all has come of these. */
    assert_int_equal(fetch(fixture, 0, "/cut-gzip/5", (struct http_request){0})->failure, HTTP_PROTOCOL);
    assert_int_equal(fetch(fixture, 0, "/cut-gzip/10", (struct http_request){0})->failure, HTTP_PROTOCOL);
    assert_string_equal(get(fixture, 0, "/cut-gzip/0"), "");
    get(fixture, 0, "/ok");
}

static const struct http_header expectation[] = {{"Expect", "100-continue"}};

static struct http_request expecting(const char *body)
{
    struct http_request request = with_body("PUT", body);

    request.headers = expectation;
    request.header_count = 1;
    return request;
}

static void a_body_waits_for_the_servers_100(void **state)
{
    struct fixture *fixture = *state;
    uint64_t began_ns = clock_now_ns();

    assert_int_equal(fetch(fixture, 0, "/continue", expecting("body"))->status, 200);
    assert_non_null(strstr(rude_server_last(fixture->servers[0]), "\r\n\r\nbody"));
    assert_true(clock_now_ns() - began_ns < NS_PER_S);
    /* 103 is no leave; after a second it goes all the same. */
    began_ns = clock_now_ns();
    assert_int_equal(fetch(fixture, 0, "/hints", expecting("body"))->status, 200);
    assert_true(clock_now_ns() - began_ns >= NS_PER_S);
    assert_non_null(strstr(rude_server_last(fixture->servers[0]), "\r\n\r\nbody"));
}

static void an_expectation_that_is_refused_is_dropped(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(fetch(fixture, 0, "/refuses", expecting("body"))->status, 200);
    assert_int_equal(rude_server_requests(fixture->servers[0]), 2);
    assert_null(strstr(rude_server_last(fixture->servers[0]), "Expect"));
    assert_non_null(strstr(rude_server_last(fixture->servers[0]), "\r\n\r\nbody"));
    if (kind == &curl_kind) {
        return; /* curl has learned it for good */
    }
    /* The next one expects it again. */
    assert_int_equal(fetch(fixture, 0, "/continue", expecting("body"))->status, 200);
    assert_non_null(strstr(rude_server_last(fixture->servers[0]), "Expect"));
}

static void an_answer_before_the_body_has_gone_is_taken(void **state)
{
    static char body[16 * 1024 * 1024];
    struct fixture *fixture = *state;
    struct http_request put = {.method = "PUT", .body = bytes_of(body, sizeof body), .has_body = true};
    const struct http_response *response = fetch(fixture, 0, "/early", put);

    assert_int_equal(response->failure, HTTP_OK);
    assert_int_equal(response->status, 413);
    assert_string_equal(get(fixture, 0, "/ok"), "2");
}

static void a_large_body_needs_no_drop_before_the_next(void **state)
{
    struct fixture *fixture = *state;
    struct memory_account memory = {.limit_bytes = 64 << 20};
    struct http_request request = {.max_body_bytes = 1 << 20};

    http_engine_set_memory(fixture->engine, &memory);
    for (int i = 0; i < 3; i++) {
        const struct http_response *response = fetch(fixture, 0, "/gzip/500000", request);
        assert_int_equal(response->failure, HTTP_OK);
        assert_int_equal(response->body.size, 500000);
        assert_in_range(memory.used_bytes, 1, 3 << 20);
    }
    http_client_free(&fixture->client);
    assert_int_equal(memory.used_bytes, 0);
}

static void a_request_is_cancelled_while_its_name_is_looked_up(void **state)
{
    struct fixture *fixture = *state;
    struct http_request request = {.url = "http://nowhere.invalid/"};

    for (int turns = 0; turns < 4; turns++) {
        begin(fixture, 0, "", request);
        turn(fixture, turns);
        http_exchange_free(&fixture->exchange);
    }
    get(fixture, 0, "/ok");
    begin(fixture, 0, "", request);
    http_client_free(&fixture->client); /* tear_down closes the engine meanwhile */
}

static void names_are_looked_up_and_all_their_addresses_tried(void **state)
{
    struct fixture *fixture = *state;
    char url[100];

    snprintf(url, sizeof url, "http://localhost:%d/ok", rude_server_port(fixture->servers[0]));
    assert_int_equal(fetch(fixture, 0, "", (struct http_request){.url = url})->failure, HTTP_OK);
    const struct http_response *response =
        fetch(fixture, 0, "", (struct http_request){.url = "http://[::1]:1/"});
    assert_int_equal(response->failure, HTTP_REFUSED);
}

static void on_streamed_head(void *context, struct http_response *response)
{
    struct fixture *fixture = context;

    assert_false(fixture->is_done);
    fixture->response = response;
}

static void on_streamed_data(void *context)
{
    struct fixture *fixture = context;

    fixture->streamed++;
}

/* A server that sends without end is held back while nothing is read, whatever the body's maximum. */
static void a_streamed_body_is_bounded_by_what_is_not_read(void **state)
{
    struct fixture *fixture = *state;
    size_t size = 0;

    fixture->response = NULL;
    begin(fixture, 0, "/big",
          (struct http_request){.on_head = on_streamed_head,
                                .on_data = on_streamed_data,
                                .max_body_bytes = 1000000,
                                .timeout_ms = 300});
    turn(fixture, 100);
    assert_non_null(fixture->response);
    assert_int_equal(fixture->response->status, 200);
    while (size < 3000000) {
        struct bytes piece = http_read(fixture->exchange, 1000000);
        assert_false(fixture->is_done);
        assert_in_range(piece.size, 0, 500000);
        size += piece.size;
        turn(fixture, 1);
    }
    assert_true(http_read(fixture->exchange, 10).size <= 10);
    /* Nobody waits: the timeout is for reading. */
    turn(fixture, 400);
    assert_false(fixture->is_done);
    while (http_read(fixture->exchange, 1000000).size > 0) {
    }
    unsigned before = fixture->streamed;
    turn(fixture, 10);
    assert_int_equal(fixture->streamed, before + 1);
    http_exchange_free(&fixture->exchange);
    get(fixture, 0, "/ok");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(redirects_change_the_method_as_browsers_do),
        TEST(secrets_stay_with_their_origin),
        TEST(a_redirect_that_leads_nowhere_is_told),
        TEST(what_is_idempotent_is_tried_once_more),
        TEST(what_is_not_idempotent_is_never_repeated),
        TEST(a_connection_that_has_gone_stale_is_not_used),
        TEST(what_comes_unasked_ends_an_idle_connection),
        TEST(the_connection_that_is_used_most_is_kept),
        TEST(coded_bodies_are_decoded_within_their_limit),
        TEST(a_body_waits_for_the_servers_100),
        TEST(an_expectation_that_is_refused_is_dropped),
        TEST(an_answer_before_the_body_has_gone_is_taken),
        TEST(a_large_body_needs_no_drop_before_the_next),
        TEST(a_request_is_cancelled_while_its_name_is_looked_up),
        TEST(names_are_looked_up_and_all_their_addresses_tried),
    };
    const struct CMUnitTest streams[] = {
        TEST(a_streamed_body_is_bounded_by_what_is_not_read),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* the server's own writes */
    kind = &native_kind;
    int failed = cmocka_run_group_tests_name("native", tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("native streams", streams, NULL, NULL);
    kind = &curl_kind;
    return failed + cmocka_run_group_tests_name("curl", tests, NULL, NULL);
}
