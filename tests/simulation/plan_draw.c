/* Draws a plan from the seed: one of several shapes, then network, faults and options around it. */
#include "proto/message/operation.h"
#include "tests/simulation/explorer.h"
#include "tests/simulation/plan.h"

#include <assert.h>

#define MS 1000000ull
#define S 1000000000ull

static uint64_t between(struct random *random, uint64_t least, uint64_t most)
{
    return least + random_below(random, most - least + 1);
}

static bool chance(struct random *random, unsigned percent)
{
    return random_below(random, 100) < percent;
}

static bool has_room(const struct plan *plan, uint32_t worker, uint32_t step, uint32_t acts)
{
    return plan->steps[worker][step - 1].count + acts <= PLAN_ACTS;
}

/* A step of the scene of DESIGN §2, as it should be. */
static void add_scene_step(struct plan *plan, uint32_t worker, uint32_t step, bool is_writer, uint8_t name)
{
    if (is_writer) {
        plan_add(plan, worker, step, (struct act){.kind = ACT_WAIT_READERS, .back = 1, .name = name});
        plan_add(plan, worker, step, (struct act){.kind = ACT_WRITTEN, .name = name});
    } else {
        plan_add(plan, worker, step, (struct act){.kind = ACT_WAIT_WRITER, .name = name});
        plan_add(plan, worker, step, (struct act){.kind = ACT_READ, .name = name});
    }
}

static void cut_by_failure(struct plan *plan, struct random *random, uint32_t worker, uint32_t step)
{
    struct step_plan *at = &plan->steps[worker][step - 1];
    at->count = (uint8_t)random_below(random, at->count + 1u);
    plan_add(plan, worker, step, (struct act){.kind = ACT_FAIL});
}

static void fail_here_and_there(struct plan *plan, struct random *random, unsigned percent)
{
    for (uint32_t worker = 0; worker < plan->options.workers; worker++) {
        for (uint32_t step = 1; step <= plan->step_count; step++) {
            if (chance(random, percent)) {
                cut_by_failure(plan, random, worker, step);
            }
        }
    }
}

static void draw_scene(struct plan *plan, struct random *random)
{
    plan->shape = "scene";
    uint32_t size = (uint32_t)between(random, 2, 6);
    uint32_t rooms = (uint32_t)between(random, 1, 3);
    plan->options.workers = size * rooms;
    plan->options.room_size = rooms > 1 || chance(random, 50) ? size : 0;
    bool does_rotate = chance(random, 60);
    uint8_t name = (uint8_t)random_below(random, PLAN_NAMES);
    for (uint32_t worker = 0; worker < plan->options.workers; worker++) {
        for (uint32_t step = 1; step <= plan->step_count; step++) {
            uint32_t writer = does_rotate ? (step - 1) % size : size - 1;
            add_scene_step(plan, worker, step, worker % size == writer, name);
            if (chance(random, 5)) {
                uint32_t count = (uint32_t)between(random, 1, 300);
                plan_add(plan, worker, step, (struct act){.kind = ACT_SLEEP, .count = count});
            }
        }
    }
    fail_here_and_there(plan, random, chance(random, 50) ? 8 : 0);
}

/* The article's script, or a room without a writer. */
static void draw_published(struct plan *plan, struct random *random)
{
    plan->shape = "published";
    uint32_t size = (uint32_t)between(random, 2, 5);
    plan->options.workers = size;
    bool has_writer = chance(random, 60);
    for (uint32_t worker = 0; worker < size; worker++) {
        for (uint32_t step = 1; step <= plan->step_count; step++) {
            if (has_writer && worker == size - 1) {
                if (step > 1) {
                    plan_add(plan, worker, step, (struct act){.kind = ACT_WAIT_READERS});
                }
                plan_add(plan, worker, step, (struct act){.kind = ACT_WRITTEN});
            } else {
                add_scene_step(plan, worker, step, false, 0);
            }
        }
    }
}

static void draw_rush(struct plan *plan, struct random *random)
{
    plan->shape = "rush";
    uint32_t size = (uint32_t)between(random, 2, 8);
    uint32_t rooms = (uint32_t)between(random, 1, 3);
    plan->options.workers = size * rooms;
    plan->options.room_size = rooms > 1 ? size : 0;
    uint32_t parties = chance(random, 70) ? 0 : (uint32_t)between(random, 1, size);
    bool is_at_once = chance(random, 20);
    bool is_double = chance(random, 30);
    bool may_time_out = chance(random, 25);
    for (uint32_t worker = 0; worker < plan->options.workers; worker++) {
        for (uint32_t step = 1; step <= plan->step_count; step++) {
            struct act act = {.kind = ACT_BARRIER, .count = parties, .is_at_once = is_at_once};
            if (may_time_out && chance(random, 40)) {
                act.timeout_ms = (uint32_t)between(random, 1, 80);
                act.on_timeout = (uint8_t)random_below(random, BARRIER_TIMEOUTS);
                act.is_caught = chance(random, 50);
            }
            plan_add(plan, worker, step, act);
            if (is_double) {
                plan_add(plan, worker, step, act);
            }
        }
    }
    fail_here_and_there(plan, random, chance(random, 50) ? 6 : 0);
}

static struct act draw_meeting(struct random *random, uint32_t size)
{
    static const int8_t BACKS[] = {0, 0, 0, 0, 1, 1, 1, -1};
    struct act act = {.name = (uint8_t)(random_below(random, 4) / 3)};
    switch (random_below(random, 10)) {
    case 0:
    case 1:
        act.kind = ACT_WRITTEN;
        break;
    case 2:
    case 3:
        act.kind = ACT_READ;
        break;
    case 4:
    case 5:
    case 6:
        act.kind = ACT_WAIT_WRITER;
        act.back = BACKS[random_below(random, 8)];
        break;
    case 7:
    case 8:
        act.kind = ACT_WAIT_READERS;
        act.back = BACKS[random_below(random, 8)];
        act.is_strict = chance(random, 20);
        break;
    default:
        act.kind = ACT_BARRIER;
        act.name = 0;
        act.count = chance(random, 75) ? 0 : size > 2 ? 2 : 1;
        act.on_timeout = (uint8_t)(chance(random, 70) ? 0 : random_below(random, BARRIER_TIMEOUTS));
        break;
    }
    /* All workers at a barrier have to name the same number: it depends on its name, unless a mistake is
     * drawn. */
    if (act.kind == ACT_BARRIER && act.count != 0) {
        act.name = 1;
        act.count += chance(random, 15) ? 1 : 0;
    }
    return act;
}

static struct act draw_variable(struct random *random)
{
    static const enum act_kind KINDS[] = {ACT_INCR,        ACT_INCR,        ACT_CAS,         ACT_CAS,
                                          ACT_GET_OR_MAKE, ACT_GET_OR_MAKE, ACT_SET,         ACT_GET,
                                          ACT_DELETE,      ACT_WAIT_SET,    ACT_WAIT_CHANGED};
    struct act act = {.kind = KINDS[random_below(random, sizeof KINDS / sizeof KINDS[0])],
                      .is_campaign = chance(random, 60)};
    if (act.kind == ACT_GET_OR_MAKE) {
        act.makes_badly = chance(random, 30);
        act.count = (uint32_t)random_below(random, 40);
    }
    return act;
}

/* While it waits, others of the worker's tasks may go on. */
static void draw_tasks(struct random *random, struct act *act)
{
    bool is_wait = act->kind == ACT_WAIT_WRITER || act->kind == ACT_WAIT_READERS ||
                   act->kind == ACT_BARRIER || act->kind == ACT_GET_OR_MAKE || act->kind == ACT_WAIT_SET ||
                   act->kind == ACT_WAIT_CHANGED;
    if (is_wait && chance(random, 12)) {
        act->aside_ms = (uint32_t)between(random, 1, 2000);
        act->gives_up = chance(random, 30);
        act->is_caught = act->is_caught || act->gives_up;
    }
}

static struct act draw_act(struct random *random, uint32_t size, unsigned variables)
{
    struct act act = chance(random, variables) ? draw_variable(random) : draw_meeting(random, size);
    if (chance(random, 4)) {
        act = (struct act){.kind = ACT_SLEEP, .count = (uint32_t)between(random, 1, 1500)};
    } else if (chance(random, 3)) {
        act = (struct act){.kind = ACT_FAIL};
    } else if (chance(random, 1)) {
        act = (struct act){.kind = ACT_WRONG_SIGNAL, .back = chance(random, 50) ? 1 : -1};
    } else if (chance(random, 3)) {
        act = (struct act){.kind = ACT_DECLARE, .count = (uint32_t)between(random, 1, size)};
    } else {
        act.timeout_ms = chance(random, 15) ? (uint32_t)between(random, 1, 3000) : 0;
        act.is_caught = chance(random, 15);
        draw_tasks(random, &act);
    }
    return act;
}

static void draw_small(struct plan *plan, struct random *random, unsigned variables)
{
    plan->shape = variables > 0 ? "variables" : "small";
    uint32_t size = (uint32_t)between(random, 2, variables > 0 ? 4 : 6);
    uint32_t rooms = (uint32_t)between(random, 1, 2);
    plan->options.workers = size * rooms;
    plan->options.room_size = rooms > 1 ? size : 0;
    for (uint32_t worker = 0; worker < plan->options.workers; worker++) {
        for (uint32_t step = 1; step <= plan->step_count; step++) {
            uint32_t acts = (uint32_t)random_below(random, 5);
            uint32_t barriers = 0;
            for (uint32_t i = 0; i < acts; i++) {
                struct act act = draw_act(random, size, variables);
                barriers += act.kind == ACT_BARRIER ? 1 : 0;
                if (act.kind != ACT_BARRIER || barriers <= 2) {
                    plan_add(plan, worker, step, act);
                }
            }
        }
    }
}

/* Only what model.py knows, so that its exploration can tell how it may end. */
static void draw_modelled(struct plan *plan, struct random *random)
{
    plan->shape = "modelled";
    plan->options.runs = between(random, 1, 3);
    plan->step_count = (uint32_t)plan->options.runs;
    plan->options.workers = (uint32_t)between(random, 2, 4);
    for (uint32_t worker = 0; worker < plan->options.workers; worker++) {
        for (uint32_t step = 1; step <= plan->step_count; step++) {
            uint32_t acts = (uint32_t)between(random, 1, 3);
            bool has_barrier = false;
            for (uint32_t i = 0; i < acts; i++) {
                struct act act = draw_meeting(random, 2);
                act.is_strict = false;
                act.name = 0;
                act.count = 0;
                if (chance(random, 6)) {
                    act = (struct act){.kind = ACT_FAIL};
                }
                if (act.kind != ACT_BARRIER || !has_barrier) {
                    plan_add(plan, worker, step, act);
                }
                has_barrier = has_barrier || act.kind == ACT_BARRIER;
            }
        }
    }
}

/* All arrive at a barrier in the same tick, step after step, or four read what one has written. */
static void draw_counted(struct plan *plan, struct random *random)
{
    plan_begin(plan, (uint32_t)between(random, 8, PLAN_WORKERS), between(random, 4, PLAN_STEPS),
               (uint32_t)between(random, 1, PLAN_HOSTS));
    plan->shape = "counted";
    plan->shards = (uint32_t)between(random, 1, PLAN_SHARDS);
    plan->rounds = (uint32_t)plan->options.runs;
    for (uint32_t worker = 0; worker < plan->options.workers; worker++) {
        for (uint32_t step = 1; step <= plan->step_count; step++) {
            plan_add(plan, worker, step, (struct act){.kind = ACT_BARRIER});
        }
    }
    /* Everything that is done at one moment arrives as one message. */
    plan->least_act_delay_ns = 0;
    plan->most_act_delay_ns = 0;
    plan->least_mailbox_delay_ns = 50000;
    plan->most_mailbox_delay_ns = 50000;
}

static void draw_idle(struct plan *plan, struct random *random)
{
    plan->shape = "idle";
    plan->options.workers = (uint32_t)between(random, 1, 8);
    for (uint32_t worker = 0; worker < plan->options.workers; worker++) {
        for (uint32_t step = 1; step <= plan->step_count; step++) {
            uint32_t count = (uint32_t)between(random, 1, 400);
            plan_add(plan, worker, step, (struct act){.kind = ACT_SLEEP, .count = count});
        }
    }
    fail_here_and_there(plan, random, chance(random, 50) ? 10 : 0);
}

static void draw_mixed(struct plan *plan, struct random *random)
{
    draw_scene(plan, random);
    plan->shape = "mixed";
    for (uint32_t worker = 0; worker < plan->options.workers; worker++) {
        for (uint32_t step = 1; step <= plan->step_count; step++) {
            const struct step_plan *at = &plan->steps[worker][step - 1];
            bool does_fail = at->count > 0 && at->acts[at->count - 1].kind == ACT_FAIL;
            if (chance(random, 30) && !does_fail && has_room(plan, worker, step, 1)) {
                struct act act = draw_variable(random);
                if (act.kind != ACT_WAIT_SET && act.kind != ACT_WAIT_CHANGED) {
                    plan_add(plan, worker, step, act);
                }
            }
        }
    }
}

static void draw_network(struct plan *plan, struct random *random)
{
    plan->has_offsets = chance(random, 50);
    plan->is_ordered = chance(random, 60);
    plan->least_delay_ns = between(random, 1, 2) * MS / 10;
    plan->most_delay_ns = plan->least_delay_ns;
    if (chance(random, 60)) {
        plan->most_delay_ns = between(random, 1, chance(random, 50) ? 5 : 80) * MS;
    }
    plan->most_mailbox_delay_ns = chance(random, 50) ? 0 : between(random, 1, 3) * MS;
    plan->least_act_delay_ns = 0;
    plan->most_act_delay_ns = chance(random, 30) ? 0 : between(random, 1, chance(random, 80) ? 5 : 200) * MS;
    if (chance(random, 35)) {
        plan->loss = (double)between(random, 1, 30) / 100;
        plan->repeat = (double)between(random, 0, 30) / 100;
        plan->troubled_ns = between(random, 1, 20) * S;
    }
}

static void draw_faults(struct plan *plan, struct random *random)
{
    plan->fault_count = (uint32_t)between(random, 1, chance(random, 70) ? 2 : 4);
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        struct fault *fault = &plan->faults[i];
        fault->kind = (enum fault_kind)random_below(random, FAULT_KIND_COUNT);
        fault->host = (uint8_t)random_below(random, plan->hosts);
        fault->at_ns = between(random, 0, chance(random, 80) ? 1500 : 30000) * MS;
        bool is_crash = fault->kind <= FAULT_LEAVE;
        if (is_crash) {
            fault->for_ns = chance(random, 50) ? 0 : between(random, 10, 20000) * MS;
        } else {
            /* Around the lease and the time after which an agent is lost. */
            fault->for_ns = between(random, 10, chance(random, 50) ? 3000 : 40000) * MS;
        }
    }
}

static void draw_options(struct plan *plan, struct random *random)
{
    struct campaign_options *options = &plan->options;
    options->on_loss = (enum on_loss)random_below(random, ON_LOSS_COUNT);
    options->on_deadlock = chance(random, 60) ? ON_DEADLOCK_STOP : ON_DEADLOCK_FAIL;
    options->sync_timeout_ms = chance(random, 50) ? 60000 : between(random, 2000, 20000);
    options->fail_steps = random_below(random, 3);
    options->is_stopped_by_failure = chance(random, 5);
    options->ramp_up_ms = chance(random, 20) ? between(random, 1, 2000) : 0;
    options->delay_ms = chance(random, 15) ? between(random, 1, 200) : 0;
    if (chance(random, 15)) {
        options->duration_ms = between(random, 1, 1500);
        options->runs = chance(random, 50) ? 0 : options->runs;
        options->delay_ms = between(random, 20, 200);
        options->has_grace = chance(random, 50);
        options->grace_ms = options->has_grace && chance(random, 70) ? between(random, 1, 5000) : 0;
    }
    plan->unfit_workers = chance(random, 5) ? 1u << random_below(random, options->workers) : 0;
    plan->is_script_broken = chance(random, 1) && chance(random, 30);
    plan->is_global_broken = chance(random, 1) && chance(random, 30);
    plan->stop_after_ns = chance(random, 4) ? between(random, 1, 3000) * MS : 0;
    plan->is_stop_at_once = chance(random, 30);
}

/* An agent goes early, and its next process joins the campaign before its workers change. */
static void draw_join(struct plan *plan, struct random *random)
{
    plan->options.may_join = chance(random, 50);
    if (plan->options.may_join && plan->hosts > 1 && plan->fault_count < PLAN_FAULTS) {
        plan->faults[plan->fault_count++] =
            (struct fault){.kind = chance(random, 50) ? FAULT_LEAVE : FAULT_CRASH_KNOWN,
                           .host = (uint8_t)random_below(random, plan->hosts),
                           .at_ns = between(random, 50, 400) * MS,
                           .for_ns = between(random, 1, 200) * MS};
    }
}

/* Workers that join later have the programs of the existing ones. */
static void draw_scales(struct plan *plan, struct random *random)
{
    uint32_t workers = plan->options.workers;
    uint32_t most = workers + 6 < PLAN_WORKERS ? workers + 6 : PLAN_WORKERS;
    assert(workers > 0);
    uint32_t in_rooms = campaign_room_ids(&plan->options) * PLAN_ROOMS;
    uint64_t at_ns = 0;
    most = most < in_rooms ? most : in_rooms;
    plan->scale_count = (uint32_t)between(random, 1, PLAN_SCALES);
    for (uint32_t i = 0; i < plan->scale_count; i++) {
        at_ns += between(random, 0, chance(random, 70) ? 400 : 20000) * MS;
        plan->scales[i] =
            (struct scaling){.at_ns = 100 * MS + at_ns, .workers = (uint32_t)between(random, 1, most)};
    }
    draw_join(plan, random);
    for (uint32_t worker = workers; worker < PLAN_WORKERS; worker++) {
        for (uint32_t step = 0; step < PLAN_STEPS; step++) {
            plan->steps[worker][step] = plan->steps[worker % workers][step];
        }
    }
}

/* Always enough to begin with. Which lost workers find no capacity elsewhere cannot be seen from outside, so
 * if they continue there is capacity for all. */
static void draw_capacity(struct plan *plan, struct random *random)
{
    uint32_t workers = plan->options.workers;
    uint32_t least = (workers + plan->agents - 1) / plan->agents;
    plan->capacity = on_loss_replaces(plan->options.on_loss) ? plan_most_workers(plan)
                                                             : least + (uint32_t)random_below(random, 3);
}

static void draw_kills(struct plan *plan, struct random *random, uint64_t most_ms)
{
    plan->kill_count = (uint32_t)between(random, 1, chance(random, 60) ? 1 : PLAN_KILLS);
    for (uint32_t i = 0; i < plan->kill_count; i++) {
        struct kill *kill = &plan->kills[i];
        kill->at_ns = between(random, 0, chance(random, 85) ? 1500 : 20000) * MS;
        kill->for_ns = between(random, 1, chance(random, 60) ? most_ms / 20 : most_ms) * MS;
        kill->after_steps = (uint32_t)random_below(random, 4);
        kill->is_before_journal = chance(random, 40);
        kill->is_torn = chance(random, 30);
        kill->sent = (uint32_t)random_below(random, 4);
    }
}

static void draw_campaign(struct plan *plan, struct random *random)
{
    uint32_t hosts = (uint32_t)between(random, 1, PLAN_HOSTS);
    plan_begin(plan, 2, between(random, 1, 6), hosts);
    plan->agents = (uint32_t)between(random, 1, hosts);
    plan->shards = (uint32_t)between(random, 1, PLAN_SHARDS);
    uint64_t shape = random_below(random, 100);
    if (shape < 22) {
        draw_scene(plan, random);
    } else if (shape < 27) {
        draw_published(plan, random);
    } else if (shape < 39) {
        draw_rush(plan, random);
    } else if (shape < 57) {
        draw_small(plan, random, 0);
    } else if (shape < 72) {
        draw_small(plan, random, 50);
    } else if (shape < 80) {
        draw_mixed(plan, random);
    } else if (shape < 83) {
        draw_idle(plan, random);
    } else if (shape < 85) {
        draw_counted(plan, random);
        return;
    } else {
        draw_modelled(plan, random);
        draw_network(plan, random);
        plan->options.fail_steps = 0;
        return;
    }
    draw_network(plan, random);
    draw_options(plan, random);
    if (chance(random, 35)) {
        draw_faults(plan, random);
    }
    if (chance(random, 30)) {
        draw_scales(plan, random);
    }
    if (chance(random, 25)) {
        draw_capacity(plan, random);
    }
}

void plan_draw(struct plan *plan, struct random *random)
{
    draw_campaign(plan, random);
    /* The longest is a minute, or a time that no wait of a plan checked against the model would notice. */
    if (plan->rounds == 0 && chance(random, 30)) {
        bool is_brief = plan->options.duration_ms == 0 && plan->fault_count == 0 && chance(random, 50);
        draw_kills(plan, random, is_brief || explorer_knows(plan) ? 1500 : 60000);
    }
}
