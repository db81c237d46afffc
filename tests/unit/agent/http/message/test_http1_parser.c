/* Each response as a whole, in two pieces cut anywhere, and byte by byte: it always reads the same. */
#include "agent/http/message/fields.h"
#include "tests/unit/agent/http/message/reading.h"

#include <stdio.h>

static void expect(const char *wire, const char *story, const char *body)
{
    reading_expect(HTTP1_USUAL, false, bytes_of_string(wire), story, body);
}

static void expect_error(const char *wire, const char *error)
{
    struct reading reading;

    reading_init(&reading);
    for (size_t cut = 0; cut <= strlen(wire); cut++) {
        reading_read(&reading, bytes_of_string(wire), HTTP1_USUAL, cut == strlen(wire) ? SIZE_MAX : cut,
                     false);
        if (strstr(buffer_string(&reading.story), error) == NULL) {
            fail_msg("%s: %s, not %s", wire, buffer_string(&reading.story), error);
        }
    }
    reading_finish(&reading);
}

static void a_length_bounds_the_body(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "head 200, end, rest 0", "hello");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1", "head 200, end, rest 8", "hello");
    expect("HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", "head 200, end, rest 0", "");
    expect("HTTP/1.1 200 OK\r\nContent-Length: \t 5 \t\r\n\r\nhell", "head 200, more, rest 0", "hell");
    expect("HTTP/1.1 404\r\nContent-Length: 2\r\n\r\nno", "head 404, end, rest 0", "no");
    expect("HTTP/1.1 404 \r\nContent-Length: 2\r\n\r\nno", "head 404, end, rest 0", "no");
}

static void a_bare_lf_ends_a_line_of_the_head(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "head 200, end, rest 0", "hello");
}

static void chunks_make_the_body(void **state)
{
    (void)state;
    /* RFC 9112 §7.1 with an extension and a trailer. */
    expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
           "5\r\nhello\r\n6;name=\"va lue\"\r\n world\r\n0\r\nExpires: never\r\n\r\nHTTP",
           "head 200, end, rest 4", "hello world");
    expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", "head 200, end, rest 0", "");
    expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00A\r\n0123456789\r\n000\r\n\r\n",
           "head 200, end, rest 0", "0123456789");
}

static void a_body_without_a_length_goes_to_the_end(void **state)
{
    (void)state;
    reading_expect(HTTP1_USUAL, true, bytes_of_string("HTTP/1.1 200 OK\r\n\r\nall of it"),
                   "head 200, end of all, rest 0", "all of it");
    reading_expect(HTTP1_USUAL, true, bytes_of_string("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"),
                   "head 200, end of all, rest 0", "");
}

static void some_answers_have_no_body(void **state)
{
    (void)state;
    reading_expect(HTTP1_TO_HEAD, false, bytes_of_string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
                   "head 200, end, rest 0", "");
    reading_expect(HTTP1_TO_HEAD, false,
                   bytes_of_string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                   "head 200, end, rest 0", "");
    expect("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "head 204, end, rest 0", "");
    expect("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nHTTP/", "head 304, end, rest 5", "");
}

static void informing_answers_come_before(void **state)
{
    (void)state;
    expect("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 7\r\n\r\n"
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
           "interim 100, interim 103, head 200, end, rest 0", "x");
    struct buffer many;
    buffer_init(&many, 1u << 16);
    for (unsigned i = 0; i <= HTTP1_INTERIM_MAX; i++) {
        buffer_append_string(&many, "HTTP/1.1 102 Processing\r\n\r\n");
    }
    expect_error(buffer_string(&many), "no end");
    buffer_finish(&many);
}

static void other_protocols_take_over(void **state)
{
    (void)state;
    expect("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nframe",
           "upgrade 101, rest 5", "");
    reading_expect(HTTP1_TO_CONNECT, false,
                   bytes_of_string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"),
                   "upgrade 200, rest 5", "");
    reading_expect(HTTP1_TO_CONNECT, false, bytes_of_string("HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno"),
                   "head 407, end, rest 0", "no");
}

static void connections_live_on_as_both_say(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 OK\r\nConnection: upgrade, Close\r\nContent-Length: 0\r\n\r\n",
           "head 200, end of all, rest 0", "");
    expect("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "head 200, end of all, rest 0", "");
    expect("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", "head 200, end, rest 0",
           "");
    expect("HTTP/1.1 200 OK\r\nConnection: closed\r\nContent-Length: 0\r\n\r\n", "head 200, end, rest 0", "");
}

static void what_two_readers_may_take_differently_is_refused(void **state)
{
    static const char *const lines[][2] = {
        {"Content-Length: 5\r\nTransfer-Encoding: chunked", "both"},
        {"Transfer-Encoding: chunked\r\nContent-Length: 5", "both"},
        {"Content-Length: 5\r\nContent-Length: 5", "two of them"},
        {"Content-Length: 5\r\nContent-Length: 6", "two of them"},
        {"Content-Length: 5, 5", "not a number"},
        {"Content-Length: +5", "not a number"},
        {"Content-Length: -5", "not a number"},
        {"Content-Length: 0x5", "not a number"},
        {"Content-Length: ", "not a number"},
        {"Content-Length: 5 5", "not a number"},
        {"Content-Length: 99999999999999999999", "not a number"},
        {"Transfer-Encoding: gzip, chunked", "Transfer-Encoding"},
        {"Transfer-Encoding: identity", "Transfer-Encoding"},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding"},
        {"X: a\r\n folded", "folded"},
        {"X: a\r\n\tfolded", "folded"},
        {"X : a", "white space"},
        {": a", "no name"},
        {"no colon at all", "no name"},
        {"X\x01: a", "no name"},
        {"X: a\rb", "bare CR"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char wire[300];
        snprintf(wire, sizeof wire, "HTTP/1.1 200 OK\r\n%s\r\n\r\n5\r\nhello\r\n0\r\n\r\n", lines[i][0]);
        expect_error(wire, lines[i][1]);
    }
    reading_expect(HTTP1_USUAL, false, bytes_of("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", 27),
                   "error: a header holds a bare CR or a zero byte, rest 2", "");
    expect_error("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0");
}

static void what_is_no_answer_is_refused(void **state)
{
    static const char *const lines[] = {"HTTP/2 200 OK",
                                        "HTTP/1.1  200 OK",
                                        "HTTP/1.1 20 OK",
                                        "HTTP/1.1 2000 OK",
                                        "http/1.1 200 OK",
                                        "SSH-2.0-OpenSSH",
                                        "",
                                        "HTTP/1.1 099 OK",
                                        "HTTP/1.1 2x0 OK",
                                        "HTTP/1.x 200 OK",
                                        " HTTP/1.1 200 OK"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char wire[100];
        snprintf(wire, sizeof wire, "%s\r\n\r\n", lines[i]);
        expect_error(wire, "not an answer");
    }
    /* Another protocol may never end its line. */
    expect_error("SSH-2.0", "not an answer");
    expect_error("\x15\x03\x01", "not an answer");
}

static void chunks_that_make_no_sense_are_refused(void **state)
{
    static const char *const bodies[] = {"x\r\n",
                                         "-1\r\n",
                                         "\r\n",
                                         ";a\r\n",
                                         " 5\r\nhello",
                                         "5 5\r\nhello",
                                         "0x5\r\nhello",
                                         "fffffffffffffffff\r\n",
                                         "1000000000000000\r\n",
                                         "5\nhello",
                                         "5\r\nhelloX",
                                         "5\r\nhello\n0\r\n",
                                         "5\r\nhello\rX\n",
                                         "5;a\rb\r\nhello",
                                         "0\r\nno colon\r\n\r\n",
                                         "0\r\n folded: x\r\n\r\n",
                                         "0\r\nX: y\n\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char wire[300];
        snprintf(wire, sizeof wire, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\n", bodies[i]);
        expect_error(wire, "error: ");
    }
}

static void everything_is_bounded(void **state)
{
    static const char *const starts[] = {"HTTP/1.1 200 OK\r\n",
                                         "HTTP/1.1 200 OK\r\nX: ",
                                         "HTTP/1.1 200 ",
                                         "",
                                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;",
                                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct reading reading;
        struct http1_parser parser;
        size_t sent = 0;
        reading_init(&reading);
        http1_begin(&parser, HTTP1_USUAL);
        struct bytes piece;
        struct bytes input = bytes_of_string(starts[i]);
        enum http1_event event = HTTP1_HEAD;
        while (event == HTTP1_HEAD) {
            event = http1_next(&parser, &input, &reading.head, &piece);
        }
        bool is_of_lines = i == 0 || i == 5;
        while (event == HTTP1_MORE && sent < 1u << 20) {
            input = bytes_of_string(is_of_lines ? "Name: value\r\n" : "aaaaaaaaaaaaaaaa");
            sent += input.size;
            event = http1_next(&parser, &input, &reading.head, &piece);
        }
        assert_int_equal(event, HTTP1_ERROR);
        assert_true(sent <= HTTP1_HEAD_MAX_BYTES + 100);
        reading_finish(&reading);
    }
}

static void an_end_too_early_is_told(void **state)
{
    (void)state;
    reading_expect(HTTP1_USUAL, true, bytes_of_string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"),
                   "head 200, error: the connection ended in the middle of the answer, rest 0", NULL);
    reading_expect(HTTP1_USUAL, true,
                   bytes_of_string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
                   "head 200, error: the connection ended in the middle of the answer, rest 0", NULL);
    reading_expect(HTTP1_USUAL, true, bytes_of_string("H"),
                   "error: the connection ended in the middle of the answer, rest 0", NULL);
    struct http1_parser parser;
    http1_begin(&parser, HTTP1_USUAL);
    assert_true(http1_is_untouched(&parser));
    assert_int_equal(http1_finish(&parser), HTTP1_ERROR);
    assert_non_null(strstr(parser.error, "without an answer"));
}

static void fields_are_found(void **state)
{
    struct bytes head = bytes_of_string("A: 1\r\nSet-Cookie: a=b\r\nset-cookie:c=d \r\nEmpty:\r\n");
    struct bytes name;
    struct bytes value;
    struct buffer all;
    size_t at = 0;

    (void)state;
    buffer_init(&all, 1000);
    while (fields_next(head, &at, &name, &value)) {
        buffer_append_format(&all, "%.*s=%.*s|", BYTES_FORMAT(name), BYTES_FORMAT(value));
    }
    assert_string_equal(buffer_string(&all), "A=1|Set-Cookie=a=b|set-cookie=c=d|Empty=|");
    assert_true(fields_find(head, "SET-COOKIE", &value));
    assert_true(bytes_equal_string(value, "a=b"));
    assert_false(fields_find(head, "Cookie", &value));
    assert_true(field_has_word(bytes_of_string("a , Close,b"), "close"));
    assert_false(field_has_word(bytes_of_string("closed, close2"), "close"));
    buffer_finish(&all);
}

static void the_head_is_what_the_caller_gets(void **state)
{
    struct reading reading;
    struct bytes wire = bytes_of_string("HTTP/1.1 200 OK\r\nA: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                        "3\r\nabc\r\n0\r\nLate: 1\r\n\r\n");

    (void)state;
    reading_init(&reading);
    reading_read(&reading, wire, HTTP1_USUAL, SIZE_MAX, false);
    assert_string_equal(buffer_string(&reading.head), "A: 1\r\nTransfer-Encoding: chunked\r\n");
    reading_finish(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_bounds_the_body),
        cmocka_unit_test(a_bare_lf_ends_a_line_of_the_head),
        cmocka_unit_test(chunks_make_the_body),
        cmocka_unit_test(a_body_without_a_length_goes_to_the_end),
        cmocka_unit_test(some_answers_have_no_body),
        cmocka_unit_test(informing_answers_come_before),
        cmocka_unit_test(other_protocols_take_over),
        cmocka_unit_test(connections_live_on_as_both_say),
        cmocka_unit_test(what_two_readers_may_take_differently_is_refused),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(chunks_that_make_no_sense_are_refused),
        cmocka_unit_test(everything_is_bounded),
        cmocka_unit_test(an_end_too_early_is_told),
        cmocka_unit_test(fields_are_found),
        cmocka_unit_test(the_head_is_what_the_caller_gets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
