/* When workers start, and arithmetic of instants. */
#include "agent/core/runner/schedule.h"

#include "common/time_units.h"

#include <assert.h>

/* One less than what timers take for never. */
#define FARTHEST_NS (UINT64_MAX - 1)

static uint64_t schedule_add(uint64_t left_ns, uint64_t right_ns)
{
    return right_ns > FARTHEST_NS - left_ns ? FARTHEST_NS : left_ns + right_ns;
}

uint64_t schedule_after_ns(uint64_t now_ns, uint64_t milliseconds)
{
    assert(now_ns <= FARTHEST_NS);
    return milliseconds > FARTHEST_NS / NS_PER_MS ? FARTHEST_NS
                                                  : schedule_add(now_ns, milliseconds * NS_PER_MS);
}

uint64_t schedule_start_ns(const struct campaign_options *options, uint64_t begin_ns, uint32_t worker)
{
    assert(worker < options->workers);
    uint64_t ramp_up_ns = schedule_after_ns(0, options->ramp_up_ms);
    /* ramp_up × worker / workers in two parts, neither of which can overflow. */
    uint64_t whole = ramp_up_ns / options->workers * worker;
    uint64_t rest = ramp_up_ns % options->workers * worker / options->workers;
    return schedule_add(begin_ns, schedule_add(whole, rest));
}
