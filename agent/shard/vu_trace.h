/* Trace contexts of requests (W3C Trace Context): the header `traceparent`, by which what servers did for a
 * request is found. */
#pragma once
#include "agent/http/engine.h"
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/random.h"

#include <stdbool.h>

struct vu;
struct meter;
struct request_sample;

#define TRACE_HEADER "traceparent"
/* "00-" 32 digits "-" 16 digits "-01", and the terminating zero. */
#define TRACE_HEADER_BYTES 56u

/* Where a campaign draws its ids from; zeroed before the first. */
struct trace_source {
    bool is_seeded;
    struct random random;
};

/* Whether requests of the campaign may have traces. */
bool vu_may_trace(const struct vu *vu);
/* Draws the trace of the worker's next request, if it is one of the share that has one, and its header. */
MUST_CHECK bool vu_draw_trace(struct vu *vu, struct http_trace *trace, char header[TRACE_HEADER_BYTES]);
/* What a header of the script's own names; is_set stays false if it is malformed. */
void vu_read_trace(struct bytes header, struct http_trace *trace);
/* Counts the request among the slowest of its name, if it had a trace. */
void vu_keep_trace(struct vu *vu, struct bytes name, const struct http_response *response);
