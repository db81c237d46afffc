/* What a campaign is to hold by changing the number of its workers, as an option spells it:
 *   THRESHOLD[;min=N][;max=N]   "http.p95 < 200ms;max=500"
 * or with one of p50=TIME (and the like), mean=TIME, rate=N in place of the threshold. Pure. */
#pragma once
#include "proto/message/threshold.h"

#define GOAL_TEXT_BYTES 400u

struct goal {
    char text[GOAL_TEXT_BYTES]; /* the threshold; one about the latest ten seconds unless it says otherwise */
    uint32_t least;             /* workers; 0: one, or one room */
    uint32_t most;
};

MUST_CHECK bool goal_parse(struct bytes text, struct goal *goal, struct error *error);
/* For a row of `struct option`: the same, or nothing. */
bool goal_check(struct bytes text, struct error *error);
