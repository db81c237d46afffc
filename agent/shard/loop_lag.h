/* How late a loop gets to what waits for it, measured from what the loop knows anyway. */
#pragma once
#include "common/attributes.h"
#include "common/histogram.h"
#include "proto/message/message.h"

#include <stdint.h>
#include <uv.h>

/* One sample for each turn of the loop: the longest of how long it did not look at its sockets, how long a
 * worker was queued before its turn, and how late a timer woke it. A sample is weighted by its length, so
 * that a quantile is what an event at a random moment has to expect. */
struct loop_lag {
    uv_loop_t *loop;
    uint64_t began_ns;       /* the report */
    uint64_t began_idle_ns;  /* all that the loop had waited by then */
    uint64_t parted_ns;      /* when it last went to wait */
    uint64_t parted_idle_ns; /* all that it had waited by then */
    uint64_t queued_ns;      /* the longest wait of a queued worker in this turn */
    uint64_t overslept_ns;   /* in this turn */
    uint64_t counted_us;     /* weight of all samples */
    struct histogram *lag_us;
};

/* The loop must not have run yet: it has to measure how long it waits. */
void loop_lag_init(struct loop_lag *lag, uv_loop_t *loop, uint64_t now_ns);
void loop_lag_finish(struct loop_lag *lag);
/* From the loop's prepare: a turn is over. */
void loop_lag_end_turn(struct loop_lag *lag, uint64_t now_ns);
/* A worker that was queued then has its turn. */
void loop_lag_queued(struct loop_lag *lag, uint64_t since_ns, uint64_t now_ns);
/* A timer that was due then has woken the loop. */
void loop_lag_woken(struct loop_lag *lag, uint64_t due_ns, uint64_t now_ns);
/* What was measured since the last time; the histogram is the caller's. */
MUST_CHECK struct histogram *loop_lag_take(struct loop_lag *lag, uint64_t now_ns, struct loop_gauges *gauges);
