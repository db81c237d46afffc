/* Lines are read where they are in the input; only one that came in pieces is put together. */
#include "agent/http/message/event_stream.h"

#include <string.h>

static const uint8_t BYTE_ORDER_MARK[] = {0xEF, 0xBB, 0xBF};

void event_stream_init(struct event_stream *stream)
{
    *stream = (struct event_stream){0};
    buffer_init(&stream->line, EVENT_STREAM_MAX_BYTES);
    buffer_init(&stream->type, EVENT_STREAM_MAX_BYTES);
    buffer_init(&stream->data, EVENT_STREAM_MAX_BYTES);
    buffer_init(&stream->id, EVENT_STREAM_MAX_BYTES);
    buffer_init(&stream->last_id, EVENT_STREAM_MAX_BYTES);
}

void event_stream_finish(struct event_stream *stream)
{
    buffer_finish(&stream->line);
    buffer_finish(&stream->type);
    buffer_finish(&stream->data);
    buffer_finish(&stream->id);
    buffer_finish(&stream->last_id);
}

static void event_stream_set(struct event_stream *stream, struct buffer *field, struct bytes value)
{
    buffer_clear(field);
    stream->is_too_large |= !buffer_append(field, value.data, value.size);
}

static void drop_event(struct event_stream *stream)
{
    buffer_clear(&stream->type);
    buffer_clear(&stream->data);
    stream->has_dispatched = false;
}

void event_stream_begin_again(struct event_stream *stream)
{
    drop_event(stream);
    buffer_clear(&stream->line);
    event_stream_set(stream, &stream->id, buffer_bytes(&stream->last_id));
    stream->has_begun = stream->is_after_cr = false;
}

static void take_retry(struct event_stream *stream, struct bytes value)
{
    uint64_t retry_ms = 0;

    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return;
        }
        retry_ms = retry_ms * 10 + (uint64_t)(value.data[i] - '0');
        if (retry_ms > EVENT_STREAM_MAX_RETRY_MS) {
            retry_ms = EVENT_STREAM_MAX_RETRY_MS;
        }
    }
    if (value.size > 0) {
        stream->retry_ms = retry_ms;
        stream->has_retry = true;
    }
}

static void take_field(struct event_stream *stream, struct bytes name, struct bytes value)
{
    if (bytes_equal_string(name, "data")) {
        stream->is_too_large |=
            !buffer_append(&stream->data, value.data, value.size) || !buffer_append(&stream->data, "\n", 1);
    } else if (bytes_equal_string(name, "event")) {
        event_stream_set(stream, &stream->type, value);
    } else if (bytes_equal_string(name, "id")) {
        if (value.size == 0 || memchr(value.data, 0, value.size) == NULL) {
            event_stream_set(stream, &stream->id, value);
        }
    } else if (bytes_equal_string(name, "retry")) {
        take_retry(stream, value);
    }
}

/* True if it ends an event. A line that begins with a colon is a comment: a field without a name. */
static bool event_take_line(struct event_stream *stream, struct bytes line)
{
    size_t mark = sizeof BYTE_ORDER_MARK;

    if (!stream->has_begun && line.size >= mark && memcmp(line.data, BYTE_ORDER_MARK, mark) == 0) {
        line = bytes_of(line.data + mark, line.size - mark);
    }
    stream->has_begun = true;
    if (line.size == 0) {
        event_stream_set(stream, &stream->last_id, buffer_bytes(&stream->id));
        if (stream->data.size == 0) {
            drop_event(stream);
            return false;
        }
        stream->has_dispatched = true;
        return true;
    }
    const uint8_t *colon = memchr(line.data, ':', line.size);
    struct bytes name = colon == NULL ? line : bytes_of(line.data, (size_t)(colon - line.data));
    struct bytes value = bytes_of(NULL, 0);
    if (colon != NULL) {
        value = bytes_of(colon + 1, line.size - name.size - 1);
        if (value.size > 0 && value.data[0] == ' ') {
            value = bytes_of(value.data + 1, value.size - 1);
        }
    }
    take_field(stream, name, value);
    return false;
}

static size_t find_line_end(struct bytes input)
{
    const uint8_t *feed = memchr(input.data, '\n', input.size);
    size_t size = feed != NULL ? (size_t)(feed - input.data) : input.size;
    const uint8_t *carriage = size > 0 ? memchr(input.data, '\r', size) : NULL;

    return carriage != NULL ? (size_t)(carriage - input.data) : size;
}

/* False where its end has not come. `is_event`: it ends one. */
static bool event_stream_cut_line(struct event_stream *stream, struct bytes *input, bool *is_event)
{
    if (stream->is_after_cr && input->size > 0) {
        stream->is_after_cr = false;
        if (input->data[0] == '\n') {
            *input = bytes_of(input->data + 1, input->size - 1);
        }
    }
    if (input->size == 0) {
        return false;
    }
    size_t size = find_line_end(*input);
    struct bytes line = bytes_of(input->data, size);
    bool is_whole = size < input->size;
    if (!is_whole || stream->line.size > 0) {
        stream->is_too_large |= !buffer_append(&stream->line, line.data, size);
        line = buffer_bytes(&stream->line);
    }
    if (!is_whole) {
        *input = bytes_of(input->data + size, 0);
        return false;
    }
    stream->is_after_cr = input->data[size] == '\r';
    *input = bytes_of(input->data + size + 1, input->size - size - 1);
    *is_event = event_take_line(stream, line);
    buffer_clear(&stream->line);
    return true;
}

enum event_stream_result event_stream_read(struct event_stream *stream, struct bytes *input)
{
    bool is_event = false;

    if (stream->has_dispatched) {
        drop_event(stream);
    }
    while (!stream->is_too_large && !is_event && event_stream_cut_line(stream, input, &is_event)) {
        ;
    }
    if (stream->is_too_large) {
        return EVENT_STREAM_TOO_LARGE;
    }
    return is_event ? EVENT_STREAM_EVENT : EVENT_STREAM_MORE;
}

struct event_stream_event event_stream_event(const struct event_stream *stream)
{
    struct bytes data = buffer_bytes(&stream->data);

    return (struct event_stream_event){.type = buffer_bytes(&stream->type),
                                       .data = bytes_of(data.data, data.size - 1),
                                       .id = buffer_bytes(&stream->last_id)};
}

size_t event_stream_held(const struct event_stream *stream)
{
    return stream->line.capacity + stream->type.capacity + stream->data.capacity + stream->id.capacity +
           stream->last_id.capacity;
}
