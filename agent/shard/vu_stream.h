/* Responses that a worker reads while they come. They are the script's, in an object of its own, and may
 * outlive a step, but not the worker's connections. */
#pragma once
#include "agent/http/engine.h"
#include "agent/shard/alarms.h"

#include <stdbool.h>

struct vu;
struct vu_events;

/* In the caller's memory; zeroed is closed. */
struct vu_stream {
    struct vu *vu; /* NULL: it is closed */
    struct vu_stream *next;
    struct vu_stream **at;
    struct http_exchange *exchange;
    /* As it was when its head had come, or at its end if no head did; NULL until then. A body that breaks off
     * takes nothing from it, even if the end comes before the worker has seen the head. */
    const struct http_response *response;
    struct http_response head;
    const struct http_response *end; /* NULL: it is not done */
    struct vu_events *events;        /* NULL: none was asked for */
    struct alarm alarm;
    uint64_t began_ns;
    bool is_due; /* the wait has ended because its time was over */
};

/* Starts the request. The worker is woken, where it awaits the stream, when its head has come (if the body of
 * the response `is_read` while it comes), when there is something to read or room to write, and when it is
 * done. */
void vu_stream_open(struct vu *vu, struct vu_stream *stream, const struct http_request *request,
                    bool is_read);
/* The worker waits for it from now on; until it is woken, or waits for something else. */
void vu_stream_await(struct vu_stream *stream);
/* The same until this instant; 0: as long as the request may take. */
void vu_stream_await_until(struct vu_stream *stream, uint64_t due_ns);
void vu_stream_close(struct vu_stream *stream);
/* Closes all streams of the worker. */
void vu_streams_drop(struct vu *vu);
