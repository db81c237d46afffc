/* Draws campaigns whose steps begin by a rate: with rooms and without, which come and go, and grow. */
#include "tests/simulation/plan.h"

#include <stdio.h>

#define MS 1000000ull

static uint64_t arrivals_between(struct random *random, uint64_t least, uint64_t most)
{
    return least + random_below(random, most - least + 1);
}

static bool arrivals_chance(struct random *random, unsigned percent)
{
    return random_below(random, 100) < percent;
}

/* All seats of a room meet in each step, so that one that is in another step than the others is seen. */
static void arrivals_draw_steps(struct plan *plan, struct random *random)
{
    uint32_t most_ms = (uint32_t)arrivals_between(random, 1, arrivals_chance(random, 50) ? 200 : 3000);
    for (uint32_t worker = 0; worker < PLAN_WORKERS; worker++) {
        for (uint32_t step = 1; step <= plan->step_count; step++) {
            if (plan->options.room_size > 0) {
                plan_add(plan, worker, step, (struct act){.kind = ACT_BARRIER});
            }
            uint32_t count = (uint32_t)arrivals_between(random, 1, most_ms);
            plan_add(plan, worker, step, (struct act){.kind = ACT_SLEEP, .count = count});
        }
    }
}

static void arrivals_draw_changes(struct plan *plan, struct random *random, uint32_t unit, uint32_t most)
{
    if (arrivals_chance(random, 50)) {
        plan->options.max_workers = most;
    }
    plan->scale_count = arrivals_chance(random, 60) ? (uint32_t)arrivals_between(random, 1, PLAN_SCALES) : 0;
    for (uint32_t i = 0; i < plan->scale_count; i++) {
        plan->scales[i] =
            (struct scaling){.at_ns = arrivals_between(random, 200, 20000) * MS,
                             .workers = (uint32_t)arrivals_between(random, 1, most / unit) * unit};
    }
}

static void arrivals_draw_trouble(struct plan *plan, struct random *random)
{
    plan->options.on_loss = (enum on_loss)random_below(random, ON_LOSS_COUNT);
    plan->options.may_join = arrivals_chance(random, 50);
    plan->fault_count = (uint32_t)arrivals_between(random, 0, 3);
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        plan->faults[i] = (struct fault){.kind = (enum fault_kind)random_below(random, FAULT_KIND_COUNT),
                                         .host = (uint8_t)random_below(random, plan->hosts),
                                         .at_ns = arrivals_between(random, 100, 20000) * MS,
                                         .for_ns = arrivals_between(random, 1, 8000) * MS};
    }
    plan->kill_count = (uint32_t)arrivals_between(random, plan->fault_count == 0 ? 1 : 0, 2);
    for (uint32_t i = 0; i < plan->kill_count; i++) {
        plan->kills[i] = (struct kill){.at_ns = arrivals_between(random, 100, 20000) * MS,
                                       .for_ns = arrivals_between(random, 1, 3000) * MS,
                                       .after_steps = (uint32_t)random_below(random, 4),
                                       .is_before_journal = arrivals_chance(random, 40),
                                       .sent = (uint32_t)random_below(random, 4)};
    }
}

void plan_draw_arrivals(struct plan *plan, struct random *random)
{
    uint32_t unit = arrivals_chance(random, 70) ? (uint32_t)arrivals_between(random, 2, 4) : 1;
    uint32_t most = (uint32_t)arrivals_between(random, 1, (unit > 1 ? 28 : 16) / unit) * unit;
    uint32_t workers = (uint32_t)arrivals_between(random, 1, most / unit) * unit;
    plan_begin(plan, workers, 0, (uint32_t)arrivals_between(random, 1, PLAN_HOSTS));
    plan->shape = unit > 1 ? "arrivals of rooms" : "arrivals";
    (void)snprintf(plan->rate, sizeof plan->rate, "%u.%u/s", (unsigned)arrivals_between(random, 0, 9),
                   (unsigned)arrivals_between(random, 1, 9));
    plan->options.rate = bytes_of_string(plan->rate);
    plan->options.arrivals = arrivals_chance(random, 30) ? ARRIVALS_POISSON : ARRIVALS_UNIFORM;
    plan->options.seed = random_below(random, 1000);
    plan->options.duration_ms = arrivals_between(random, 2000, 25000);
    plan->options.room_size = unit > 1 ? unit : 0;
    plan->options.fail_steps = 0;
    plan->agents = (uint32_t)arrivals_between(random, 1, plan->hosts);
    plan->shards = (uint32_t)arrivals_between(random, 1, PLAN_SHARDS);
    plan->has_offsets = arrivals_chance(random, 50);
    plan->most_delay_ns = arrivals_between(random, 1, 60) * MS;
    arrivals_draw_changes(plan, random, unit, most);
    arrivals_draw_steps(plan, random);
    if (arrivals_chance(random, 40)) {
        arrivals_draw_trouble(plan, random);
    }
}
