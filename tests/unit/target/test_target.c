/* The routes of the practice target: what each of them answers. */
#include "tests/unit/target/target_client.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MEBIBYTE (1024u * 1024u)

static void the_index_names_the_routes(void **state)
{
    struct client *client = *state;
    const char *wanted[] = {"/pad/NAME",
                            "/status/CODE",
                            "/delay/MS",
                            "/bytes/N",
                            "/headers",
                            "/events/N",
                            "/cookies/set",
                            "/redirect/N",
                            "/echo",
                            "/page",
                            "/basic-auth/USER/PASSWORD"};
    const struct answer *answer = client_get(client, "/");
    assert_int_equal(answer->status, 200);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_non_null(strstr(answer_text(answer), wanted[i]));
    }
    answer = client_get(client, "/page");
    assert_int_equal(answer->status, 200);
    assert_true(answer_has_header(answer, "Content-Type: text/html; charset=utf-8"));
    assert_int_equal(answer->new_connections, 0);
    size_t page_size = answer->body.size;
    answer = client_ask(client, (struct ask){.method = "HEAD", .path = "/page"});
    char line[64];
    (void)snprintf(line, sizeof line, "Content-Length: %zu", page_size);
    assert_true(answer_has_header(answer, line));
}

static void what_is_not_there_is_said(void **state)
{
    struct client *client = *state;
    const char *unknown[] = {"/nothing", "/pad",   "/pad/", "/status",
                             "/status/", "/pages", "//",    "/basic-auth/a"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
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

static void events_come_at_known_intervals(void **state)
{
    struct client *client = *state;
    const struct answer *answer = client_get(client, "/events/2?first=300&interval=100&retry=50");

    assert_int_equal(answer->status, 200);
    assert_true(answer_has_header(answer, "Content-Type: text/event-stream"));
    assert_string_equal(answer_text(answer), "retry: 50\nid: 1\ndata: event 1 of 2\n\n"
                                             "id: 2\ndata: event 2 of 2\n\n");
    assert_true(answer->seconds >= 0.399 && answer->seconds < 5);
    answer = client_get(client, "/events/0");
    assert_int_equal(answer->status, 200);
    assert_string_equal(answer_text(answer), "");
    const char *wrong[] = {"/events/x", "/events/100001", "/events/1?interval=60001", "/events/1?cut=-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(client_get(client, wrong[i])->status, 400);
    }
}

static void events_go_on_after_the_last_one_that_was_seen(void **state)
{
    struct client *client = *state;
    const char *path = "/events/5?interval=0&cut=2";

    assert_non_null(strstr(answer_text(client_get(client, path)), "event 2 of 5\n\n"));
    assert_null(strstr(answer_text(client_get(client, path)), "event 3 of 5"));
    const struct answer *answer =
        client_ask(client, (struct ask){.path = path, .headers = {"Last-Event-ID: 4"}});
    assert_string_equal(answer_text(answer), "retry: 100\nid: 5\ndata: event 5 of 5\n\n");
    answer = client_ask(client, (struct ask){.path = path, .headers = {"Last-Event-ID: 5"}});
    assert_int_equal(answer->status, 204);
}

static void any_status_can_be_had(void **state)
{
    struct client *client = *state;
    const char *methods[] = {"GET", "POST", "DELETE", "HEAD", "PURGE"};
    char path[32];
    for (int status = 200; status <= 599; status++) {
        (void)snprintf(path, sizeof path, "/status/%d", status);
        const struct answer *answer =
            client_ask(client, (struct ask){.method = methods[status % 5], .path = path});
        assert_int_equal(answer->status, status);
    }
    const char *refused[] = {"99", "600", "abc", "20x", "-1", "99999999999999999999999", "0x1F4", " 200"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        (void)snprintf(path, sizeof path, "/status/%s", refused[i][0] == ' ' ? "%20200" : refused[i]);
        assert_int_equal(client_get(client, path)->status, 400);
    }
}

static void bytes_come_in_any_number(void **state)
{
    struct client *client = *state;
    const size_t sizes[] = {0, 1, 64, 32768, 32769, 100000, 8u * MEBIBYTE + 7};
    char path[64];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        (void)snprintf(path, sizeof path, "/bytes/%zu", sizes[i]);
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
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
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
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
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
    struct ask ask = {.method = "PATCH", .path = "/echo", .body = body, .body_size = sizeof body};
    const struct answer *answer = client_ask(client, ask);
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->body.size, sizeof body);
    assert_memory_equal(answer->body.data, body, sizeof body);
    assert_true(answer_has_header(answer, "Content-Type: text/x-test"));
    answer = client_ask(client, (struct ask){.method = "POST", .path = "/echo"});
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->body.size, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(the_index_names_the_routes),
        CLIENT_TEST(what_is_not_there_is_said),
        CLIENT_TEST(events_come_at_known_intervals),
        CLIENT_TEST(events_go_on_after_the_last_one_that_was_seen),
        CLIENT_TEST(any_status_can_be_had),
        CLIENT_TEST(bytes_come_in_any_number),
        CLIENT_TEST(headers_come_back),
        CLIENT_TEST(cookies_are_set_and_shown),
        CLIENT_TEST(redirects_lead_home),
        CLIENT_TEST(basic_auth_wants_both),
        CLIENT_TEST(the_echo_gives_back_any_bytes),
        CLIENT_TEST(a_delay_lasts_as_long_as_asked),
    };
    return cmocka_run_group_tests(tests, client_group_setup, client_group_teardown);
}
