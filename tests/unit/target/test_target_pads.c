/* Tests of the pads of the practice target: versions, conditions, bounds, and concurrency. */
#include "common/memory.h"
#include "target/target_pads.h"
#include "tests/unit/target/target_client.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MEBIBYTE (1024u * 1024u)

static const struct answer *put(struct client *client, const char *path, const char *text)
{
    return client_ask(client, (struct ask){.method = "PUT", .path = path, .body = text});
}

static const struct answer *put_if(struct client *client, const char *path, const char *text,
                                   const char *header)
{
    return client_ask(client, (struct ask){.method = "PUT", .path = path, .body = text, .headers = {header}});
}

static void each_put_makes_a_version(void **state)
{
    struct client *client = *state;
    const struct answer *answer = put(client, "/pad/a", "first");
    assert_int_equal(answer->status, 201);
    assert_string_equal(answer_text(answer), "{\"version\":1}\n");
    assert_true(answer_has_header(answer, "ETag: \"1\""));
    assert_true(answer_has_header(answer, "X-Version: 1"));
    assert_true(answer_has_header(answer, "Content-Type: application/json"));

    answer = put(client, "/pad/a", "second");
    assert_int_equal(answer->status, 200);
    assert_string_equal(answer_text(answer), "{\"version\":2}\n");
    assert_true(answer_has_header(answer, "ETag: \"2\""));
    assert_int_equal(answer->new_connections, 0);

    answer = client_get(client, "/pad/a");
    assert_int_equal(answer->status, 200);
    assert_string_equal(answer_text(answer), "second");
    assert_true(answer_has_header(answer, "ETag: \"2\""));
    assert_true(answer_has_header(answer, "X-Version: 2"));
    assert_true(answer_has_header(answer, "Content-Type: text/plain; charset=utf-8"));
}

static void pads_have_a_head_and_an_end(void **state)
{
    struct client *client = *state;
    assert_int_equal(client_get(client, "/pad/a")->status, 404);
    put(client, "/pad/a", "text");
    const struct answer *answer = client_ask(client, (struct ask){.method = "HEAD", .path = "/pad/a"});
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->body.size, 0);
    assert_true(answer_has_header(answer, "Content-Length: 4"));
    assert_true(answer_has_header(answer, "ETag: \"1\""));
    assert_int_equal(client_ask(client, (struct ask){.method = "DELETE", .path = "/pad/a"})->status, 204);
    assert_int_equal(client_get(client, "/pad/a")->status, 404);
    assert_int_equal(client_ask(client, (struct ask){.method = "DELETE", .path = "/pad/a"})->status, 404);
    assert_int_equal(put(client, "/pad/a", "again")->status, 201);
}

static void an_empty_text_is_a_text(void **state)
{
    struct client *client = *state;
    assert_int_equal(client_ask(client, (struct ask){.method = "PUT", .path = "/pad/a"})->status, 201);
    const struct answer *answer = client_get(client, "/pad/a");
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->body.size, 0);
}

static void a_put_can_depend_on_the_version(void **state)
{
    struct client *client = *state;
    assert_int_equal(put_if(client, "/pad/a", "x", "If-Match: *")->status, 412);
    assert_int_equal(put_if(client, "/pad/a", "x", "If-Match: \"1\"")->status, 412);
    assert_int_equal(put_if(client, "/pad/a", "one", "If-None-Match: *")->status, 201);
    const struct answer *answer = put_if(client, "/pad/a", "x", "If-None-Match: *");
    assert_int_equal(answer->status, 412);
    assert_true(answer_has_header(answer, "X-Version: 1"));
    assert_int_equal(put_if(client, "/pad/a", "two", "If-Match: \"1\"")->status, 200);
    answer = put_if(client, "/pad/a", "x", "If-Match: \"1\"");
    assert_int_equal(answer->status, 412);
    assert_string_equal(answer_text(answer), "{\"version\":2}\n");
    assert_string_equal(answer_text(client_get(client, "/pad/a")), "two");
    assert_int_equal(put_if(client, "/pad/a", "three", "If-Match: \"7\", \"2\"")->status, 200);
    struct ask removal = {.method = "DELETE", .path = "/pad/a", .headers = {"If-Match: \"2\""}};
    assert_int_equal(client_ask(client, removal)->status, 412);
    removal.headers[0] = "If-Match: \"3\"";
    assert_int_equal(client_ask(client, removal)->status, 204);
}

static void a_get_can_ask_for_news_only(void **state)
{
    struct client *client = *state;
    put(client, "/pad/a", "one");
    struct ask ask = {.path = "/pad/a", .headers = {"If-None-Match: \"1\""}};
    const struct answer *answer = client_ask(client, ask);
    assert_int_equal(answer->status, 304);
    assert_int_equal(answer->body.size, 0);
    assert_true(answer_has_header(answer, "ETag: \"1\""));
    put(client, "/pad/a", "two");
    answer = client_ask(client, ask);
    assert_int_equal(answer->status, 200);
    assert_string_equal(answer_text(answer), "two");
    assert_int_equal(answer->new_connections, 0);
}

static void tags_are_read_as_http_has_them(void **state)
{
    (void)state;
    assert_true(pad_tag_is_listed("\"12\"", 12, true));
    assert_true(pad_tag_is_listed("*", 12, true));
    assert_true(pad_tag_is_listed("\"1\",\"12\"", 12, true));
    assert_true(pad_tag_is_listed("\"1\" , W/\"12\"", 12, false));
    assert_false(pad_tag_is_listed("W/\"12\"", 12, true));
    assert_false(pad_tag_is_listed("\"1\"", 12, true));
    assert_false(pad_tag_is_listed("\"123\"", 12, true));
    assert_false(pad_tag_is_listed("12", 12, true));
    assert_false(pad_tag_is_listed("", 12, true));
    assert_false(pad_tag_is_listed("W/", 12, false));
    assert_true(pad_tag_is_listed("\"18446744073709551615\"", UINT64_MAX, true));
}

static void names_may_hold_any_bytes(void **state)
{
    struct client *client = *state;
    const char *paths[] = {"/pad/%FF%01%20", "/pad/a/b", "/pad/a%2Fc",
                           "/pad/a%00b",     "/pad/a",   "/pad/%E2%82%AC"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_int_equal(put(client, paths[i], paths[i])->status, 201);
    }
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_string_equal(answer_text(client_get(client, paths[i])), paths[i]);
    }
    assert_string_equal(answer_text(client_get(client, "/pad/a/c")), "/pad/a%2Fc");
}

static void names_are_bounded(void **state)
{
    struct client *client = *state;
    char path[5 + PAD_MAX_NAME_BYTES + 2] = "/pad/";
    memset(path + 5, 'n', PAD_MAX_NAME_BYTES);
    assert_int_equal(put(client, path, "text")->status, 201);
    path[5 + PAD_MAX_NAME_BYTES] = 'n';
    assert_int_equal(put(client, path, "text")->status, 400);
    assert_int_equal(client_get(client, path)->status, 400);
    assert_int_equal(client_ask(client, (struct ask){.method = "DELETE", .path = path})->status, 400);
    assert_int_equal(client_get(client, "/pad/")->status, 404);
}

static void all_texts_together_are_bounded(void **state)
{
    struct client *client = *state;
    char *text = memory_new(MEBIBYTE + 1, 1);
    char path[32];
    memset(text, 't', MEBIBYTE);
    for (unsigned i = 0; i < PADS_MAX_TOTAL_BYTES / MEBIBYTE; i++) {
        (void)snprintf(path, sizeof path, "/pad/%u", i);
        assert_int_equal(put(client, path, text)->status, 201);
    }
    assert_int_equal(put(client, "/pad/0", text)->status, 200);
    const struct answer *answer = put(client, "/pad/one-more", "x");
    assert_int_equal(answer->status, 507);
    assert_non_null(strstr(answer_text(answer), "268435456 bytes"));
    assert_int_equal(client_get(client, "/pad/one-more")->status, 404);
    assert_int_equal(put(client, "/pad/0", "short")->status, 200);
    assert_int_equal(put(client, "/pad/one-more", "x")->status, 201);
    assert_int_equal(client_ask(client, (struct ask){.method = "DELETE", .path = "/pad/1"})->status, 204);
    assert_int_equal(put(client, "/pad/two-more", text)->status, 201);
    memory_free(text);
}

static enum pad_outcome put_number(struct pads *pads, unsigned number)
{
    struct buffer body;
    uint64_t version = 0;
    buffer_init(&body, PAD_MAX_BYTES);
    buffer_append_format(&body, "text %u", number);
    return pads_put(pads, bytes_of(&number, sizeof number), (struct pad_condition){0}, &body, &version);
}

static void the_number_of_pads_is_bounded(void **state)
{
    (void)state;
    struct pads *pads = pads_new();
    for (unsigned i = 0; i < PADS_MAX_COUNT; i++) {
        assert_int_equal(put_number(pads, i), PAD_CREATED);
    }
    assert_int_equal(put_number(pads, PADS_MAX_COUNT), PAD_TOO_MANY);
    assert_int_equal(put_number(pads, 5), PAD_REPLACED);
    uint64_t version = 0;
    unsigned removed = 7;
    assert_int_equal(
        pads_remove(pads, bytes_of(&removed, sizeof removed), (struct pad_condition){0}, &version),
        PAD_REMOVED);
    assert_int_equal(put_number(pads, PADS_MAX_COUNT), PAD_CREATED);
    pads_free(&pads);
    assert_null(pads);
}

static void a_text_outlives_its_replacement(void **state)
{
    (void)state;
    struct pads *pads = pads_new();
    unsigned number = 1;
    assert_int_equal(put_number(pads, number), PAD_CREATED);
    struct pad_text *text = pads_get(pads, bytes_of(&number, sizeof number));
    assert_int_equal(put_number(pads, number), PAD_REPLACED);
    assert_int_equal(pad_text_version(text), 1);
    assert_non_null(pad_text_response(text));
    pads_free(&pads);
    pad_text_release(&text);
    assert_null(text);
}

#define WRITERS 4
#define TURNS 60

struct writer {
    pthread_t thread;
    struct client client; /* its own handle and answer on the shared target */
    unsigned number;
    unsigned torn;
    unsigned backwards;
};

/* Each text is one letter, as often as the letter and the turn say: a torn one mixes letters. */
static void *write_and_read(void *argument)
{
    struct writer *writer = argument;
    char text[4096];
    uint64_t seen = 0;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        size_t size = 1 + (turn * 61 + writer->number * 997) % (sizeof text - 1);
        memset(text, 'a' + (int)writer->number, size);
        client_ask(&writer->client,
                   (struct ask){.method = "PUT", .path = "/pad/shared", .body = text, .body_size = size});
        const struct answer *answer = client_get(&writer->client, "/pad/shared");
        const char *got = answer_text(answer);
        char letter[2] = {got[0], '\0'};
        writer->torn += answer->status != 200 || strspn(got, letter) != answer->body.size;
        const char *header = strstr(buffer_string(&writer->client.answer.headers), "X-Version: ");
        uint64_t version = header != NULL ? strtoull(header + strlen("X-Version: "), NULL, 10) : 0;
        writer->backwards += version < seen;
        seen = version;
    }
    return NULL;
}

static void many_may_write_at_once(void **state)
{
    struct client *client = *state;
    struct writer writers[WRITERS];
    char version[32];
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.number = i};
        writers[i].client.target = client->target;
        writers[i].client.easy = curl_easy_init();
        buffer_init(&writers[i].client.answer.headers, MEBIBYTE);
        buffer_init(&writers[i].client.answer.body, MEBIBYTE);
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_and_read, &writers[i]), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        curl_easy_cleanup(writers[i].client.easy);
        buffer_finish(&writers[i].client.answer.headers);
        buffer_finish(&writers[i].client.answer.body);
        assert_int_equal(writers[i].torn, 0);
        assert_int_equal(writers[i].backwards, 0);
    }
    (void)snprintf(version, sizeof version, "X-Version: %d", WRITERS * TURNS);
    assert_true(answer_has_header(client_get(client, "/pad/shared"), version));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(each_put_makes_a_version),
        CLIENT_TEST(pads_have_a_head_and_an_end),
        CLIENT_TEST(an_empty_text_is_a_text),
        CLIENT_TEST(a_put_can_depend_on_the_version),
        CLIENT_TEST(a_get_can_ask_for_news_only),
        cmocka_unit_test(tags_are_read_as_http_has_them),
        CLIENT_TEST(names_may_hold_any_bytes),
        CLIENT_TEST(names_are_bounded),
        CLIENT_TEST(all_texts_together_are_bounded),
        cmocka_unit_test(the_number_of_pads_is_bounded),
        cmocka_unit_test(a_text_outlives_its_replacement),
        CLIENT_TEST(many_may_write_at_once),
    };
    return cmocka_run_group_tests(tests, client_group_setup, client_group_teardown);
}
