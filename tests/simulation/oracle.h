/* Who can never move again, found by brute force over the truth. Written without a look at the coordinator's
 * own search, so that the two can be held against each other. */
#pragma once
#include "tests/simulation/world.h"

/* Bits of the workers whose waits nothing will end: no worker that can still move could release them, and
 * they have no timeout of their own. `does_limbo_move`: workers of a dead process that has not been declared
 * lost yet count as able to move (since their loss will release others) or as not. */
uint32_t oracle_stuck(struct world *world, bool does_limbo_move);
