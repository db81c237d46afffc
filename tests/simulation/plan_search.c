/* Draws campaigns that look for a number of workers: with a goal, or for their size. What they load is a
 * server that so many workers at once are too many for. */
#include "tests/simulation/plan.h"

#include <stdio.h>

#define MS 1000000ull

static uint64_t search_between(struct random *random, uint64_t least, uint64_t most)
{
    return least + random_below(random, most - least + 1);
}

static bool search_chance(struct random *random, unsigned percent)
{
    return random_below(random, 100) < percent;
}

static void search_draw_sizing(struct plan *plan, struct random *random, uint32_t most)
{
    plan->shape = "sizing";
    plan->options.is_sizing = true;
    plan->options.sizing_workers = most;
    plan->options.sizing_tolerance = 5;
    plan->options.sizing_window_ms = search_between(random, 4, 10) * 1000;
    plan->server.is_refusing = true;
}

/* The rate is reached with so many workers, or with none. */
static void search_draw_goal(struct plan *plan, struct random *random, uint32_t most)
{
    plan->options.duration_ms = 300000;
    plan->server.is_refusing = search_chance(random, 50);
    if (plan->server.is_refusing) {
        plan->shape = "goal of failures";
        (void)snprintf(plan->goal, sizeof plan->goal, "steps.failed < 10%% over 8s;max=%u", most);
    } else {
        plan->shape = "goal of a rate";
        plan->server.wanted = (uint32_t)search_between(random, 1, 16);
        double rate = 1000.0 * plan->server.wanted / plan->server.step_ms;
        (void)snprintf(plan->goal, sizeof plan->goal, "steps.rate >= %.3f/s over 8s;max=%u", rate, most);
    }
    plan->options.goal = bytes_of_string(plan->goal);
}

static void search_draw_trouble(struct plan *plan, struct random *random)
{
    plan->fault_count = (uint32_t)search_between(random, 0, 2);
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        plan->faults[i] = (struct fault){.kind = (enum fault_kind)random_below(random, FAULT_KIND_COUNT),
                                         .host = (uint8_t)random_below(random, plan->hosts),
                                         .at_ns = search_between(random, 1000, 100000) * MS,
                                         .for_ns = search_between(random, 1, 30000) * MS};
    }
    plan->kill_count = (uint32_t)search_between(random, plan->fault_count == 0 ? 1 : 0, 2);
    for (uint32_t i = 0; i < plan->kill_count; i++) {
        plan->kills[i] = (struct kill){.at_ns = search_between(random, 1000, 100000) * MS,
                                       .for_ns = search_between(random, 1, 3000) * MS,
                                       .after_steps = (uint32_t)random_below(random, 4),
                                       .is_before_journal = search_chance(random, 40),
                                       .sent = (uint32_t)random_below(random, 4)};
    }
    plan->options.on_loss = search_chance(random, 50) ? ON_LOSS_REPLACE : ON_LOSS_SHRINK;
}

void plan_draw_search(struct plan *plan, struct random *random)
{
    uint32_t unit = search_chance(random, 25) ? (uint32_t)search_between(random, 2, 3) : 1;
    plan_begin(plan, unit, 0, (uint32_t)search_between(random, 1, PLAN_HOSTS));
    uint32_t most = (uint32_t)search_between(random, 2, 24 / unit) * unit;
    plan->options.room_size = unit > 1 ? unit : 0;
    plan->options.fail_steps = 0;
    plan->agents = (uint32_t)search_between(random, 1, plan->hosts);
    plan->shards = (uint32_t)search_between(random, 1, PLAN_SHARDS);
    plan->server.capacity = (uint32_t)search_between(random, unit, 20);
    plan->server.step_ms = (uint32_t)search_between(random, 1200, 2000);
    if (search_chance(random, 50)) {
        search_draw_sizing(plan, random, most);
    } else {
        search_draw_goal(plan, random, most);
    }
    for (uint32_t worker = 0; worker < PLAN_WORKERS; worker++) {
        for (uint32_t step = 1; step <= plan->step_count; step++) {
            plan_add(plan, worker, step, (struct act){.kind = ACT_LOAD});
        }
    }
    if (search_chance(random, 30)) {
        search_draw_trouble(plan, random);
    }
}
