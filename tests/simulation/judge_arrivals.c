/* Whether each arrival of a plan was begun, or counted as dropped, and once. */
#include "proto/message/arrivals.h"
#include "tests/simulation/world.h"

#include <inttypes.h>

static uint64_t arrivals_planned(const struct campaign_options *options)
{
    static struct arrivals arrivals;
    struct loads loads;
    loads_of(options, &loads);
    arrivals_init(&arrivals, options, &loads.items[0]);
    return arrivals_before(&arrivals, RATE_NEVER);
}

void judge_arrivals(struct world *world, const struct campaign_report *report)
{
    const struct campaign_options *options = &world->plan->options;
    if (options->rate.size == 0 || !plan_is_survivable(world->plan)) {
        return;
    }
    uint64_t planned = arrivals_planned(options);
    if (report->arrivals + report->dropped != planned) {
        world_break(world, "%" PRIu64 " arrivals are begun and %" PRIu64 " dropped, of %" PRIu64,
                    report->arrivals, report->dropped, planned);
    }
    if (report->steps_failed > 0 && plan_is_calm(world->plan)) {
        world_break(world, "%" PRIu64 " steps have failed: seats of a room were not in the same step",
                    report->steps_failed);
    }
    if (world->workers > plan_most_workers(world->plan)) {
        world_break(world, "it has come to %u workers, of at most %u", world->workers,
                    plan_most_workers(world->plan));
    }
}
