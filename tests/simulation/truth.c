/* What has really happened in a simulated campaign. */
#include "tests/simulation/truth.h"

#include <string.h>

void truth_init(struct truth *truth, const struct plan *plan)
{
    struct campaign_options most = plan->options;
    most.workers = plan_most_workers(plan);
    uint32_t rooms = campaign_room_count(&most);
    truth->workers = plan->options.workers;
    truth->room_size = campaign_room_ids(&plan->options);
    truth->synchronising = 0;
    memset(truth->worker, 0, sizeof truth->worker);
    /* Only what the last campaign touched is cleared: the tables are large. */
    uint64_t steps = truth->used_steps + 1 < TRUTH_STEPS ? truth->used_steps + 1 : TRUTH_STEPS;
    uint32_t wiped_rooms = truth->rooms > rooms ? truth->rooms : rooms;
    for (uint32_t room = 0; room < wiped_rooms; room++) {
        for (uint32_t name = 0; name < PLAN_NAMES; name++) {
            memset(truth->notifier[room][name], 0, steps * sizeof truth->notifier[room][name][0]);
            memset(truth->barrier[room][name], 0, steps * sizeof truth->barrier[room][name][0]);
        }
    }
    memset(truth->variable, 0, sizeof truth->variable);
    for (uint32_t room = 0; room <= TRUTH_ROOMS; room++) {
        truth->variable[room][VARIABLE_MADE].maker = TRUTH_NOBODY;
    }
    truth->rooms = rooms;
    truth->used_steps = 0;
}

uint32_t truth_room(const struct truth *truth, uint32_t worker)
{
    return worker / truth->room_size;
}

uint32_t truth_room_mask(const struct truth *truth, uint32_t room)
{
    uint32_t mask = 0;
    for (uint32_t worker = 0; worker < truth->workers; worker++) {
        if (truth_room(truth, worker) == room) {
            mask |= 1u << worker;
        }
    }
    return mask;
}

bool truth_is_past(const struct truth *truth, uint32_t worker, uint64_t step)
{
    const struct truth_worker *who = &truth->worker[worker];
    /* Where it continues is not known before it has been told: not before the step after the one it was
     * in. */
    return who->is_over || who->is_coming || who->ended_step >= step ||
           (who->is_moving && who->ended_step + 1 >= step);
}

uint32_t truth_others_within(const struct truth *truth, uint32_t worker, uint64_t step)
{
    uint32_t mask = truth_room_mask(truth, truth_room(truth, worker)) & ~(1u << worker);
    for (uint32_t other = 0; other < truth->workers; other++) {
        if ((mask & (1u << other)) != 0 && truth_is_past(truth, other, step)) {
            mask &= ~(1u << other);
        }
    }
    return mask;
}

struct truth_notifier *truth_notifier(struct truth *truth, uint32_t worker, uint8_t name, uint64_t step)
{
    uint64_t at = step < TRUTH_STEPS ? step : 0;
    if (at > truth->used_steps) {
        truth->used_steps = at;
    }
    return &truth->notifier[truth_room(truth, worker)][name][at];
}

struct truth_barrier *truth_barrier(struct truth *truth, uint32_t worker, uint8_t name, uint64_t step,
                                    uint32_t nth)
{
    uint64_t at = step < TRUTH_STEPS ? step : 0;
    if (at > truth->used_steps) {
        truth->used_steps = at;
    }
    return &truth->barrier[truth_room(truth, worker)][name][at][nth % TRUTH_ARRIVALS];
}

struct truth_variable *truth_variable(struct truth *truth, uint32_t worker, enum variable_role role,
                                      bool is_campaign)
{
    return &truth->variable[is_campaign ? TRUTH_ROOMS : truth_room(truth, worker)][role];
}

bool truth_mark(struct truth_variable *variable, int64_t value)
{
    uint64_t place = (uint64_t)value % TRUTH_VALUES;
    uint64_t bit = 1ull << (place % 64);
    bool is_new = (variable->seen[place / 64] & bit) == 0;
    variable->seen[place / 64] |= bit;
    return is_new;
}

static void forget_notifiers(struct truth_notifier notifiers[TRUTH_STEPS])
{
    for (uint32_t step = 0; step < TRUTH_STEPS; step++) {
        uint32_t forgotten = notifiers[step].forgotten | notifiers[step].readers;
        notifiers[step] = (struct truth_notifier){.forgotten = forgotten};
    }
}

void truth_forget_empty_rooms(struct truth *truth)
{
    uint32_t busy = 0;
    for (uint32_t worker = 0; worker < truth->workers; worker++) {
        busy |= truth->worker[worker].is_over ? 0 : 1u << truth_room(truth, worker);
    }
    for (uint32_t room = 0; room < truth->rooms; room++) {
        for (uint32_t name = 0; (busy & (1u << room)) == 0 && name < PLAN_NAMES; name++) {
            forget_notifiers(truth->notifier[room][name]);
            memset(truth->barrier[room][name], 0, sizeof truth->barrier[room][name]);
        }
    }
}

void truth_come(struct truth *truth, uint32_t worker)
{
    struct truth_worker *who = &truth->worker[worker];
    truth->workers = truth->workers > worker ? truth->workers : worker + 1;
    who->left = who->owner;
    who->owner = 0;
    who->is_over = false;
    who->is_moving = true;
    who->is_coming = true;
    who->has_synchronised = false;
}

void truth_restart(struct truth *truth, uint32_t worker, uint64_t step)
{
    struct truth_worker *who = &truth->worker[worker];
    who->is_moving = false;
    who->is_coming = false;
    who->is_over = false;
    who->is_in_step = false;
    who->begun_step = step - 1;
    who->ended_step = step - 1;
    for (uint64_t at = step; at <= truth->used_steps; at++) {
        for (uint8_t name = 0; name < PLAN_NAMES; name++) {
            struct truth_notifier *notifier = truth_notifier(truth, worker, name, at);
            notifier->readers &= ~(1u << worker); /* what it has written stays */
            for (uint32_t nth = 0; nth < TRUTH_ARRIVALS; nth++) {
                struct truth_barrier *barrier = truth_barrier(truth, worker, name, at, nth);
                barrier->left += barrier->arrived >> worker & 1u;
                barrier->arrived &= ~(1u << worker);
            }
        }
    }
}
