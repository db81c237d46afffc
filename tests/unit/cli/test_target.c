/* Tests of the practice target: its routes, its bounds, its start and its end. */
#include "common/clock.h"
#include "common/memory.h"
#include "target_client.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define MEBIBYTE (1024u * 1024u)

static void the_index_names_the_routes(void **state)
{
    struct client *client = *state;
    const char *wanted[] = {
        "/pad/NAME",    "/status/CODE", "/delay/MS", "/bytes/N", "/headers",
        "/cookies/set", "/redirect/N",  "/echo",     "/page",    "/basic-auth/USER/PASSWORD"};
    const struct answer *answer = client_get(client, "/");
    assert_int_equal(answer->status, 200);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        assert_non_null(strstr(answer_text(answer), wanted[i]));
    }
    answer = client_get(client, "/page");
    assert_int_equal(answer->status, 200);
    assert_true(answer_has_header(answer, "Content-Type: text/html; charset=utf-8"));
    assert_int_equal(answer->new_connections, 0);
    size_t page_size = answer->body.size;
    answer = client_ask(client, (struct ask){.method = "HEAD", .path = "/page"});
    char line[64];
    (void)snprintf(line, sizeof(line), "Content-Length: %zu", page_size);
    assert_true(answer_has_header(answer, line));
}

static void what_is_not_there_is_said(void **state)
{
    struct client *client = *state;
    const char *unknown[] = {"/nothing", "/pad",   "/pad/", "/status",
                             "/status/", "/pages", "//",    "/basic-auth/a"};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        const struct answer *answer = client_get(client, unknown[i]);
        assert_int_equal(answer->status, 404);
        assert_non_null(strstr(answer_text(answer), "/ lists the routes"));
    }
    const struct answer *answer =
        client_ask(client, (struct ask){.method = "POST", .path = "/pad/a", .body = "x"});
    assert_int_equal(answer->status, 405);
    assert_true(answer_has_header(answer, "Allow: GET, HEAD, PUT, DELETE"));
    answer = client_ask(client, (struct ask){.method = "PUT", .path = "/page", .body = "x"});
    assert_int_equal(answer->status, 405);
    assert_true(answer_has_header(answer, "Allow: GET, HEAD"));
}

static void any_status_can_be_had(void **state)
{
    struct client *client = *state;
    const char *methods[] = {"GET", "POST", "DELETE", "HEAD", "PURGE"};
    char path[32];
    for (int status = 200; status <= 599; status++) {
        (void)snprintf(path, sizeof(path), "/status/%d", status);
        const struct answer *answer =
            client_ask(client, (struct ask){.method = methods[status % 5], .path = path});
        assert_int_equal(answer->status, status);
    }
    const char *refused[] = {"99", "600", "abc", "20x", "-1", "99999999999999999999999", "0x1F4", " 200"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        (void)snprintf(path, sizeof(path), "/status/%s", refused[i][0] == ' ' ? "%20200" : refused[i]);
        assert_int_equal(client_get(client, path)->status, 400);
    }
}

static int dial(const struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(target_port(client->target))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int stream = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(stream, (struct sockaddr *)&address, sizeof(address)), 0);
    return stream;
}

/* Sends the text as it stands and gives what comes until the target closes. */
static void exchange(const struct client *client, const char *text, struct buffer *answer)
{
    int stream = dial(client);
    char piece[1024];
    ssize_t size;
    assert_int_equal(send(stream, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    buffer_clear(answer);
    while ((size = recv(stream, piece, sizeof(piece), 0)) > 0) {
        assert_true(buffer_append(answer, piece, (size_t)size));
    }
    close(stream);
}

static void half_an_answer_is_followed_by_the_end(void **state)
{
    struct buffer answer;
    buffer_init(&answer, MEBIBYTE);
    exchange(*state, "GET /status/103 HTTP/1.1\r\nHost: x\r\n\r\n", &answer);
    assert_memory_equal(buffer_string(&answer), "HTTP/1.1 103 ", 13);
    buffer_finish(&answer);
}

static void rude_requests_are_turned_away(void **state)
{
    struct client *client = *state;
    struct buffer answer;
    buffer_init(&answer, MEBIBYTE);
    exchange(client, "what is this\r\n\r\n", &answer);
    exchange(client, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: minus one\r\n\r\n", &answer);
    assert_int_equal(client_get(client, "/page")->status, 200);
    buffer_finish(&answer);
}

static void a_client_that_asks_first_is_refused_at_once(void **state)
{
    struct buffer answer;
    buffer_init(&answer, MEBIBYTE);
    exchange(*state,
             "PUT /pad/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\nExpect: 100-continue\r\n\r\n",
             &answer);
    assert_memory_equal(buffer_string(&answer), "HTTP/1.1 413 ", 13);
    exchange(*state, "PUT /pad/a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", &answer);
    assert_memory_equal(buffer_string(&answer), "HTTP/1.1 413 ", 13);
    buffer_finish(&answer);
}

static void bodies_are_bounded(void **state)
{
    struct client *client = *state;
    char *body = memory_new(3 * MEBIBYTE, 1);
    memset(body, 'b', 3 * MEBIBYTE);
    struct ask ask = {.method = "PUT", .path = "/pad/a", .body = body, .body_size = MEBIBYTE};
    assert_int_equal(client_ask(client, ask)->status, 201);
    ask.is_chunked = true;
    assert_int_equal(client_ask(client, ask)->status, 200);
    ask.body_size = 3 * MEBIBYTE;
    assert_int_equal(client_ask(client, ask)->status, 413);
    ask.is_chunked = false;
    ask.body_size = MEBIBYTE + 1;
    assert_int_equal(client_ask(client, ask)->status, 413);
    ask.path = "/status/200";
    assert_int_equal(client_ask(client, ask)->status, 413);
    /* The 413 came at the end of the body, so the connection is still good. */
    const struct answer *answer = client_get(client, "/pad/a");
    assert_int_equal(answer->new_connections, 0);
    assert_int_equal(answer->body.size, MEBIBYTE);
    assert_true(answer_has_header(answer, "X-Version: 2"));
    memory_free(body);
}

static void a_body_that_never_ends_is_cut_off(void **state)
{
    struct client *client = *state;
    int stream = dial(client);
    const char head[] = "PUT /pad/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_int_equal(send(stream, head, sizeof(head) - 1, MSG_NOSIGNAL), sizeof(head) - 1);
    struct buffer chunk;
    buffer_init(&chunk, MEBIBYTE);
    buffer_append_string(&chunk, "10000\r\n");
    char *block = memory_new(0x10000, 1);
    buffer_append(&chunk, block, 0x10000);
    buffer_append_string(&chunk, "\r\n");
    size_t sent_bytes = 0;
    ssize_t size = 0;
    while (sent_bytes < 256 * MEBIBYTE && (size = send(stream, chunk.data, chunk.size, MSG_NOSIGNAL)) > 0) {
        sent_bytes += (size_t)size;
    }
    assert_true(sent_bytes < 256 * MEBIBYTE);
    close(stream);
    buffer_finish(&chunk);
    memory_free(block);
}

static void a_delay_lasts_as_long_as_asked(void **state)
{
    struct client *client = *state;
    const struct answer *answer = client_get(client, "/delay/60");
    assert_int_equal(answer->status, 200);
    assert_string_equal(answer_text(answer), "waited 60 ms\n");
    assert_true(answer->seconds >= 0.060);
    assert_int_equal(client_get(client, "/delay/0")->status, 200);
    answer = client_ask(client, (struct ask){.method = "POST", .path = "/delay/1", .body = "x"});
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->new_connections, 0);
    assert_int_equal(client_get(client, "/delay/60001")->status, 400);
    assert_int_equal(client_get(client, "/delay/soon")->status, 400);
}

static size_t ignore(char *data, size_t size, size_t count, void *nothing)
{
    (void)data;
    (void)nothing;
    return size * count;
}

static CURL *start_one(const struct client *client, CURLM *multi, const char *path)
{
    char address[128];
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_URL, client_address(client, path, address, sizeof(address)));
    assert_int_equal(curl_multi_add_handle(multi, easy), CURLM_OK);
    return easy;
}

static void run_all(CURLM *multi)
{
    int running = 1;
    while (running > 0) {
        assert_int_equal(curl_multi_perform(multi, &running), CURLM_OK);
        assert_int_equal(curl_multi_poll(multi, NULL, 0, 1000, NULL), CURLM_OK);
    }
}

#define MANY 100

static void many_delays_pass_at_the_same_time(void **state)
{
    struct client *client = *state;
    CURLM *multi = curl_multi_init();
    CURL *easy[MANY];
    for (int i = 0; i < MANY; i++) {
        easy[i] = start_one(client, multi, i % 2 == 0 ? "/delay/300" : "/delay/200");
    }
    uint64_t before_ns = clock_now_ns();
    run_all(multi);
    /* One after the other, even in two threads, they would take 12.5 seconds. */
    assert_true(clock_now_ns() - before_ns < 6 * NS_PER_S);
    for (int i = 0; i < MANY; i++) {
        long status = 0;
        double seconds = 0;
        curl_easy_getinfo(easy[i], CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy[i], CURLINFO_TOTAL_TIME, &seconds);
        assert_int_equal(status, 200);
        assert_true(seconds >= (i % 2 == 0 ? 0.300 : 0.200));
        curl_multi_remove_handle(multi, easy[i]);
        curl_easy_cleanup(easy[i]);
    }
    curl_multi_cleanup(multi);
}

static void an_end_does_not_wait_for_delays(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        struct client *client = client_new();
        int streams[8];
        const char request[] = "GET /delay/60000 HTTP/1.1\r\nHost: x\r\n\r\n";
        for (size_t i = 0; i < 8; i++) {
            streams[i] = dial(client);
            assert_int_equal(send(streams[i], request, sizeof(request) - 1, MSG_NOSIGNAL),
                             sizeof(request) - 1);
        }
        client_get(client, "/delay/5"); /* so that most of them have arrived */
        uint64_t before_ns = clock_now_ns();
        client_free(client);
        assert_true(clock_now_ns() - before_ns < 20 * NS_PER_S);
        for (size_t i = 0; i < 8; i++) {
            close(streams[i]);
        }
    }
}

static void bytes_come_in_any_number(void **state)
{
    struct client *client = *state;
    const size_t sizes[] = {0, 1, 64, 32768, 32769, 100000, 8u * MEBIBYTE + 7};
    char path[64];
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        (void)snprintf(path, sizeof(path), "/bytes/%zu", sizes[i]);
        const struct answer *answer = client_get(client, path);
        assert_int_equal(answer->status, 200);
        assert_int_equal(answer->body.size, sizes[i]);
        for (size_t k = 64; k < answer->body.size; k++) {
            if (answer->body.data[k] != answer->body.data[k - 64]) {
                fail_msg("byte %zu of %zu is not what it should be", k, sizes[i]);
            }
        }
    }
    const struct answer *answer =
        client_ask(client, (struct ask){.method = "HEAD", .path = "/bytes/17179869184"});
    assert_int_equal(answer->status, 200);
    assert_true(answer_has_header(answer, "Content-Length: 17179869184"));
    assert_int_equal(client_get(client, "/bytes/17179869185")->status, 400);
}

static json_t *json_of(const struct answer *answer)
{
    json_t *object = json_loadb((const char *)answer->body.data, answer->body.size, 0, NULL);
    assert_non_null(object);
    return object;
}

static void headers_come_back(void **state)
{
    struct client *client = *state;
    const struct answer *answer = client_ask(
        client, (struct ask){.path = "/headers", .headers = {"X-One: a \"b\"", "X-Two: 1", "x-two: 2"}});
    assert_true(answer_has_header(answer, "Content-Type: application/json"));
    json_t *object = json_of(answer);
    assert_string_equal(json_string_value(json_object_get(object, "X-One")), "a \"b\"");
    assert_string_equal(json_string_value(json_object_get(object, "X-Two")), "1");
    assert_string_equal(json_string_value(json_object_get(object, "x-two")), "2");
    json_decref(object);
    answer = client_ask(
        client, (struct ask){.path = "/headers", .headers = {"X-Name: caf\xE9", "X-Two: 1", "X-Two: 2"}});
    object = json_of(answer);
    assert_string_equal(json_string_value(json_object_get(object, "X-Name")), "caf\xC3\xA9");
    assert_string_equal(json_string_value(json_object_get(object, "X-Two")), "1, 2");
    json_decref(object);
}

static void cookies_are_set_and_shown(void **state)
{
    struct client *client = *state;
    struct ask ask = {
        .path = "/cookies/set?session=abc&b=2", .follows_redirects = true, .keeps_cookies = true};
    const struct answer *answer = client_ask(client, ask);
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->redirects, 1);
    assert_true(answer_has_header(answer, "Set-Cookie: session=abc; Path=/"));
    json_t *object = json_of(answer);
    assert_int_equal(json_object_size(object), 2);
    assert_string_equal(json_string_value(json_object_get(object, "session")), "abc");
    assert_string_equal(json_string_value(json_object_get(object, "b")), "2");
    json_decref(object);
    const char *refused[] = {"/cookies/set", "/cookies/set?=x", "/cookies/set?a=b%3Bc",
                             "/cookies/set?a=b%0d%0aX:y", "/cookies/set?a%20b=c"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        answer = client_get(client, refused[i]);
        assert_int_equal(answer->status, 400);
        assert_false(answer_has_header(answer, "X:y"));
    }
}

static void redirects_lead_home(void **state)
{
    struct client *client = *state;
    const struct answer *answer =
        client_ask(client, (struct ask){.path = "/redirect/5", .follows_redirects = true});
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->redirects, 5);
    assert_non_null(strstr(answer_text(answer), "/redirect/N"));
    answer = client_get(client, "/redirect/5");
    assert_int_equal(answer->status, 302);
    assert_true(answer_has_header(answer, "Location: /redirect/4"));
    assert_true(answer_has_header(client_get(client, "/redirect/1"), "Location: /"));
    assert_int_equal(client_get(client, "/redirect/0")->status, 400);
    assert_int_equal(client_get(client, "/redirect/1001")->status, 400);
}

static void basic_auth_wants_both(void **state)
{
    struct client *client = *state;
    struct ask ask = {.path = "/basic-auth/ann/secret"};
    const struct answer *answer = client_ask(client, ask);
    assert_int_equal(answer->status, 401);
    assert_true(answer_has_header(answer, "WWW-Authenticate: Basic realm=\"tutti\""));
    const char *wrong[] = {"ann:wrong", "bob:secret", "an:secret", "annn:secret", "ann:secrets", "ann:"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ask.credentials = wrong[i];
        assert_int_equal(client_ask(client, ask)->status, 401);
    }
    ask.credentials = "ann:secret";
    assert_int_equal(client_ask(client, ask)->status, 200);
    ask = (struct ask){.path = ask.path, .headers = {"Authorization: Basic !!!"}};
    assert_int_equal(client_ask(client, ask)->status, 401);
}

static void the_echo_gives_back_any_bytes(void **state)
{
    struct client *client = *state;
    const char body[] = "a\0b\xFF";
    struct ask ask = {.method = "PATCH", .path = "/echo", .body = body, .body_size = sizeof(body)};
    const struct answer *answer = client_ask(client, ask);
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->body.size, sizeof(body));
    assert_memory_equal(answer->body.data, body, sizeof(body));
    assert_true(answer_has_header(answer, "Content-Type: text/x-test"));
    answer = client_ask(client, (struct ask){.method = "POST", .path = "/echo"});
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->body.size, 0);
}

static void a_port_in_use_is_said(void **state)
{
    struct client *client = *state;
    struct error error;
    char wanted[64];
    assert_null(target_start(NULL, target_port(client->target), &error));
    (void)snprintf(wanted, sizeof(wanted), "port %u is in use", target_port(client->target));
    assert_non_null(strstr(error.text, wanted));
    assert_non_null(strstr(error.text, "something else listens at"));
    assert_int_equal(client_get(client, "/page")->status, 200);
}

static void an_address_of_nobody_is_said(void **state)
{
    (void)state;
    struct error error;
    assert_null(target_start("192.0.2.1", 0, &error));
    assert_non_null(strstr(error.text, "192.0.2.1"));
    assert_null(target_start("not an address", 0, &error));
    assert_non_null(strstr(error.text, "not an address"));
}

static void a_port_is_free_again_after_the_end(void **state)
{
    (void)state;
    struct error error;
    struct target *target = target_start("127.0.0.1", 0, &error);
    uint16_t port = target_port(target);
    target_stop(&target);
    target = target_start("127.0.0.1", port, &error);
    assert_non_null(target);
    assert_int_equal(target_port(target), port);
    target_stop(&target);
    target_stop(&target);
}

#define CLIENT_TEST(test) cmocka_unit_test_setup_teardown(test, client_setup, client_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(the_index_names_the_routes),
        CLIENT_TEST(what_is_not_there_is_said),
        CLIENT_TEST(any_status_can_be_had),
        CLIENT_TEST(half_an_answer_is_followed_by_the_end),
        CLIENT_TEST(rude_requests_are_turned_away),
        CLIENT_TEST(a_client_that_asks_first_is_refused_at_once),
        CLIENT_TEST(bodies_are_bounded),
        CLIENT_TEST(a_body_that_never_ends_is_cut_off),
        CLIENT_TEST(a_delay_lasts_as_long_as_asked),
        CLIENT_TEST(many_delays_pass_at_the_same_time),
        cmocka_unit_test(an_end_does_not_wait_for_delays),
        CLIENT_TEST(bytes_come_in_any_number),
        CLIENT_TEST(headers_come_back),
        CLIENT_TEST(cookies_are_set_and_shown),
        CLIENT_TEST(redirects_lead_home),
        CLIENT_TEST(basic_auth_wants_both),
        CLIENT_TEST(the_echo_gives_back_any_bytes),
        CLIENT_TEST(a_port_in_use_is_said),
        cmocka_unit_test(an_address_of_nobody_is_said),
        cmocka_unit_test(a_port_is_free_again_after_the_end),
    };
    curl_global_init(CURL_GLOBAL_ALL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
