/* The inside of thresholds, for the files that they are made of. */
#pragma once
#include "common/text.h"
#include "coordinator/core/thresholds/thresholds.h"

/* What one or several thresholds look at: the same metric and name, and the same time. */
struct measure {
    const struct threshold *about; /* one of those */
    bool has_times;                /* one of them is about times */
    bool is_begun;                 /* `after` is over */
    uint64_t begun_ms;
    uint64_t before_counts[THRESHOLD_COUNTS]; /* what had been counted until then */
    struct histogram *before_us;              /* NULL: nothing */
    struct threshold_window *window;          /* NULL: everything since then counts */
    struct histogram *since_us; /* what is left without what was before; made when it is needed */
};

struct thresholds {
    struct text text;
    struct threshold_result *results;
    size_t count;
    struct measure *measures;
    size_t measure_count;
    uint32_t *measure_of; /* by result */
    uint64_t interval_ms;
};
