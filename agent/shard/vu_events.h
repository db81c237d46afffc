/* The events of a streamed response: what was read of it and is not used yet, and where the reader is. */
#pragma once
#include "agent/http/message/event_stream.h"
#include "agent/shard/vu_stream.h"

enum vu_events_result {
    VU_EVENTS_EVENT,
    VU_EVENTS_NONE, /* not yet: the stream is to be awaited */
    VU_EVENTS_END,  /* the response is over; it says how */
    VU_EVENTS_TOO_LARGE,
    VU_EVENTS_NO_MEMORY
};

/* Borrowed until the next call. */
struct vu_stream_event {
    struct event_stream_event event;
    uint64_t came_ns;    /* when the last byte of it came */
    uint64_t latency_us; /* since the one before, or since the request began */
    bool is_first;
};

/* Of a stream that is open. */
enum vu_events_result vu_events_next(struct vu_stream *stream, struct vu_stream_event *event);
/* The id of the last event, for a reconnection; empty: none. Borrowed until the next call. */
struct bytes vu_events_last_id(const struct vu_stream *stream);
/* How long to wait before a reconnection. */
uint64_t vu_events_retry_ms(const struct vu_stream *stream);
/* The response to a reconnection has come. */
void vu_events_begin_again(struct vu_stream *stream);
void vu_events_free(struct vu_events **events);
