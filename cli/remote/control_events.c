/* Reads server-sent events out of a stream of bytes. */
#include "cli/remote/control_events.h"

#define NAME_MAX_BYTES 256u

void control_events_init(struct control_events *events, size_t maximum_bytes,
                         bool (*on_event)(void *context, struct bytes name, struct bytes data), void *context)
{
    *events = (struct control_events){.on_event = on_event, .context = context};
    buffer_init(&events->line, maximum_bytes);
    buffer_init(&events->data, maximum_bytes);
    buffer_init(&events->name, NAME_MAX_BYTES);
}

void control_events_finish(struct control_events *events)
{
    buffer_finish(&events->line);
    buffer_finish(&events->data);
    buffer_finish(&events->name);
}

/* An empty line ends an event; without data it is ignored. */
static enum control_feed control_events_dispatch(struct control_events *events)
{
    bool is_enough = false;
    if (events->has_data) {
        struct bytes name = events->name.size > 0 ? buffer_bytes(&events->name) : bytes_of_string("message");
        is_enough = !events->on_event(events->context, name, buffer_bytes(&events->data));
    }
    events->has_data = false;
    buffer_clear(&events->name);
    buffer_clear(&events->data);
    return is_enough ? FEED_ENOUGH : FEED_MORE;
}

/* "name: value", the space is optional. Comments and other fields are skipped. */
static enum control_feed end_line(struct control_events *events)
{
    struct bytes line = buffer_bytes(&events->line);
    size_t colon = 0;
    while (colon < line.size && line.data[colon] != ':') {
        colon++;
    }
    size_t start = colon + 1 < line.size && line.data[colon + 1] == ' ' ? colon + 2 : colon + 1;
    struct bytes field = bytes_of(line.data, colon);
    struct bytes value =
        start < line.size ? bytes_of(line.data + start, line.size - start) : bytes_of_string("");
    bool fits = true;
    if (line.size == 0) {
        return control_events_dispatch(events);
    }
    if (bytes_equal_string(field, "event")) {
        buffer_clear(&events->name);
        fits = buffer_append(&events->name, value.data, value.size);
    } else if (bytes_equal_string(field, "data")) {
        fits = (!events->has_data || buffer_append_string(&events->data, "\n")) &&
               buffer_append(&events->data, value.data, value.size);
        events->has_data = true;
    }
    buffer_clear(&events->line);
    return fits ? FEED_MORE : FEED_TOO_LONG;
}

/* The number of bytes before the end of the line, or all. */
static size_t line_part(struct bytes bytes)
{
    size_t size = 0;
    while (size < bytes.size && bytes.data[size] != '\n' && bytes.data[size] != '\r') {
        size++;
    }
    return size;
}

enum control_feed control_events_feed(struct control_events *events, struct bytes bytes)
{
    enum control_feed result = FEED_MORE;
    while (result == FEED_MORE && bytes.size > 0) {
        bool is_second_half = events->is_after_return && bytes.data[0] == '\n';
        size_t size = is_second_half ? 0 : line_part(bytes);
        events->is_after_return = false;
        if (!buffer_append(&events->line, bytes.data, size)) {
            return FEED_TOO_LONG;
        }
        if (size < bytes.size && !is_second_half) {
            events->is_after_return = bytes.data[size] == '\r';
            result = end_line(events);
        }
        size += size < bytes.size;
        bytes = bytes_of(bytes.data + size, bytes.size - size);
    }
    return result;
}
