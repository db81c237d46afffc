/* Responses that a worker reads while they come. They are the script's, in an object of its own, and may
 * outlive a step, but not the worker's connections. */
#pragma once
#include "agent/http/engine.h"

#include <stdbool.h>

struct vu;

/* In the caller's memory; zeroed is closed. */
struct vu_stream {
    struct vu *vu; /* NULL: it is closed */
    struct vu_stream *next;
    struct vu_stream **at;
    struct http_exchange *exchange;
    const struct http_response *response; /* NULL until the head has come, or it has failed */
    bool is_done;
};

/* Starts the request. The worker is woken, where it awaits the stream, when its head has come (if the body of
 * the response `is_read` while it comes), when there is something to read or room to write, and when it is
 * done. */
void vu_stream_open(struct vu *vu, struct vu_stream *stream, const struct http_request *request,
                    bool is_read);
/* The worker waits for it from now on; until it is woken, or waits for something else. */
void vu_stream_await(struct vu_stream *stream);
void vu_stream_close(struct vu_stream *stream);
/* Closes all streams of the worker. */
void vu_streams_drop(struct vu *vu);
