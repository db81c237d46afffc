/* The slowest requests that carried the id of a trace. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a name. */
#define SLOW_TRACES 10u
#define TRACE_ID_BYTES 16u

struct slow_trace {
    uint64_t latency_us;
    bool has_worker; /* else a global fixture made it */
    uint32_t worker;
    uint64_t step; /* 0: a fixture */
    uint8_t id[TRACE_ID_BYTES];
};

/* The slowest first. Zeroed it is empty, and without memory: most requests have no trace. */
struct slow_traces {
    size_t size;
    struct slow_trace *items; /* SLOW_TRACES; NULL: none yet */
};

void slow_traces_finish(struct slow_traces *traces);
/* If it is one of the slowest. Makes the items, unless there are some: those may be the caller's. */
void slow_traces_add(struct slow_traces *traces, const struct slow_trace *trace);
void slow_traces_merge(struct slow_traces *traces, const struct slow_traces *from);

#define TRACE_TEXT_BYTES (2 * TRACE_ID_BYTES + 1)
/* In hexadecimal. */
void trace_id_to_text(const uint8_t id[TRACE_ID_BYTES], char text[TRACE_TEXT_BYTES]);
/* False if the text does not begin with 32 hexadecimal digits in lower case, or all are 0. */
bool trace_id_of_text(const char *text, size_t size, uint8_t id[TRACE_ID_BYTES]);
