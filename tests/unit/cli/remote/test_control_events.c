/* Server-sent events from bytes in arbitrary pieces. */
#include "cli/remote/control_events.h"
#include "tests/unit/common/check.h"

#include <stdio.h>
#include <string.h>

struct heard {
    struct buffer text;
    int wanted; /* events until it is enough */
};

static bool on_event(void *context, struct bytes name, struct bytes data)
{
    struct heard *heard = context;
    buffer_append_format(&heard->text, "%.*s=%.*s;", BYTES_FORMAT(name), BYTES_FORMAT(data));
    return --heard->wanted != 0;
}

/* The result of `stream` in pieces of `piece` bytes. */
static enum control_feed feed(const char *stream, size_t piece, size_t maximum, struct heard *heard)
{
    struct control_events events;
    enum control_feed result = FEED_MORE;
    size_t size = strlen(stream);
    buffer_init(&heard->text, 4096);
    control_events_init(&events, maximum, on_event, heard);
    for (size_t at = 0; at < size && result == FEED_MORE; at += piece) {
        result = control_events_feed(&events, bytes_of(stream + at, at + piece < size ? piece : size - at));
    }
    control_events_finish(&events);
    return result;
}

/* `text` with each | as the end of a line. */
static void with_ends(const char *text, const char *end, char stream[400])
{
    size_t size = 0;
    for (; *text != '\0'; text++) {
        size += (size_t)snprintf(stream + size, 400 - size, "%s", *text == '|' ? end : (char[]){*text, '\0'});
    }
}

static void events_come_out_whole(void **state)
{
    (void)state;
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char stream[400];
        with_ends("event: progress|data: {\"a\": 1}||: alive||data:two|data:  lines|id: 7|retry: 5||"
                  "event: none||event: ended|data||data: not whole|",
                  ends[i], stream);
        for (size_t piece = 1; piece < 40; piece++) {
            struct heard heard = {.wanted = -1};
            assert_int_equal(feed(stream, piece, 1000, &heard), FEED_MORE);
            assert_string_equal(buffer_string(&heard.text),
                                "progress={\"a\": 1};message=two\n lines;ended=;");
            buffer_finish(&heard.text);
        }
    }
}

static void enough_is_enough(void **state)
{
    (void)state;
    struct heard heard = {.wanted = 2};
    assert_int_equal(feed("data: 1\n\ndata: 2\n\ndata: 3\n\n", 100, 1000, &heard), FEED_ENOUGH);
    assert_string_equal(buffer_string(&heard.text), "message=1;message=2;");
    buffer_finish(&heard.text);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    char line[400];
    struct heard heard = {.wanted = -1};
    (void)snprintf(line, sizeof line, "data: %0200d\n\n", 1);
    assert_int_equal(feed(line, 7, 206, &heard), FEED_MORE);
    buffer_finish(&heard.text);
    assert_int_equal(feed(line, 7, 205, &heard), FEED_TOO_LONG);
    buffer_finish(&heard.text);
    (void)snprintf(line, sizeof line, "data: %0100d\ndata: %0100d\n\n", 1, 1);
    assert_int_equal(feed(line, 7, 150, &heard), FEED_TOO_LONG);
    buffer_finish(&heard.text);
    (void)snprintf(line, sizeof line, "event: %0300d\n\n", 1);
    assert_int_equal(feed(line, 7, 1000, &heard), FEED_TOO_LONG);
    buffer_finish(&heard.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_whole),
        cmocka_unit_test(enough_is_enough),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
