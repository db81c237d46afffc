/* Reads the clocks. Only shells call this; the cores are given the time. */
#pragma once
#include <stdint.h>

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL

/* Nanoseconds of a monotonic clock that also advances while the machine is suspended (CLOCK_BOOTTIME). */
uint64_t clock_now_ns(void);
/* Nanoseconds since 1970. */
uint64_t clock_wall_ns(void);
