/* A port of the design's executable model of one room. Operations are atomic; there is no network. */
#include "tests/simulation/explorer.h"
#include "common/memory.h"

#include <string.h>

#define STEPS 4u
#define STATES (1u << 15)

struct place {
    uint8_t step;
    uint8_t position;
    uint8_t failed;
};

/* Compared and hashed as raw bytes: no padding. */
struct state {
    struct place places[EXPLORER_WORKERS];
    uint8_t wrote;       /* bits of steps */
    uint8_t read[STEPS]; /* bits of workers */
    uint8_t at[STEPS];
};

struct walk {
    const struct plan *plan;
    uint32_t workers;
    uint8_t runs;
    struct state *seen;    /* open addressing; step 0 of worker 0 marks an empty slot */
    struct state *pending; /* seen, but not expanded yet */
    size_t pending_count;
    size_t seen_count;
    const struct explored_end *end;
    bool is_found;
};

bool explorer_knows(const struct plan *plan)
{
    const struct campaign_options *options = &plan->options;
    return plan->shape != NULL && strcmp(plan->shape, "modelled") == 0 &&
           options->workers <= EXPLORER_WORKERS && options->runs <= STEPS;
}

static void remember(struct walk *walk, const struct state *state)
{
    uint64_t hash = 14695981039346656037ull;
    const uint8_t *bytes = (const uint8_t *)state;
    for (size_t i = 0; i < sizeof *state; i++) {
        hash = (hash ^ bytes[i]) * 1099511628211ull;
    }
    size_t at = (hash ^ (hash >> 29)) % STATES;
    while (walk->seen[at].places[0].step != 0) {
        if (memcmp(&walk->seen[at], state, sizeof *state) == 0) {
            return;
        }
        at = (at + 1) % STATES;
    }
    walk->seen[at] = *state;
    walk->pending[walk->pending_count++] = *state;
    walk->seen_count++;
}

static bool is_done(const struct walk *walk, const struct state *state, uint32_t worker)
{
    return state->places[worker].step > walk->runs;
}

static bool is_past(const struct walk *walk, const struct state *state, uint32_t worker, int step)
{
    return state->places[worker].step > step || is_done(walk, state, worker);
}

static void end_step(struct state *state, uint32_t worker, bool is_good)
{
    struct place *place = &state->places[worker];
    place->step++;
    place->position = 0;
    place->failed = (uint8_t)(place->failed + (is_good ? 0 : 1));
}

/* Skips waits for steps before the first, as scripts do; a step without anything left is over. */
static const struct act *current(const struct walk *walk, struct state *state, uint32_t worker)
{
    struct place *place = &state->places[worker];
    const struct step_plan *step = plan_step(walk->plan, worker, place->step);
    while (place->position < step->count && place->step - step->acts[place->position].back < 1) {
        place->position++;
    }
    return place->position < step->count ? &step->acts[place->position] : NULL;
}

static bool waits_for_writer(const struct walk *walk, const struct state *state, uint32_t worker, int step)
{
    struct state scratch = *state;
    if (is_done(walk, state, worker)) {
        return false;
    }
    const struct act *act = current(walk, &scratch, worker);
    return act != NULL && act->kind == ACT_WAIT_WRITER && scratch.places[worker].step - act->back == step;
}

/* A bit of the step, which may be beyond the last one: nothing ever happens there. */
static uint8_t bits_of(const uint8_t *of_steps, int step)
{
    return step <= (int)STEPS ? of_steps[step - 1] : 0;
}

enum way { WAITS, GOES_ON, IS_SHORT };

static enum way look_at_writer(const struct walk *walk, const struct state *state, uint32_t worker, int step)
{
    if ((state->wrote >> step & 1) != 0) {
        return GOES_ON;
    }
    bool is_gone = false;
    for (uint32_t other = 0; other < walk->workers; other++) {
        if (other != worker && is_past(walk, state, other, step)) {
            is_gone = true;
        } else if (other != worker && !waits_for_writer(walk, state, other, step)) {
            return WAITS;
        }
    }
    return is_gone ? IS_SHORT : WAITS;
}

static enum way look_at_gathering(const struct walk *walk, const struct state *state, uint32_t worker,
                                  int step, uint8_t come)
{
    for (uint32_t other = 0; other < walk->workers; other++) {
        if (other != worker && (come >> other & 1) == 0 && !is_past(walk, state, other, step)) {
            return WAITS;
        }
    }
    return GOES_ON;
}

static enum way look(const struct walk *walk, struct state *state, uint32_t worker, const struct act *act)
{
    int now = state->places[worker].step;
    int step = now - act->back;
    uint8_t bit = (uint8_t)(1u << worker);
    switch (act->kind) {
    case ACT_WRITTEN:
        state->wrote = (uint8_t)(state->wrote | 1u << now);
        return GOES_ON;
    case ACT_READ:
        state->read[now - 1] |= bit;
        return GOES_ON;
    case ACT_WAIT_WRITER:
        return look_at_writer(walk, state, worker, step);
    case ACT_WAIT_READERS:
        return look_at_gathering(walk, state, worker, step, bits_of(state->read, step));
    case ACT_BARRIER:
        return look_at_gathering(walk, state, worker, now, state->at[now - 1]);
    default:
        return IS_SHORT; /* it fails */
    }
}

/* All workers that wait for a writer that does not come are told at the same moment; the model tells one
 * after the other, which differs if they wait for a future step. */
static void end_all_short(struct walk *walk, const struct state *from, uint32_t worker, const struct act *act)
{
    struct state state = *from;
    int step = from->places[worker].step - act->back;
    for (uint32_t other = 0; other < walk->workers; other++) {
        if (waits_for_writer(walk, from, other, step) &&
            look_at_writer(walk, from, other, step) == IS_SHORT) {
            end_step(&state, other, false);
        }
    }
    remember(walk, &state);
}

/* The next action of this worker. False if there is none. */
static bool move(struct walk *walk, const struct state *from, uint32_t worker)
{
    struct state state = *from;
    const struct act *act = current(walk, &state, worker);
    uint8_t bit = (uint8_t)(1u << worker);
    if (act == NULL) {
        end_step(&state, worker, true);
        remember(walk, &state);
        return true;
    }
    uint8_t *at = &state.at[state.places[worker].step - 1];
    if (act->kind == ACT_BARRIER && (*at & bit) == 0) {
        *at |= bit;
        remember(walk, &state);
        return true;
    }
    switch (look(walk, &state, worker, act)) {
    case WAITS:
        return false;
    case GOES_ON:
        state.places[worker].position++;
        break;
    case IS_SHORT:
        if (act->kind == ACT_WAIT_WRITER) {
            end_all_short(walk, from, worker, act);
        }
        end_step(&state, worker, false);
        break;
    }
    remember(walk, &state);
    return true;
}

static void compare_end(struct walk *walk, const struct state *state)
{
    bool is_deadlock = false;
    bool is_same = true;
    for (uint32_t worker = 0; worker < walk->workers; worker++) {
        bool is_stuck = !is_done(walk, state, worker);
        is_deadlock = is_deadlock || is_stuck;
        is_same = is_same && state->places[worker].failed == walk->end->failed[worker];
    }
    /* A part of the room may be found deadlocked while the rest could have continued: only the fact that a
     * deadlock is possible is checked against the model, not the progress of the others by then. */
    bool is_end = walk->end->is_deadlock ? is_deadlock : !is_deadlock && is_same;
    walk->is_found = walk->is_found || is_end;
}

static void explore(struct walk *walk)
{
    struct state start;
    memset(&start, 0, sizeof start);
    for (uint32_t worker = 0; worker < walk->workers; worker++) {
        start.places[worker].step = 1;
    }
    remember(walk, &start);
    while (walk->pending_count > 0 && !walk->is_found && walk->seen_count < STATES / 2) {
        struct state state = walk->pending[--walk->pending_count];
        bool can_move = false;
        for (uint32_t worker = 0; worker < walk->workers; worker++) {
            if (!is_done(walk, &state, worker) && move(walk, &state, worker)) {
                can_move = true;
            }
        }
        if (!can_move) {
            compare_end(walk, &state);
        }
    }
}

bool explorer_allows(const struct plan *plan, const struct explored_end *end)
{
    struct walk walk = {
        .plan = plan, .workers = plan->options.workers, .runs = (uint8_t)plan->options.runs, .end = end};
    walk.seen = memory_new(STATES, sizeof *walk.seen);
    walk.pending = memory_new(STATES, sizeof *walk.pending);
    explore(&walk);
    bool is_allowed = walk.is_found || walk.seen_count >= STATES / 2;
    memory_free(walk.seen);
    memory_free(walk.pending);
    return is_allowed;
}
