/* Reads the clocks. Only shells call this; the cores are given the time. */
#pragma once
#include "common/time_units.h"

#include <stdint.h>

/* Nanoseconds of a monotonic clock that also advances while the machine is suspended (CLOCK_BOOTTIME). */
uint64_t clock_now_ns(void);
/* Nanoseconds since 1970. */
uint64_t clock_wall_ns(void);
