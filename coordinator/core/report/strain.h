/* Whether an agent was too busy for what it measured to be trusted. Pure. */
#pragma once
#include "proto/message/message.h"

#include <stdbool.h>
#include <stdint.h>

/* A reading is strained if one of the agent's loops was so late or so busy; what has begun goes on until a
 * reading is below both of the lower marks. */
#define STRAIN_LAG_US 100000u
#define STRAIN_BUSY 0.95
#define STRAIN_CALM_LAG_US 50000u
#define STRAIN_CALM_BUSY 0.85
/* It begins when it has been so for this long, and is over when it has not for as long. */
#define STRAIN_AFTER_US 5000000u

struct strain_sum {
    uint64_t us;
    uint64_t busy_us; /* of the busiest loop */
    uint64_t host_cpu_us;
    uint64_t lag_p99_us; /* the largest */
    uint64_t lag_max_us;
};

struct strain {
    bool is_on;
    struct strain_sum total; /* of all times that it was on */
    struct strain_sum since; /* of the readings that speak against `is_on`, one after another */
};

void strain_add(struct strain *strain, const struct gauges *gauges);
