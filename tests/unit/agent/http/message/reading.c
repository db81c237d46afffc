/* Reads a response in pieces. */
#include "tests/unit/agent/http/message/reading.h"

void reading_init(struct reading *reading)
{
    buffer_init(&reading->head, HTTP1_HEAD_MAX_BYTES);
    buffer_init(&reading->body, 1u << 20);
    buffer_init(&reading->story, 1u << 20);
}

void reading_finish(struct reading *reading)
{
    buffer_finish(&reading->head);
    buffer_finish(&reading->body);
    buffer_finish(&reading->story);
}

/* Whether more may come. */
static bool tell(struct reading *reading, struct http1_parser *parser, enum http1_event event,
                 struct bytes piece)
{
    switch (event) {
    case HTTP1_MORE:
        return true;
    case HTTP1_INTERIM:
        buffer_append_format(&reading->story, "interim %d, ", parser->status);
        return true;
    case HTTP1_HEAD:
        buffer_append_format(&reading->story, "head %d, ", parser->status);
        return true;
    case HTTP1_BODY:
        buffer_append(&reading->body, piece.data, piece.size);
        return true;
    case HTTP1_END:
        buffer_append_format(&reading->story, "end%s", http1_keeps_alive(parser) ? "" : " of all");
        return false;
    case HTTP1_UPGRADE:
        buffer_append_format(&reading->story, "upgrade %d", parser->status);
        return false;
    default:
        buffer_append_format(&reading->story, "error: %s", parser->error);
        return false;
    }
}

/* Feeds what stands before `cut`, then the rest; `cut` SIZE_MAX: byte by byte. */
void reading_read(struct reading *reading, struct bytes wire, enum http1_request_kind kind, size_t cut,
                  bool has_ended)
{
    struct http1_parser parser;
    size_t at = 0;
    bool is_open = true;

    buffer_clear(&reading->body);
    buffer_clear(&reading->story);
    http1_begin(&parser, kind);
    while (is_open && at < wire.size) {
        size_t stop = cut == SIZE_MAX ? at + 1 : at < cut && cut < wire.size ? cut : wire.size;
        struct bytes input = bytes_of(wire.data + at, stop - at);
        enum http1_event event;
        do {
            struct bytes piece = {0};
            event = http1_next(&parser, &input, &reading->head, &piece);
            is_open = tell(reading, &parser, event, piece);
        } while (is_open && event != HTTP1_MORE);
        at = stop - input.size;
        assert_true(!is_open || input.size == 0);
    }
    if (is_open && has_ended) {
        is_open = tell(reading, &parser, http1_finish(&parser), (struct bytes){0});
    }
    buffer_append_format(&reading->story, "%s", is_open ? "more" : "");
    buffer_append_format(&reading->story, ", rest %zu", wire.size - at);
}

void reading_expect(enum http1_request_kind kind, bool has_ended, struct bytes wire, const char *story,
                    const char *body)
{
    struct reading reading;

    reading_init(&reading);
    for (size_t cut = 0; cut <= wire.size; cut++) {
        reading_read(&reading, wire, kind, cut == wire.size ? SIZE_MAX : cut, has_ended);
        assert_string_equal(buffer_string(&reading.story), story);
        if (body != NULL) {
            assert_string_equal(buffer_string(&reading.body), body);
        }
    }
    reading_finish(&reading);
}
