/* The parts of a report that are plain numbers and borrowed texts: agents, bottlenecks, errors, last readers.
 */
#pragma once
#include "common/bytes.h"
#include "coordinator/core/base/campaign_state.h"

#include <stdbool.h>
#include <stdint.h>

struct agent_report {
    struct bytes name;
    struct bytes host;
    uint32_t pid;
    struct bytes labels;
    uint32_t workers; /* that were ever assigned to it, each counted once */
    uint32_t workers_running;
    enum agent_state state;
    bool has_clock;
    int64_t clock_offset_ns; /* the coordinator's clock minus its own */
    uint64_t clock_uncertainty_ns;
    bool is_measured;      /* what follows is known */
    double cpu;            /* used while the workers ran; 1 is one core */
    uint64_t memory_bytes; /* maximum */
    uint64_t lag_p99_us;   /* of its loops: how late they handled events */
    uint64_t lag_maximum_us;
};

/* An agent that was too busy for its latencies to be trusted. */
struct bottleneck_report {
    struct bytes agent;
    uint64_t strained_us; /* total time of overload */
    uint64_t lag_p99_us;  /* of its worst loop during overload */
    uint64_t lag_maximum_us;
    double busy;     /* share of that time that the worst loop was not waiting: 0…1 */
    double host_cpu; /* share of its host's cores that was in use: 0…1 */
};

struct error_report {
    struct bytes text;
    struct bytes scenario; /* whose step failed; empty: it was no step */
    struct bytes agent;    /* of the first one; empty: it was on none */
    uint64_t count;
    uint32_t worker;
    uint64_t step;
    bool has_times;
    uint64_t first_s; /* since the workers began: of the first and the latest one */
    uint64_t last_s;
};

/* How often a worker was the last reader to see what was written. */
struct last_seen {
    uint32_t worker;
    uint64_t times;
};

/* Who came last to a barrier or notifier, and how long the others waited for it, together. */
struct latecomer {
    uint32_t worker;
    uint32_t agent; /* its number among those of the report; UINT32_MAX: none of them */
    uint64_t times;
    uint64_t waited_us;
};
