/* Looks for the number of workers with which a goal is just held: the most of them where more workers spoil
 * it (a time, a share), the fewest where they bring it nearer (a rate). It knows the nearest numbers that
 * hold and do not, goes by the proportion of what is measured to what is wanted, and stays once those two are
 * neighbours. Pure: knows no clock and no campaign. */
#pragma once
#include "common/pack.h"
#include "proto/message/threshold.h"

enum goal_state { GOAL_SEARCHING, GOAL_HELD, GOAL_MISSED };

struct goal_search {
    uint32_t least;
    uint32_t most;
    bool is_upward; /* more workers bring it nearer */
    double limit;
    double tolerated; /* once it is held, this is still good */
    enum goal_state state;
    uint32_t workers;  /* now */
    uint32_t good;     /* the number next to `bad` with which it was held; 0: none */
    uint32_t bad;      /* and with which it was not */
    double held_value; /* with the number that was found; negative: not measured yet */
    double best_value; /* the highest rate so far, and the workers that made it */
    uint32_t best_workers;
    uint32_t odd; /* looks in a row that do not fit what was found */
};

/* `workers` are those of the beginning, within least and most; the threshold is as goal_parse has it. */
void goal_search_init(struct goal_search *search, const struct threshold *threshold, uint32_t least,
                      uint32_t most, uint32_t workers);
/* What was measured since there are `workers`. Returns how many there are to be from now on. */
uint32_t goal_search_next(struct goal_search *search, const struct threshold *threshold, double value);
/* "searching", "held", "missed" */
const char *goal_state_name(enum goal_state state);

void goal_search_pack(const struct goal_search *search, struct buffer *into);
/* Into one that was just made for the same goal. */
void goal_search_unpack(struct goal_search *search, struct unpack *from);
