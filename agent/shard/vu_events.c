/* What a piece of the response holds beyond an event is kept: the worker comes back for it in a later turn.
 */
#include "agent/shard/vu_events.h"

#include "agent/base/memory_account.h"
#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"
#include "common/memory.h"

/* So much is read at once. */
#define PIECE_BYTES (16u * 1024u)
/* As browsers have it, until the server says otherwise. */
#define RETRY_MS 3000u
/* What one reader may hold without being counted. */
#define UNCOUNTED_BYTES (16u * 1024u)

struct vu_events {
    struct event_stream parser;
    struct buffer piece; /* what was read last */
    size_t used;         /* of it */
    uint64_t came_ns;    /* the piece */
    uint64_t last_ns;    /* the event before, or the beginning */
    bool has_first;
    struct memory_account *memory;
    size_t counted_bytes;
};

static struct vu_events *vu_events_need(struct vu_stream *stream)
{
    if (stream->events == NULL) {
        stream->events = MEMORY_NEW(struct vu_events);
        event_stream_init(&stream->events->parser);
        buffer_init(&stream->events->piece, PIECE_BYTES);
        stream->events->memory = shard_memory(stream->vu->campaign->shard);
        stream->events->last_ns = stream->began_ns;
    }
    return stream->events;
}

void vu_events_free(struct vu_events **pointer)
{
    struct vu_events *events = *pointer;

    *pointer = NULL;
    if (events == NULL) {
        return;
    }
    memory_account_give_body(events->memory, events->counted_bytes);
    event_stream_finish(&events->parser);
    buffer_finish(&events->piece);
    memory_free(events);
}

/* False if there is no memory for what it holds now. */
static bool vu_events_count(struct vu_events *events)
{
    size_t held = event_stream_held(&events->parser) + events->piece.capacity;
    size_t bytes = held > UNCOUNTED_BYTES ? held - UNCOUNTED_BYTES : 0;

    if (bytes > events->counted_bytes &&
        !memory_account_take_body(events->memory, bytes - events->counted_bytes)) {
        return false;
    }
    if (bytes < events->counted_bytes) {
        memory_account_give_body(events->memory, events->counted_bytes - bytes);
    }
    events->counted_bytes = bytes;
    return true;
}

static bool vu_events_read_piece(struct vu_stream *stream, struct vu_events *events)
{
    struct bytes piece = http_read(stream->exchange, PIECE_BYTES);

    buffer_clear(&events->piece);
    events->used = 0;
    (void)buffer_append(&events->piece, piece.data, piece.size);
    if (piece.size > 0) {
        events->came_ns = http_came_ns(stream->exchange);
    }
    return piece.size > 0;
}

static void vu_events_give(struct vu_events *events, struct vu_stream_event *event)
{
    *event = (struct vu_stream_event){.event = event_stream_event(&events->parser),
                                      .came_ns = events->came_ns,
                                      .latency_us = (events->came_ns - events->last_ns) / 1000,
                                      .is_first = !events->has_first};
    events->has_first = true;
    events->last_ns = events->came_ns;
}

enum vu_events_result vu_events_next(struct vu_stream *stream, struct vu_stream_event *event)
{
    struct vu_events *events = vu_events_need(stream);

    for (;;) {
        struct bytes left = bytes_of(events->piece.data != NULL ? events->piece.data + events->used : NULL,
                                     events->piece.size - events->used);
        enum event_stream_result result = event_stream_read(&events->parser, &left);
        events->used = events->piece.size - left.size;
        if (!vu_events_count(events)) {
            return VU_EVENTS_NO_MEMORY;
        }
        if (result == EVENT_STREAM_TOO_LARGE) {
            return VU_EVENTS_TOO_LARGE;
        }
        if (result == EVENT_STREAM_EVENT) {
            vu_events_give(events, event);
            return VU_EVENTS_EVENT;
        }
        if (!vu_events_read_piece(stream, events)) {
            return stream->end != NULL ? VU_EVENTS_END : VU_EVENTS_NONE;
        }
    }
}

struct bytes vu_events_last_id(const struct vu_stream *stream)
{
    return stream->events != NULL ? buffer_bytes(&stream->events->parser.last_id) : bytes_of(NULL, 0);
}

uint64_t vu_events_retry_ms(const struct vu_stream *stream)
{
    return stream->events != NULL && stream->events->parser.has_retry ? stream->events->parser.retry_ms
                                                                      : RETRY_MS;
}

void vu_events_begin_again(struct vu_stream *stream)
{
    struct vu_events *events = vu_events_need(stream);

    event_stream_begin_again(&events->parser);
    buffer_clear(&events->piece);
    events->used = 0;
    events->has_first = false;
    events->last_ns = stream->began_ns;
}
