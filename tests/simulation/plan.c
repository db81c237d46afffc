/* What every plan has: its steps by worker, and names for people. */
#include "tests/simulation/plan.h"

#include "proto/message/arrivals.h"

#include <assert.h>
#include <string.h>

#define SHORT_NS 5000000000u

const char *act_name(enum act_kind kind)
{
    static const char *const NAMES[ACT_KIND_COUNT] = {
        "written",      "read", "wait_writer", "wait_readers", "barrier",      "declare",
        "wrong signal", "fail", "sleep",       "incr",         "cas",          "get_or_make",
        "set",          "get",  "delete",      "wait_set",     "wait_changed", "load"};
    return NAMES[kind];
}

const char *fault_name(enum fault_kind kind)
{
    static const char *const NAMES[FAULT_KIND_COUNT] = {
        "crashes",   "crashes and is known to be dead", "leaves", "freezes", "is not heard", "hears nothing",
        "is cut off"};
    return NAMES[kind];
}

const struct step_plan *plan_step(const struct plan *plan, uint32_t worker, uint64_t step)
{
    return &plan->steps[worker][(step - 1) % plan->step_count];
}

uint32_t plan_most_workers(const struct plan *plan)
{
    uint32_t most = campaign_most_workers(&plan->options);
    for (uint32_t i = 0; i < plan->scale_count; i++) {
        most = plan->scales[i].workers > most ? plan->scales[i].workers : most;
    }
    return most;
}

bool plan_may_scale(const struct plan *plan)
{
    return plan->scale_count > 0 || plan->server.capacity > 0 || plan->options.max_workers > 0;
}

bool plan_is_calm(const struct plan *plan)
{
    return plan->loss <= 0 && plan->fault_count == 0 && plan->kill_count == 0;
}

bool plan_is_survivable(const struct plan *plan)
{
    uint64_t down_ns = 0;
    for (uint32_t i = 0; i < plan->kill_count; i++) {
        down_ns += plan->kills[i].for_ns;
    }
    return plan->loss <= 0 && plan->fault_count == 0 && down_ns <= SHORT_NS &&
           (plan->kill_count == 0 || plan->options.sync_timeout_ms > 20000);
}

void plan_begin(struct plan *plan, uint32_t workers, uint64_t runs, uint32_t hosts)
{
    memset(plan, 0, sizeof *plan);
    plan->options = (struct campaign_options){
        .workers = workers,
        .runs = runs,
        .sync_timeout_ms = 60000,
        .fail_steps = 1,
        .seed = 1,
    };
    plan->hosts = hosts;
    plan->agents = hosts;
    plan->shards = 1;
    plan->step_count = runs < PLAN_STEPS && runs > 0 ? (uint32_t)runs : PLAN_STEPS;
    plan->is_ordered = true;
    plan->least_delay_ns = 200000;
    plan->most_delay_ns = 200000;
    plan->least_act_delay_ns = 1000000;
    plan->most_act_delay_ns = 1000000;
}

void plan_add(struct plan *plan, uint32_t worker, uint32_t step, struct act act)
{
    struct step_plan *at = &plan->steps[worker][(step - 1) % PLAN_STEPS];
    assert(at->count < PLAN_ACTS);
    at->acts[at->count++] = act;
}
