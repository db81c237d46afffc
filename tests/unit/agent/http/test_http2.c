/* HTTP/2 of our own engine, against a server that behaves and one that does not. */
#include "agent/base/lease.h"
#include "agent/http/native/native_kind.h"
#include "common/clock.h"
#include "common/memory.h"
#include "tests/unit/agent/http/http2_server.h"
#include "tests/unit/common/check.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALLS 12
#define CLIENTS 2

struct call {
    struct http_exchange *exchange;
    enum http_failure failure;
    uint32_t status;
    char body[2000];
    size_t body_size;
    char headers[2000];
    char text[400];
    char version[8];
    bool is_reused;
    bool is_retried;
    bool is_done;
};

struct fixture {
    uv_loop_t loop;
    struct http2_server *server;
    struct http_engine *engine;
    struct http_client *clients[CLIENTS];
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
    call->is_reused = response->is_reused;
    call->is_retried = response->is_retried;
    call->body_size = response->body.size;
    bytes_to_text(response->body, call->body, sizeof call->body);
    bytes_to_text(response->headers, call->headers, sizeof call->headers);
    snprintf(call->text, sizeof call->text, "%s", response->text != NULL ? response->text : "");
    snprintf(call->version, sizeof call->version, "%s", response->version != NULL ? response->version : "");
}

static int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);

    uv_loop_init(&fixture->loop);
    fixture->server = http2_server_new(&fixture->loop);
    atomic_init(&fixture->lease_until_ns, UINT64_MAX);
    lease_init(&fixture->lease, &fixture->lease_until_ns);
    fixture->engine = http_engine_new(&native_kind, &fixture->loop, &fixture->lease);
    for (int i = 0; i < CLIENTS; i++) {
        fixture->clients[i] = http_client_new(fixture->engine);
    }
    *state = fixture;
    alarm(30);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < CLIENTS; i++) {
        http_client_free(&fixture->clients[i]);
    }
    http_engine_close(&fixture->engine);
    http2_server_close(&fixture->server);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    memory_free(fixture);
    alarm(0);
    return 0;
}

static void start_of(struct fixture *fixture, int client, int call, const char *path,
                     struct http_request request)
{
    char url[300];

    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", http2_server_port(fixture->server), path);
    request.url = url;
    request.is_http2 = true;
    request.method = request.method != NULL ? request.method : "GET";
    request.timeout_ms = request.timeout_ms ? request.timeout_ms : 10000;
    request.max_body_bytes = request.max_body_bytes ? request.max_body_bytes : 100000;
    fixture->calls[call] = (struct call){0};
    fixture->calls[call].exchange =
        http_start(fixture->clients[client], &request, on_done, &fixture->calls[call]);
}

static void start(struct fixture *fixture, int call, const char *path, struct http_request request)
{
    start_of(fixture, 0, call, path, request);
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

static struct call *fetch(struct fixture *fixture, const char *path, struct http_request request)
{
    start(fixture, 0, path, request);
    struct call *call = await(fixture, 0);
    http_exchange_free(&call->exchange);
    return call;
}

static const char *get(struct fixture *fixture, const char *path)
{
    struct call *call = fetch(fixture, path, (struct http_request){0});

    if (call->failure != HTTP_OK) {
        fail_msg("%s: %s", path, call->text);
    }
    return call->body;
}

static struct http_request with_body(const char *method, const char *body)
{
    return (struct http_request){.method = method, .has_body = true, .body = bytes_of_string(body)};
}

static void speaks_on_one_connection(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 3; i++) {
        assert_string_equal(get(fixture, "/ok"), "1");
        assert_string_equal(fixture->calls[0].version, "2");
        assert_int_equal(fixture->calls[0].is_reused, i > 0);
        assert_string_equal(fixture->calls[0].headers, "server: rude\r\nx-twice: a\r\n");
    }
    start_of(fixture, 1, 1, "/ok", (struct http_request){0});
    assert_string_equal(await(fixture, 1)->body, "2");
}

static void writes_fields_as_it_should(void **state)
{
    struct fixture *fixture = *state;
    struct http_header headers[] = {
        {"X-Mine", "Kept"}, {"Connection", "close"}, {"Keep-Alive", "1"},         {"Proxy-Connection", "x"},
        {"Upgrade", "h2c"}, {"TE", "gzip"},          {"Host", "virtual.example"}, {"Cookie", "a=1; b=2;c=3"}};
    struct http_request request = with_body("POST", "the body");

    get(fixture, "/cookie");
    request.headers = headers;
    request.header_count = sizeof headers / sizeof *headers;
    request.user = "me";
    request.password = "secret";
    struct call *call = fetch(fixture, "/echo", request);
    assert_int_equal(call->failure, HTTP_OK);
    static const char begins[] = ":method: POST\n:scheme: http\n:authority: virtual.example\n:path: /echo\n";
    assert_int_equal(strncmp(call->body, begins, sizeof begins - 1), 0);
    assert_non_null(strstr(call->body, "\nx-mine: Kept\n"));
    assert_non_null(strstr(call->body, "\nauthorization: Basic bWU6c2VjcmV0\n"));
    assert_non_null(strstr(call->body, "\ncookie: who=someone\ncookie: a=1\ncookie: b=2\ncookie: c=3\n"));
    assert_non_null(strstr(call->body, "\ncontent-length: 8\n"));
    assert_non_null(strstr(call->body, "\n\nthe body"));
    static const char *const absent[] = {"\nconnection:", "keep-alive", "proxy-",
                                         "upgrade",       "\nte:",      "\nhost:"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        assert_null(strstr(call->body, absent[i]));
    }
}

static void many_are_under_way_at_once(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < CALLS; i++) {
        start(fixture, i, "/meet/12", (struct http_request){0});
    }
    for (int i = 0; i < CALLS; i++) {
        assert_string_equal(await(fixture, i)->body, "together");
    }
    assert_int_equal(http2_server_connections(fixture->server), 1);
}

static void clients_share_a_connection_if_asked(void **state)
{
    struct fixture *fixture = *state;
    struct http_request shared = {.is_shared = true};

    start_of(fixture, 0, 0, "/meet/2", shared);
    start_of(fixture, 1, 1, "/meet/2", shared);
    await(fixture, 0);
    await(fixture, 1);
    assert_int_equal(http2_server_connections(fixture->server), 1);
    /* One that ends does not end the other's. */
    start_of(fixture, 0, 0, "/stall", shared);
    start_of(fixture, 1, 1, "/stall", shared);
    turn(fixture, 20);
    http_client_free(&fixture->clients[0]);
    turn(fixture, 20);
    assert_false(fixture->calls[1].is_done);
    start_of(fixture, 1, 2, "/ok", shared);
    assert_string_equal(await(fixture, 2)->body, "1");
    assert_int_equal(http2_server_resets(fixture->server), 1);
    assert_int_equal(http2_server_reset_code(fixture->server), NGHTTP2_CANCEL);
}

static void a_big_body_goes_through_the_windows(void **state)
{
    struct fixture *fixture = *state;
    size_t size = 5u * 1024u * 1024u;
    uint8_t *text = memory_new(size, 1);
    struct http_request post = {
        .method = "POST", .has_body = true, .body = bytes_of(text, size), .max_body_bytes = 8u << 20};

    memset(text, 'y', size);
    struct call *call = fetch(fixture, "/echo", post);
    assert_int_equal(call->failure, HTTP_OK);
    assert_true(call->body_size > size);
    call = fetch(fixture, "/big/7000000", (struct http_request){.max_body_bytes = 8u << 20});
    assert_int_equal(call->failure, HTTP_OK);
    assert_int_equal(call->body_size, 7000000);
    assert_int_equal(http2_server_connections(fixture->server), 1);
    memory_free(text);
}

static void a_body_that_is_too_large_ends_its_stream_alone(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, 1, "/meet/2", (struct http_request){0});
    struct call *call = fetch(fixture, "/big/7000000", (struct http_request){.max_body_bytes = 1000});
    assert_int_equal(call->failure, HTTP_TOO_LARGE);
    assert_non_null(strstr(call->text, "max_body"));
    start(fixture, 2, "/meet/2", (struct http_request){0});
    assert_string_equal(await(fixture, 1)->body, "together");
    assert_string_equal(await(fixture, 2)->body, "together");
    assert_int_equal(http2_server_connections(fixture->server), 1);
}

static void a_body_that_is_never_let_through_times_out(void **state)
{
    struct fixture *fixture = *state;
    size_t size = 1u << 20;
    uint8_t *text = memory_new(size, 1);
    struct http_request post = {
        .method = "POST", .has_body = true, .body = bytes_of(text, size), .timeout_ms = 100};

    struct call *call = fetch(fixture, "/sink", post);
    assert_int_equal(call->failure, HTTP_TIMEOUT);
    turn(fixture, 20);
    assert_int_equal(http2_server_resets(fixture->server), 1);
    assert_int_equal(http2_server_reset_code(fixture->server), NGHTTP2_CANCEL);
    assert_string_equal(get(fixture, "/ok"), "1");
    memory_free(text);
}

static void answers_of_all_kinds(void **state)
{
    struct fixture *fixture = *state;
    struct http_header expect[] = {{"Expect", "100-continue"}};
    struct http_request post = with_body("POST", "late");

    assert_string_equal(get(fixture, "/trailers"), "with trailers");
    assert_null(strstr(fixture->calls[0].headers, "x-end"));
    assert_string_equal(get(fixture, "/hints"), "after hints");
    assert_null(strstr(fixture->calls[0].headers, "link"));
    assert_string_equal(get(fixture, "/ping"), "ping");
    struct call *call = fetch(fixture, "/ok", (struct http_request){.method = "HEAD"});
    assert_int_equal(call->failure, HTTP_OK);
    post.headers = expect;
    post.header_count = 1;
    uint64_t began_ns = clock_now_ns();
    assert_int_equal(fetch(fixture, "/continue", post)->status, 200);
    assert_true(clock_now_ns() - began_ns < 900 * NS_PER_MS);
    /* Without a word about it: after a second. */
    assert_int_equal(fetch(fixture, "/ok", post)->status, 200);
    assert_in_range((clock_now_ns() - began_ns) / NS_PER_MS, 1000, 5000);
    /* Refused: once more without the expectation. */
    assert_int_equal(fetch(fixture, "/refuses", post)->status, 200);
    assert_int_equal(http2_server_connections(fixture->server), 1);
    assert_int_equal(http2_server_pongs(fixture->server), 1);
}

static void an_early_answer_ends_the_upload(void **state)
{
    struct fixture *fixture = *state;
    size_t size = 1u << 20;
    uint8_t *text = memory_new(size, 1);
    struct http_request post = {.method = "POST", .has_body = true, .body = bytes_of(text, size)};

    for (int i = 0; i < 3; i++) {
        assert_int_equal(fetch(fixture, "/early", post)->status, 413);
    }
    assert_string_equal(get(fixture, "/ok"), "1");
    assert_int_equal(http2_server_resets(fixture->server), 3);
    memory_free(text);
}

static void follows_redirects(void **state)
{
    struct fixture *fixture = *state;
    struct http_request post = with_body("POST", "again");

    post.is_followed = true;
    struct call *call = fetch(fixture, "/redirect/307", post);
    assert_int_equal(call->status, 200);
    assert_non_null(strstr(call->body, ":method: POST\n"));
    assert_non_null(strstr(call->body, "\n\nagain"));
    call = fetch(fixture, "/redirect/303", post);
    assert_non_null(strstr(call->body, ":method: GET\n"));
    assert_int_equal(http2_server_connections(fixture->server), 1);
}

static void a_reset_says_its_code(void **state)
{
    struct fixture *fixture = *state;

    struct call *call = fetch(fixture, "/reset/2", (struct http_request){0});
    assert_int_equal(call->failure, HTTP_RESET);
    assert_non_null(strstr(call->text, "INTERNAL_ERROR"));
    assert_int_equal(fetch(fixture, "/reset/0", (struct http_request){0})->failure, HTTP_RESET);
    assert_string_equal(get(fixture, "/ok"), "1");
}

static void what_was_refused_is_sent_once_more(void **state)
{
    struct fixture *fixture = *state;

    struct call *call = fetch(fixture, "/refuse/1", with_body("POST", "x"));
    assert_string_equal(call->body, "at last");
    assert_true(call->is_retried);
    call = fetch(fixture, "/refuse/100", (struct http_request){0});
    assert_int_equal(call->failure, HTTP_RESET);
    assert_non_null(strstr(call->text, "REFUSED_STREAM"));
    assert_int_equal(http2_server_requests(fixture->server), 4);
}

static void who_says_goodbye_is_left(void **state)
{
    struct fixture *fixture = *state;

    /* Those before its last stream come to their end, the one behind goes elsewhere, POST or not. */
    start(fixture, 1, "/meet/2", (struct http_request){0});
    turn(fixture, 20);
    start(fixture, 2, "/goaway", with_body("POST", "x"));
    struct call *call = await(fixture, 2);
    assert_int_equal(call->failure, HTTP_OK);
    assert_string_equal(call->body, "2");
    assert_true(call->is_retried);
    assert_false(call->is_reused);
    assert_false(fixture->calls[1].is_done);
    start(fixture, 3, "/meet/2", (struct http_request){0});
    assert_string_equal(await(fixture, 1)->body, "together");
    await(fixture, 3);
    assert_string_equal(get(fixture, "/bye"), "2");
    assert_string_equal(get(fixture, "/ok"), "3");
    call = fetch(fixture, "/calm", (struct http_request){0});
    assert_int_equal(call->failure, HTTP_RESET);
    assert_non_null(strstr(call->text, "ENHANCE_YOUR_CALM: until later"));
}

static void a_connection_that_went_stale_is_replaced(void **state)
{
    struct fixture *fixture = *state;

    get(fixture, "/ok");
    http2_server_hang_up(fixture->server);
    turn(fixture, 10);
    assert_string_equal(get(fixture, "/ok"), "2");
    /* It dies under the request: idempotent ones are sent again, once. */
    struct call *call = fetch(fixture, "/dies", (struct http_request){0});
    assert_string_equal(call->body, "3");
    assert_true(call->is_retried);
    assert_int_equal(fetch(fixture, "/dies", with_body("POST", "x"))->failure, HTTP_RESET);
    assert_int_equal(fetch(fixture, "/closes", (struct http_request){0})->failure, HTTP_RESET);
}

static void says_what_a_server_does_wrong(void **state)
{
    static const struct {
        const char *path;
        enum http_failure failure;
        const char *text;
    } rows[] = {
        {"/fields/70", HTTP_PROTOCOL, "head of the answer is too large"},
        {"/head/200000", HTTP_PROTOCOL, "breaks the rules of HTTP/2: COMPRESSION_ERROR"},
        {"/informs", HTTP_PROTOCOL, "no end to responses"},
        {"/short", HTTP_PROTOCOL, "breaks the rules of HTTP/2"},
        {"/raw", HTTP_PROTOCOL, "breaks the rules of HTTP/2"},
        {"/text", HTTP_PROTOCOL, "HTTP/2"},
        {"/half", HTTP_RESET, "closed the connection"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct call *call = fetch(fixture, rows[i].path, (struct http_request){0});
        if (call->failure != rows[i].failure || strstr(call->text, rows[i].text) == NULL) {
            fail_msg("%s gave %s: %s", rows[i].path, http_failure_name(call->failure), call->text);
        }
        get(fixture, "/ok");
    }
}

static void cancels_one_and_all(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 4; i++) {
        start(fixture, i, "/stall", (struct http_request){0});
    }
    turn(fixture, 20);
    http_exchange_free(&fixture->calls[1].exchange);
    turn(fixture, 20);
    assert_int_equal(http2_server_resets(fixture->server), 1);
    http_client_cancel(fixture->clients[0]);
    turn(fixture, 20);
    assert_int_equal(http2_server_resets(fixture->server), 4);
    for (int i = 0; i < 4; i++) {
        assert_false(fixture->calls[i].is_done);
    }
    assert_string_equal(get(fixture, "/ok"), "1");
    /* Before it is open. */
    http_client_free(&fixture->clients[1]);
    fixture->clients[1] = http_client_new(fixture->engine);
    start_of(fixture, 1, 1, "/ok", (struct http_request){0});
    http_exchange_free(&fixture->calls[1].exchange);
    start_of(fixture, 1, 1, "/ok", (struct http_request){0});
    assert_int_equal(await(fixture, 1)->status, 200);
}

static void nothing_leaves_without_a_lease(void **state)
{
    struct fixture *fixture = *state;

    get(fixture, "/ok");
    atomic_store(&fixture->lease_until_ns, 1);
    start(fixture, 1, "/ok", (struct http_request){0});
    start(fixture, 2, "/ok", (struct http_request){0});
    turn(fixture, 30);
    assert_int_equal(http2_server_requests(fixture->server), 1);
    atomic_store(&fixture->lease_until_ns, UINT64_MAX);
    assert_string_equal(await(fixture, 1)->body, "1");
    assert_string_equal(await(fixture, 2)->body, "1");
    /* Frozen for long: all are lost, and nothing of them is sent later. */
    turn(fixture, 2);
    atomic_store(&fixture->lease_until_ns, 1);
    start(fixture, 1, "/ok", (struct http_request){0});
    start(fixture, 2, "/ok", (struct http_request){0});
    usleep(LEASE_FROZEN_NS / 1000 + 10000);
    assert_int_equal(await(fixture, 1)->failure, HTTP_LOST);
    assert_int_equal(await(fixture, 2)->failure, HTTP_LOST);
    turn(fixture, 10);
    assert_int_equal(http2_server_requests(fixture->server), 3);
    atomic_store(&fixture->lease_until_ns, UINT64_MAX);
    assert_string_equal(get(fixture, "/ok"), "2");
    /* One that is cancelled takes its connection along. */
    atomic_store(&fixture->lease_until_ns, 1);
    start(fixture, 1, "/ok", (struct http_request){0});
    start(fixture, 2, "/ok", (struct http_request){0});
    http_exchange_free(&fixture->calls[1].exchange);
    assert_int_equal(await(fixture, 2)->failure, HTTP_LOST);
    atomic_store(&fixture->lease_until_ns, UINT64_MAX);
    turn(fixture, 20);
    assert_int_equal(http2_server_requests(fixture->server), 4);
}

static void more_than_the_server_allows_wait(void **state)
{
    struct fixture *fixture = *state;
    struct http_exchange *stalled[150];
    struct call call = {0};
    char url[100];
    struct http_request request = {
        .method = "GET", .url = url, .is_http2 = true, .timeout_ms = 10000, .max_body_bytes = 1000};

    snprintf(url, sizeof url, "http://127.0.0.1:%d/stall", http2_server_port(fixture->server));
    for (int i = 0; i < 150; i++) {
        stalled[i] = http_start(fixture->clients[0], &request, on_done, &call);
    }
    turn(fixture, 100);
    assert_int_equal(http2_server_requests(fixture->server), 100);
    /* Those that have not left do not any more. */
    for (int i = 149; i >= 90; i--) {
        http_exchange_free(&stalled[i]);
    }
    turn(fixture, 50);
    assert_int_equal(http2_server_requests(fixture->server), 100);
    assert_string_equal(get(fixture, "/ok"), "1");
    assert_false(call.is_done);
}

/* Whatever a server sends: each request comes to its end, and the next one to another server's is served. */
static void survives_noise(void **state)
{
    struct fixture *fixture = *state;
    unsigned ended[HTTP_OTHER + 1] = {0};

    alarm(100);
    for (int seed = 1; seed <= 600; seed++) {
        char path[40];
        snprintf(path, sizeof path, "/noise/%d", seed);
        for (int i = 0; i < 3; i++) {
            start(fixture, i, i == 1 ? path : "/ok", (struct http_request){.timeout_ms = 30});
        }
        for (int i = 0; i < 3; i++) {
            ended[await(fixture, i)->failure]++;
            http_exchange_free(&fixture->calls[i].exchange);
        }
        http2_server_hang_up(fixture->server);
        turn(fixture, 1);
    }
    assert_true(ended[HTTP_PROTOCOL] > 100);
    assert_true(ended[HTTP_OK] > 100);
    assert_int_equal(ended[HTTP_OK] + ended[HTTP_PROTOCOL] + ended[HTTP_RESET] + ended[HTTP_TIMEOUT] +
                         ended[HTTP_TOO_LARGE],
                     1800);
    get(fixture, "/ok");
}

/* A connection for this request alone. */
static void a_fresh_connection_is_not_kept(void **state)
{
    struct fixture *fixture = *state;

    get(fixture, "/ok");
    for (int i = 0; i < 3; i++) {
        struct call *call = fetch(fixture, "/ok", (struct http_request){.is_fresh = true});
        assert_int_equal(call->failure, HTTP_OK);
        assert_int_equal(atoi(call->body), 2 + i);
        assert_false(call->is_reused);
    }
    assert_string_equal(get(fixture, "/ok"), "1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(speaks_on_one_connection),
        TEST(writes_fields_as_it_should),
        TEST(many_are_under_way_at_once),
        TEST(clients_share_a_connection_if_asked),
        TEST(a_big_body_goes_through_the_windows),
        TEST(a_body_that_is_too_large_ends_its_stream_alone),
        TEST(a_body_that_is_never_let_through_times_out),
        TEST(answers_of_all_kinds),
        TEST(an_early_answer_ends_the_upload),
        TEST(follows_redirects),
        TEST(a_reset_says_its_code),
        TEST(what_was_refused_is_sent_once_more),
        TEST(who_says_goodbye_is_left),
        TEST(a_connection_that_went_stale_is_replaced),
        TEST(says_what_a_server_does_wrong),
        TEST(cancels_one_and_all),
        TEST(nothing_leaves_without_a_lease),
        TEST(more_than_the_server_allows_wait),
        TEST(survives_noise),
        TEST(a_fresh_connection_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
