/* Reads the clocks. Only shells call this; the cores are given the time. */
#pragma once
#include "common/time_units.h"

#include <stdint.h>

/* Nanoseconds of a monotonic clock that also advances while the machine is suspended (CLOCK_BOOTTIME). */
uint64_t clock_now_ns(void);
/* Nanoseconds since 1970. */
uint64_t clock_wall_ns(void);

struct clock_pair {
    uint64_t now_ns;  /* as clock_now_ns */
    uint64_t wall_ns; /* as clock_wall_ns */
};
/* One instant on both clocks, to a few microseconds even if the thread is interrupted between two readings.
 */
struct clock_pair clock_pair_now(void);
