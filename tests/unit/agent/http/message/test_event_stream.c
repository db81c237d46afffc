/* Event streams as the HTML standard reads them: in one piece, and cut at every byte. */
#include "agent/http/message/event_stream.h"

#include "common/memory.h"
#include "tests/unit/common/check.h"

#define SHOWN_MAX_BYTES 4096u

/* "[type|data|id]" for each event, and "<retry>" at the end where there is one. */
static void show(struct event_stream *stream, struct bytes input, struct buffer *shown)
{
    enum event_stream_result result;

    while ((result = event_stream_read(stream, &input)) == EVENT_STREAM_EVENT) {
        struct event_stream_event event = event_stream_event(stream);
        assert_true(buffer_append_format(shown, "[%.*s|%.*s|%.*s]", BYTES_FORMAT(event.type),
                                         BYTES_FORMAT(event.data), BYTES_FORMAT(event.id)));
    }
    if (result == EVENT_STREAM_TOO_LARGE) {
        assert_true(buffer_append_string(shown, "too large"));
    } else {
        assert_int_equal(input.size, 0);
    }
}

static void expect_in_pieces(struct bytes text, size_t piece, const char *wanted)
{
    struct event_stream stream SCOPED(event_stream_finish);
    struct buffer shown SCOPED(buffer_finish);

    event_stream_init(&stream);
    buffer_init(&shown, SHOWN_MAX_BYTES);
    while (text.size > 0) {
        size_t size = text.size < piece ? text.size : piece;
        show(&stream, bytes_of(text.data, size), &shown);
        text = bytes_of(text.data + size, text.size - size);
    }
    if (stream.has_retry) {
        assert_true(buffer_append_format(&shown, "<%u>", (unsigned)stream.retry_ms));
    }
    assert_string_equal(buffer_string(&shown), wanted);
}

static void expect_bytes(struct bytes text, const char *wanted)
{
    for (size_t piece = 1; piece <= text.size; piece++) {
        expect_in_pieces(text, piece, wanted);
    }
}

static void expect_events(const char *text, const char *wanted)
{
    expect_bytes(TEXT(text), wanted);
}

static void test_the_examples_of_the_standard(void **state)
{
    (void)state;
    expect_events("data: YHOO\ndata: +2\ndata: 10\n\n", "[|YHOO\n+2\n10|]");
    expect_events(
        ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        "[|first event|1][|second event|][| third event|]");
    expect_events("data\n\ndata\ndata\n\ndata:", "[||][|\n|]");
    expect_events("data:test\n\ndata: test\n\n", "[|test|][|test|]");
}

static void test_lines_end_by_each_of_three_ends(void **state)
{
    (void)state;
    expect_events("data: a\r\rdata: b\n\ndata: c\r\n\r\ndata: d\r\n\n", "[|a|][|b|][|c|][|d|]");
    expect_events("data: a\r\ndata: b\r\n\r\n", "[|a\nb|]");
}

static void test_an_event_is_there_with_the_carriage_return_that_ends_it(void **state)
{
    (void)state;
    expect_in_pieces(TEXT("data: a\r\r"), 99, "[|a|]");
}

static void test_one_byte_order_mark_is_left_out(void **state)
{
    (void)state;
    expect_events("\xef\xbb\xbf"
                  "data: a\n\n",
                  "[|a|]");
    expect_events("\xef\xbb\xbf\xef\xbb\xbf"
                  "data: a\n\ndata: b\n\n",
                  "[|b|]");
    expect_events(":\n\xef\xbb\xbf"
                  "data: a\n\n",
                  "");
}

static void test_comments_and_unknown_fields_are_nothing(void **state)
{
    (void)state;
    expect_events(":\n:data: no\nwhat: no\nwhat\nData: no\n data: no\ndata : no\n\ndata: a\n\n", "[|a|]");
}

static void test_an_event_without_data_is_none_but_its_id_counts(void **state)
{
    (void)state;
    expect_events("event: lost\nid: 7\n\ndata: a\n\n", "[|a|7]");
    expect_events("id: 7\ndata: never ended", "");
}

static void test_the_type_is_of_one_event_and_the_id_stays(void **state)
{
    (void)state;
    expect_events("event: add\nevent: put\nid: x y\ndata: 1\n\ndata: 2\n\nid\ndata: 3\n\n",
                  "[put|1|x y][|2|x y][|3|]");
}

static void test_an_id_with_a_zero_byte_is_left_out(void **state)
{
    static const char text[] = "id: 1\ndata: a\n\nid: 2\0003\ndata: b\n\n";

    (void)state;
    expect_bytes(bytes_of(text, sizeof text - 1), "[|a|1][|b|1]");
}

static void test_retry_is_of_digits_alone(void **state)
{
    (void)state;
    expect_events("retry: 1500\n", "<1500>");
    expect_events("retry: 15\nretry: 1 5\nretry:\nretry: -3\nretry: 0x1\n", "<15>");
    expect_events("retry: 99999999999999999999999999\n", "<86400000>");
}

static void test_what_is_too_long_is_refused_for_good(void **state)
{
    struct event_stream stream SCOPED(event_stream_finish);
    uint8_t *line SCOPED(memory_free_at) = memory_new(EVENT_STREAM_MAX_BYTES, 1);
    struct bytes input = TEXT("data: ");

    (void)state;
    memset(line, 'x', EVENT_STREAM_MAX_BYTES);
    event_stream_init(&stream);
    assert_int_equal(event_stream_read(&stream, &input), EVENT_STREAM_MORE);
    input = bytes_of(line, EVENT_STREAM_MAX_BYTES);
    assert_int_equal(event_stream_read(&stream, &input), EVENT_STREAM_TOO_LARGE);
    assert_true(event_stream_held(&stream) <= 2 * EVENT_STREAM_MAX_BYTES);
    input = TEXT("\n\ndata: a\n\n");
    assert_int_equal(event_stream_read(&stream, &input), EVENT_STREAM_TOO_LARGE);
}

static void test_many_lines_of_data_are_bounded_too(void **state)
{
    struct event_stream stream SCOPED(event_stream_finish);
    enum event_stream_result result = EVENT_STREAM_MORE;

    (void)state;
    event_stream_init(&stream);
    for (size_t i = 0; i <= EVENT_STREAM_MAX_BYTES && result == EVENT_STREAM_MORE; i++) {
        struct bytes input = TEXT("data\n");
        result = event_stream_read(&stream, &input);
    }
    assert_int_equal(result, EVENT_STREAM_TOO_LARGE);
}

static void test_a_reconnection_keeps_the_id_and_drops_what_was_begun(void **state)
{
    struct event_stream stream SCOPED(event_stream_finish);
    struct buffer shown SCOPED(buffer_finish);

    (void)state;
    event_stream_init(&stream);
    buffer_init(&shown, SHOWN_MAX_BYTES);
    show(&stream, TEXT("retry: 5\nid: 1\ndata: a\n\nid: 2\nevent: cut\ndata: b\ndat"), &shown);
    event_stream_begin_again(&stream);
    assert_true(bytes_equal_string(buffer_bytes(&stream.last_id), "1"));
    show(&stream,
         TEXT("\xef\xbb\xbf"
              "data: c\n\n"),
         &shown);
    assert_string_equal(buffer_string(&shown), "[|a|1][|c|1]");
    assert_int_equal(stream.retry_ms, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples_of_the_standard),
        cmocka_unit_test(test_lines_end_by_each_of_three_ends),
        cmocka_unit_test(test_an_event_is_there_with_the_carriage_return_that_ends_it),
        cmocka_unit_test(test_one_byte_order_mark_is_left_out),
        cmocka_unit_test(test_comments_and_unknown_fields_are_nothing),
        cmocka_unit_test(test_an_event_without_data_is_none_but_its_id_counts),
        cmocka_unit_test(test_the_type_is_of_one_event_and_the_id_stays),
        cmocka_unit_test(test_an_id_with_a_zero_byte_is_left_out),
        cmocka_unit_test(test_retry_is_of_digits_alone),
        cmocka_unit_test(test_what_is_too_long_is_refused_for_good),
        cmocka_unit_test(test_many_lines_of_data_are_bounded_too),
        cmocka_unit_test(test_a_reconnection_keeps_the_id_and_drops_what_was_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
