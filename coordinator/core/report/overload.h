/* Whether an agent was too busy for what it measured to be trusted. Pure. */
#pragma once
#include "proto/message/message.h"

#include <stdbool.h>
#include <stdint.h>

/* A reading is strained if one of the agent's loops was so late or so busy; what has begun goes on until a
 * reading is below both of the lower marks. */
#define OVERLOAD_LAG_US 100000u
#define OVERLOAD_BUSY 0.95
#define OVERLOAD_CALM_LAG_US 50000u
#define OVERLOAD_CALM_BUSY 0.85
/* It begins when it has been so for this long, and is over when it has not for as long. */
#define OVERLOAD_AFTER_US 5000000u

struct overload_sum {
    uint64_t us;
    uint64_t busy_us; /* of the busiest loop */
    uint64_t host_cpu_us;
    uint64_t lag_p99_us; /* the largest */
    uint64_t lag_max_us;
};

struct overload {
    bool is_on;
    struct overload_sum total; /* of all times that it was on */
    struct overload_sum since; /* of the readings that speak against `is_on`, one after another */
};

void overload_add(struct overload *overload, const struct gauges *gauges);
