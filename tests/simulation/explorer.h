/* A port of the design's executable model: walks every interleaving of a small room, so that the end of a
 * simulated campaign can be compared with all its possible ends. */
#pragma once
#include "tests/simulation/plan.h"

#define EXPLORER_WORKERS 4u

struct explored_end {
    bool is_deadlock;
    uint8_t failed[EXPLORER_WORKERS]; /* steps of each worker */
};

/* Whether the plan uses only what the model knows, and is small enough to be walked. */
bool explorer_knows(const struct plan *plan);
/* Whether `end` is among the possible ends of the plan. Also true if it turned out to be too large. */
bool explorer_allows(const struct plan *plan, const struct explored_end *end);
