/* A head that is known is taken as it would be read, in all but its date, and no other is. */
#include "agent/http/message/known_heads.h"
#include "common/memory.h"
#include "tests/unit/common/check.h"

#include <stdio.h>
#include <string.h>

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define HEAD                                                                                                 \
    "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: " DATE                                                        \
    "\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\nConnection: close\r\n\r\n"

struct fixture {
    struct known_heads heads;
    struct http1_parser parser;
    struct buffer head;
};

static int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);

    buffer_init(&fixture->head, HTTP1_HEAD_MAX_BYTES);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    buffer_finish(&fixture->head);
    memory_free(fixture);
    return 0;
}

static bool take(struct fixture *fixture, const char *text, size_t size, enum http1_request_kind kind)
{
    struct bytes input = bytes_of(text, size);

    http1_begin(&fixture->parser, kind);
    return known_heads_take(&fixture->heads, &fixture->parser, &input, &fixture->head);
}

/* Reads it, and keeps it. */
static void read_head(struct fixture *fixture, const char *text)
{
    struct bytes input = bytes_of_string(text);
    struct bytes piece;

    http1_begin(&fixture->parser, HTTP1_USUAL);
    assert_int_equal(http1_next(&fixture->parser, &input, &fixture->head, &piece), HTTP1_HEAD);
    known_heads_keep(&fixture->heads, &fixture->parser, bytes_of(text, strlen(text) - input.size),
                     buffer_bytes(&fixture->head));
}

static void it_is_taken_as_it_is_read(void **state)
{
    static const char *const heads[] = {
        HEAD,
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.0 404 Not Found\r\nContent-Length: 12\r\nDate: today\r\nConnection: keep-alive\r\n\r\n",
        "HTTP/1.1 302 Found\nLocation: /\nDate: " DATE "\r\nTransfer-Encoding: chunked\r\n\r\n",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        char answer[500];
        read_head(fixture, heads[i]);
        struct http1_parser as_read = fixture->parser;
        char *fields = memory_copy_string(buffer_string(&fixture->head));
        buffer_clear(&fixture->head);
        snprintf(answer, sizeof answer, "%shello", heads[i]);
        struct bytes input = bytes_of_string(answer);
        http1_begin(&fixture->parser, HTTP1_USUAL);
        assert_true(known_heads_take(&fixture->heads, &fixture->parser, &input, &fixture->head));
        assert_int_equal(input.size, 5);
        assert_string_equal(buffer_string(&fixture->head), fields);
        assert_memory_equal(&fixture->parser, &as_read, sizeof as_read);
        memory_free(fields);
    }
}

static void the_date_alone_may_differ(void **state)
{
    struct fixture *fixture = *state;
    char text[] = HEAD;
    size_t date = (size_t)(strstr(text, DATE) - text);

    read_head(fixture, text);
    for (size_t at = 0; at < sizeof text - 1; at++) {
        bool is_in_date = at >= date && at < date + sizeof DATE - 1;
        text[at] ^= 1;
        assert_int_equal(take(fixture, text, sizeof text - 1, HTTP1_USUAL), is_in_date);
        if (is_in_date) {
            assert_non_null(memmem(fixture->head.data, fixture->head.size, text + date, sizeof DATE - 1));
        }
        text[at] ^= 1;
    }
    static const char never[] = {'\r', '\n', '\0'};
    for (size_t i = 0; i < sizeof never; i++) {
        char other[] = HEAD;
        other[date + 3] = never[i];
        assert_false(take(fixture, other, sizeof other - 1, HTTP1_USUAL));
    }
}

static void it_has_to_be_there_whole_and_first(void **state)
{
    static const char text[] = HEAD;
    struct fixture *fixture = *state;

    read_head(fixture, text);
    for (size_t size = 0; size < sizeof text - 1; size++) {
        assert_false(take(fixture, text, size, HTTP1_USUAL));
    }
    assert_false(take(fixture, text, sizeof text - 1, HTTP1_TO_HEAD));
    assert_false(take(fixture, text, sizeof text - 1, HTTP1_TO_CONNECT));
    struct bytes begun = bytes_of("HTTP", 4);
    struct bytes input = bytes_of_string(text);
    struct bytes piece;
    http1_begin(&fixture->parser, HTTP1_USUAL);
    assert_int_equal(http1_next(&fixture->parser, &begun, &fixture->head, &piece), HTTP1_MORE);
    assert_false(known_heads_take(&fixture->heads, &fixture->parser, &input, &fixture->head));
}

/* What comes all the time stays known among many that come once. */
static void others_take_its_place_now_and_then(void **state)
{
    struct fixture *fixture = *state;
    unsigned forgotten = 0;
    char text[100];

    read_head(fixture, HEAD);
    for (unsigned i = 0; i < 320; i++) {
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nETag: %u\r\nContent-Length: 0\r\n\r\n", i);
        read_head(fixture, text);
        if (!take(fixture, HEAD, sizeof HEAD - 1, HTTP1_USUAL)) {
            forgotten++;
            read_head(fixture, HEAD);
        }
    }
    assert_in_range(forgotten, 1, 320 / 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_taken_as_it_is_read),
        TEST(the_date_alone_may_differ),
        TEST(it_has_to_be_there_whole_and_first),
        TEST(others_take_its_place_now_and_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
