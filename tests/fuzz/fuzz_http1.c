/* Any bytes as responses of HTTP/1: however they are cut, they read the same. */
#include "fuzz.h"

#include "agent/http/message/fields.h"
#include "agent/http/message/http1_parser.h"

#define BODY_MAX_BYTES (1u << 20)
/* Longer inputs are cut in some places only. */
#define CUT_EVERYWHERE_BYTES 256u

struct reading {
    struct buffer head;
    struct buffer body;
    struct buffer story;
    size_t used; /* of the input, up to the end of the response */
};

static void reading_init(struct reading *reading)
{
    buffer_init(&reading->head, HTTP1_HEAD_MAX_BYTES);
    buffer_init(&reading->body, BODY_MAX_BYTES);
    buffer_init(&reading->story, BODY_MAX_BYTES);
}

static void reading_finish(struct reading *reading)
{
    buffer_finish(&reading->head);
    buffer_finish(&reading->body);
    buffer_finish(&reading->story);
}

static void check_head(struct bytes head)
{
    struct bytes name;
    struct bytes value;
    size_t at = 0;

    FUZZ_CHECK(head.size == 0 || head.data[head.size - 1] == '\n');
    while (fields_next(head, &at, &name, &value)) {
        FUZZ_CHECK(field_is_token(name) && field_is_value(value));
    }
    FUZZ_CHECK(at == head.size);
}

static void tell(struct reading *reading, const struct http1_parser *parser, enum http1_event event)
{
    if (event == HTTP1_HEAD || event == HTTP1_UPGRADE) {
        check_head(buffer_bytes(&reading->head));
        FUZZ_CHECK(parser->status >= 101 && parser->status <= 999);
        buffer_append(&reading->story, reading->head.data, reading->head.size);
    }
    if (event != HTTP1_MORE && event != HTTP1_BODY) {
        buffer_append_format(&reading->story, "%d %d %d;", event, parser->status,
                             http1_keeps_alive(parser) || http1_is_untouched(parser));
    }
}

/* Whether more may come. */
static bool feed(struct reading *reading, struct http1_parser *parser, struct bytes *input)
{
    for (;;) {
        struct bytes piece = {0};
        struct bytes before = *input;
        enum http1_event event = http1_next(parser, input, &reading->head, &piece);
        FUZZ_CHECK(input->size <= before.size && input->data + input->size == before.data + before.size);
        tell(reading, parser, event);
        switch (event) {
        case HTTP1_MORE:
            FUZZ_CHECK(input->size == 0);
            reading->used += before.size;
            return true;
        case HTTP1_BODY:
            FUZZ_CHECK(piece.size > 0 && piece.data >= before.data && piece.data + piece.size <= input->data);
            buffer_append(&reading->body, piece.data, piece.size);
            reading->used += before.size - input->size;
            break;
        case HTTP1_INTERIM:
        case HTTP1_HEAD:
            reading->used += before.size - input->size;
            break;
        case HTTP1_ERROR:
            return false;
        default:
            reading->used += before.size - input->size;
            return false;
        }
    }
}

/* In pieces that end at `cut`, or of `step` bytes each. */
static void read_in_pieces(struct reading *reading, struct bytes wire, enum http1_request_kind kind,
                           size_t cut, size_t step)
{
    struct http1_parser parser;
    bool is_open = true;
    size_t at = 0;

    *reading = (struct reading){.used = 0};
    reading_init(reading);
    http1_begin(&parser, kind);
    while (is_open && at < wire.size) {
        size_t stop = step > 0 ? at + step : at < cut ? cut : wire.size;
        stop = stop < wire.size ? stop : wire.size;
        struct bytes input = bytes_of(wire.data + at, stop - at);
        is_open = feed(reading, &parser, &input);
        at = stop;
    }
    if (parser.error != NULL) {
        reading->used = 0; /* where it breaks depends on the pieces */
    }
    if (is_open) {
        enum http1_event event = http1_finish(&parser);
        FUZZ_CHECK(event == HTTP1_END || event == HTTP1_ERROR);
        tell(reading, &parser, event);
    }
}

static void compare(const struct reading *whole, struct reading *cut)
{
    FUZZ_CHECK(bytes_equal(buffer_bytes(&whole->story), buffer_bytes(&cut->story)));
    FUZZ_CHECK(bytes_equal(buffer_bytes(&whole->body), buffer_bytes(&cut->body)));
    FUZZ_CHECK(whole->used == cut->used);
    reading_finish(cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes wire = bytes_of(data, size);
    enum http1_request_kind kind = (enum http1_request_kind)(fuzz_number(&wire, 1) % 3);
    struct reading whole;
    struct reading cut;

    read_in_pieces(&whole, wire, kind, wire.size, 0);
    size_t stride = wire.size <= CUT_EVERYWHERE_BYTES ? 1 : wire.size / 16;
    for (size_t at = 1; at < wire.size; at += stride) {
        read_in_pieces(&cut, wire, kind, at, 0);
        compare(&whole, &cut);
    }
    for (size_t step = 1; step <= 3; step++) {
        read_in_pieces(&cut, wire, kind, 0, step);
        compare(&whole, &cut);
    }
    reading_finish(&whole);
    return 0;
}
