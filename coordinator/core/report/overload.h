/* Whether an agent was too busy for its measurements to be trusted. Pure. */
#pragma once
#include "proto/message/message.h"

#include <stdbool.h>
#include <stdint.h>

/* A reading shows overload if one of the agent's loops was that late or that busy. Overload lasts until a
 * reading is below both of the lower marks. */
#define OVERLOAD_LAG_US 100000u
#define OVERLOAD_BUSY 0.95
#define OVERLOAD_CALM_LAG_US 50000u
#define OVERLOAD_CALM_BUSY 0.85
/* Readings have to agree for this long before overload begins or ends. */
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
    struct overload_sum total; /* of all periods of overload */
    struct overload_sum since; /* of the latest consecutive readings that contradict `is_on` */
};

void overload_add(struct overload *overload, const struct gauges *gauges);
