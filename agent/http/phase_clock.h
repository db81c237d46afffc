/* Divides the time of a request among its phases. What it has counted is the time since its beginning, to the
 * microsecond, however often phases change. Pure. */
#pragma once
#include "proto/message/request_phase.h"

#include <stdint.h>

struct phase_clock {
    uint64_t began_ns;
    uint64_t entered_us; /* since began_ns: up to here each microsecond is in `us` */
    enum request_phase phase;
    uint64_t us[REQUEST_PHASE_COUNT];
};

/* It is blocked at first. Instants are nanoseconds of the monotonic clock. */
void phase_clock_begin(struct phase_clock *clock, uint64_t at_ns);
/* What has passed until `at_ns` belongs to the phase so far. An instant before that of the last call counts
 * as that one. */
void phase_clock_enter(struct phase_clock *clock, enum request_phase phase, uint64_t at_ns);
