/* Divides the time of a request among its phases. */
#include "agent/http/phase_clock.h"

void phase_clock_begin(struct phase_clock *clock, uint64_t at_ns)
{
    *clock = (struct phase_clock){.began_ns = at_ns, .phase = REQUEST_BLOCKED};
}

void phase_clock_enter(struct phase_clock *clock, enum request_phase phase, uint64_t at_ns)
{
    uint64_t at_us = at_ns > clock->began_ns ? (at_ns - clock->began_ns) / 1000 : 0;

    if (at_us > clock->entered_us) {
        clock->us[clock->phase] += at_us - clock->entered_us;
        clock->entered_us = at_us;
    }
    clock->phase = phase;
}
