/* What a report says of one agent, bottleneck, error or last reader: numbers and borrowed texts alone. */
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
    uint32_t workers; /* that were dealt to it */
    enum agent_state state;
    bool has_clock;
    int64_t clock_offset_ns; /* the coordinator's clock minus its own */
    uint64_t clock_uncertainty_ns;
    bool is_measured;      /* what follows is known */
    double cpu;            /* used while the workers ran; 1 is one core */
    uint64_t memory_bytes; /* the most that was seen */
    uint64_t lag_p99_us;   /* of its loops: what came at any moment was looked at within this */
    uint64_t lag_maximum_us;
};

/* An agent that was too busy for its latencies to be trusted. */
struct bottleneck_report {
    struct bytes agent;
    uint64_t strained_us; /* for so long */
    uint64_t lag_p99_us;  /* of its worst loop then, as long as it was so */
    uint64_t lag_maximum_us;
    double busy;     /* share of that time that the worst loop did not wait for anything: 0…1 */
    double host_cpu; /* share of its host's cores that was used then */
};

struct error_report {
    struct bytes text;
    uint64_t count;
    uint32_t worker;
    uint64_t step;
};

/* How often a worker was the last reader to see what was written. */
struct last_seen {
    uint32_t worker;
    uint64_t times;
};
