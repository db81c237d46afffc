/* Reads server-sent events out of a stream of bytes. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"

#include <stdbool.h>

enum control_feed {
    FEED_MORE,    /* all bytes have been taken */
    FEED_ENOUGH,  /* on_event returned false; the rest was not read */
    FEED_TOO_LONG /* a line, or an event, is longer than the maximum */
};

struct control_events {
    struct buffer line;
    struct buffer name;
    struct buffer data;
    bool has_data;
    bool is_after_return; /* a line feed that comes now belongs to the carriage return before it */
    /* `name` is "message" if the stream has none. False ends it. */
    bool (*on_event)(void *context, struct bytes name, struct bytes data);
    void *context;
};

void control_events_init(struct control_events *events, size_t maximum_bytes,
                         bool (*on_event)(void *context, struct bytes name, struct bytes data),
                         void *context);
void control_events_finish(struct control_events *events);
MUST_CHECK enum control_feed control_events_feed(struct control_events *events, struct bytes bytes);
