/* A body of the type text/event-stream, event by event, as the HTML standard reads it (section 9.2.6). Bytes
 * that are not UTF-8 are left as they are. Pure. */
#pragma once
#include "common/buffer.h"
#include "common/bytes.h"

#include <stdbool.h>
#include <stdint.h>

/* Of a line, of the data of an event, of its type and of its id. */
#define EVENT_STREAM_MAX_BYTES (1024u * 1024u)
/* A longer retry is read as this. */
#define EVENT_STREAM_MAX_RETRY_MS 86400000u

struct event_stream {
    struct buffer line; /* the beginning of one whose end has not come */
    struct buffer type;
    struct buffer data; /* each line with its line feed */
    struct buffer id;
    struct buffer last_id; /* of the last event that has ended; what a reconnection names */
    uint64_t retry_ms;     /* valid with has_retry */
    bool has_retry;
    bool has_begun;      /* the first line has been read: no byte order mark may follow */
    bool is_after_cr;    /* a line feed now belongs to the end before it */
    bool has_dispatched; /* the event is the caller's until the next call */
    bool is_too_large;
};

enum event_stream_result {
    EVENT_STREAM_MORE,     /* the input is used up */
    EVENT_STREAM_EVENT,    /* one is complete */
    EVENT_STREAM_TOO_LARGE /* for good */
};

/* Borrowed until the next call. */
struct event_stream_event {
    struct bytes type; /* empty: "message" */
    struct bytes data;
    struct bytes id; /* the last one that was given; empty: none */
};

void event_stream_init(struct event_stream *stream);
void event_stream_finish(struct event_stream *stream);
/* For the answer to a reconnection: what was begun is dropped, the last id and the retry stay. */
void event_stream_begin_again(struct event_stream *stream);
/* Takes what it reads off the input, up to the end of an event. */
enum event_stream_result event_stream_read(struct event_stream *stream, struct bytes *input);
/* After EVENT_STREAM_EVENT. */
struct event_stream_event event_stream_event(const struct event_stream *stream);
/* Memory that it holds, in bytes. */
size_t event_stream_held(const struct event_stream *stream);
