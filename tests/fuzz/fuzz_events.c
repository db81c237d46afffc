/* Any bytes as an event stream: in one piece and in many they are the same events, within bounds. */
#include "fuzz.h"

#include "agent/http/message/event_stream.h"

#include <string.h>

#define SHOWN_MAX_BYTES (1u << 20)

static void show_events(struct event_stream *stream, struct bytes input, struct buffer *shown)
{
    enum event_stream_result result;

    while ((result = event_stream_read(stream, &input)) == EVENT_STREAM_EVENT) {
        struct event_stream_event event = event_stream_event(stream);
        FUZZ_CHECK(event.id.size == 0 || memchr(event.id.data, 0, event.id.size) == NULL);
        (void)buffer_append(shown, event.type.data, event.type.size);
        (void)buffer_append(shown, "|", 1);
        (void)buffer_append(shown, event.data.data, event.data.size);
        (void)buffer_append(shown, "|", 1);
        (void)buffer_append(shown, event.id.data, event.id.size);
    }
    FUZZ_CHECK(result == EVENT_STREAM_TOO_LARGE || input.size == 0);
}

static void read_in_pieces(struct bytes input, size_t piece, struct event_stream *stream,
                           struct buffer *shown)
{
    event_stream_init(stream);
    buffer_init(shown, SHOWN_MAX_BYTES);
    while (input.size > 0) {
        size_t size = input.size < piece ? input.size : piece;
        show_events(stream, bytes_of(input.data, size), shown);
        input = bytes_of(input.data + size, input.size - size);
    }
    FUZZ_CHECK(event_stream_held(stream) <= 10 * EVENT_STREAM_MAX_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    size_t pieces[] = {1, 2 + fuzz_number(&input, 1)};
    struct event_stream whole;
    struct buffer events;

    read_in_pieces(input, SIZE_MAX, &whole, &events);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct event_stream cut;
        struct buffer again;
        read_in_pieces(input, pieces[i], &cut, &again);
        FUZZ_CHECK(bytes_equal(buffer_bytes(&events), buffer_bytes(&again)));
        FUZZ_CHECK(cut.has_retry == whole.has_retry && cut.retry_ms == whole.retry_ms);
        event_stream_finish(&cut);
        buffer_finish(&again);
    }
    event_stream_finish(&whole);
    buffer_finish(&events);
    return 0;
}
