/* Looks for the number of workers with which a goal is just held. */
#include "coordinator/core/campaign/goal_search.h"

#include "proto/message/limits.h"

#include <assert.h>

/* From one number to the next. */
#define GOAL_STEP_MOST 2.0
/* What was found stays while it is missed by no more than this. */
#define GOAL_TOLERANCE 0.05
/* More workers than before by so much that make no higher rate: it is as high as it gets. */
#define GOAL_MORE_WORKERS 1.1
#define GOAL_MORE_VALUE 1.03
/* What is measured with the same workers has changed if it is better by so much. */
#define GOAL_BETTER 0.3
#define GOAL_ODD_MISSES 2u
#define GOAL_ODD_CHANGES 3u

static_assert(sizeof(struct goal_search) == 72, "what is packed here has to know each field");

void goal_search_init(struct goal_search *search, const struct threshold *threshold, uint32_t least,
                      uint32_t most, uint32_t workers)
{
    bool is_floor = threshold->comparison == THRESHOLD_MORE || threshold->comparison == THRESHOLD_AT_LEAST ||
                    threshold->comparison == THRESHOLD_EQUAL;
    *search = (struct goal_search){.least = least,
                                   .most = most,
                                   .workers = workers,
                                   .limit = threshold->limit,
                                   .is_upward = is_floor && threshold->statistic == THRESHOLD_RATE,
                                   .tolerated = threshold->limit *
                                                (is_floor ? 1 - GOAL_TOLERANCE : 1 + GOAL_TOLERANCE),
                                   .held_value = -1};
}

static bool goal_is_floor(const struct goal_search *search)
{
    return search->tolerated < search->limit;
}

/* A rate that is to be equal is to be reached. */
static bool goal_holds(const struct goal_search *search, const struct threshold *threshold, double value)
{
    return threshold->comparison == THRESHOLD_EQUAL ? value >= search->limit
                                                    : threshold_holds(threshold, value);
}

static uint32_t goal_tolerance(uint32_t workers)
{
    return workers >= 40 ? workers / 20 : 1;
}

static uint32_t goal_clamp(double workers, uint32_t least, uint32_t most)
{
    return workers <= (double)least ? least : workers >= (double)most ? most : (uint32_t)(workers + 0.5);
}

/* By the proportion of what is wanted to what is measured. */
static double goal_guess(const struct goal_search *search, double value, bool is_up)
{
    bool is_proportional = search->is_upward || !goal_is_floor(search);
    double factor = is_up ? GOAL_STEP_MOST : 1 / GOAL_STEP_MOST;
    if (is_proportional && value > 0) {
        double wanted = search->limit / value;
        factor = wanted > GOAL_STEP_MOST       ? GOAL_STEP_MOST
                 : wanted < 1 / GOAL_STEP_MOST ? 1 / GOAL_STEP_MOST
                                               : wanted;
    }
    double guess = factor * (double)search->workers;
    double nearest = (double)search->workers + (is_up ? 1 : -1);
    return (guess > nearest) == is_up ? guess : nearest;
}

/* It is the number that was found. */
static uint32_t goal_settle(struct goal_search *search, enum goal_state state, uint32_t workers, double value)
{
    search->state = state;
    search->held_value = workers == search->workers ? value : -1;
    search->odd = 0;
    search->workers = workers;
    return workers;
}

/* Whether the rate has not risen with the workers; the highest is noted. */
static bool goal_is_saturated(struct goal_search *search, double value)
{
    bool is_more = (double)search->workers >= GOAL_MORE_WORKERS * (double)search->best_workers;
    bool is_flat = search->best_workers > 0 && is_more && value < GOAL_MORE_VALUE * search->best_value;
    if (!is_flat && value > search->best_value) {
        search->best_value = value;
        search->best_workers = search->workers;
    }
    return is_flat;
}

static void goal_note(struct goal_search *search, bool holds)
{
    uint32_t *own = holds ? &search->good : &search->bad;
    uint32_t *other = holds ? &search->bad : &search->good;
    bool is_up = holds != search->is_upward;
    *own = search->workers;
    if (*other != 0 && (is_up ? *other <= search->workers : *other >= search->workers)) {
        *other = 0; /* the server is not what it was */
    }
}

static uint32_t goal_step(struct goal_search *search, double value, bool holds)
{
    bool is_up = holds != search->is_upward;
    uint32_t workers = search->workers;
    goal_note(search, holds);
    if (workers == (is_up ? search->most : search->least)) {
        return goal_settle(search, holds ? GOAL_HELD : GOAL_MISSED, workers, value);
    }
    if (search->is_upward && !holds && search->good == 0 && goal_is_saturated(search, value)) {
        return goal_settle(search, GOAL_MISSED, search->best_workers, value);
    }
    uint32_t other = holds ? search->bad : search->good;
    double guess = goal_guess(search, value, is_up);
    if (other == 0) {
        search->workers = goal_clamp(guess, search->least, search->most);
        return search->workers;
    }
    uint32_t low = workers < other ? workers : other;
    uint32_t high = workers < other ? other : workers;
    if (high - low <= goal_tolerance(high)) {
        return goal_settle(search, GOAL_HELD, search->good, value);
    }
    uint32_t margin = (high - low) / 4 > 0 ? (high - low) / 4 : 1;
    search->workers = goal_clamp(guess, low + margin, high - margin);
    return search->workers;
}

/* Stays, unless it sees several times that this number is not the right one any more. */
static uint32_t goal_hold(struct goal_search *search, double value, bool holds)
{
    bool is_floor = goal_is_floor(search);
    bool fits = holds || (is_floor ? value >= search->tolerated : value <= search->tolerated);
    bool was_held = search->state == GOAL_HELD;
    search->held_value = search->held_value < 0 ? value : search->held_value;
    bool is_better = is_floor ? value > search->held_value * (1 + GOAL_BETTER)
                              : value < search->held_value * (1 - GOAL_BETTER);
    bool is_odd = was_held ? !fits || is_better : holds || is_better;
    uint32_t enough = was_held && !fits ? GOAL_ODD_MISSES : GOAL_ODD_CHANGES;
    search->odd = is_odd ? search->odd + 1 : 0;
    if (search->odd < enough) {
        return search->workers;
    }
    search->state = GOAL_SEARCHING;
    search->good = search->bad = 0;
    search->best_workers = 0;
    search->best_value = 0;
    search->odd = 0;
    return goal_step(search, value, holds);
}

uint32_t goal_search_next(struct goal_search *search, const struct threshold *threshold, double value)
{
    bool holds = goal_holds(search, threshold, value);
    return search->state == GOAL_SEARCHING ? goal_step(search, value, holds)
                                           : goal_hold(search, value, holds);
}

const char *goal_state_name(enum goal_state state)
{
    static const char *const NAMES[] = {
        [GOAL_SEARCHING] = "searching", [GOAL_HELD] = "held", [GOAL_MISSED] = "missed"};
    return NAMES[state];
}

void goal_search_pack(const struct goal_search *search, struct buffer *into)
{
    pack_number(into, search->state);
    pack_number(into, search->workers);
    pack_number(into, search->good);
    pack_number(into, search->bad);
    pack_real(into, search->held_value);
    pack_real(into, search->best_value);
    pack_number(into, search->best_workers);
    pack_number(into, search->odd);
}

void goal_search_unpack(struct goal_search *search, struct unpack *from)
{
    search->state = (enum goal_state)unpack_bounded(from, GOAL_MISSED);
    search->workers = (uint32_t)unpack_bounded(from, LIMIT_WORKERS);
    search->good = (uint32_t)unpack_bounded(from, LIMIT_WORKERS);
    search->bad = (uint32_t)unpack_bounded(from, LIMIT_WORKERS);
    search->held_value = unpack_real(from);
    search->best_value = unpack_real(from);
    search->best_workers = (uint32_t)unpack_bounded(from, LIMIT_WORKERS);
    search->odd = (uint32_t)unpack_bounded(from, GOAL_ODD_CHANGES);
}
