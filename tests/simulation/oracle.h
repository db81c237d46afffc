/* Who can never move again, found by brute force over the truth. Written without a look at the coordinator's
 * own search, so that the two can be held against each other. */
#pragma once
#include "tests/simulation/world.h"

/* What is not settled by what the truth knows. */
enum oracle_doubt {
    /* Everybody who must not be called stuck wrongly: workers of a dead process that has not been declared
     * lost yet do not move. */
    ORACLE_MAY_BE_SAID,
    /* Everybody who has to be found: such workers move, since their loss will release others. */
    ORACLE_HAS_TO_BE_SAID,
};

/* Bits of the workers whose waits nothing will end: no workers that can still move could release them, and
 * they have no timeout of their own. */
uint32_t oracle_stuck(struct world *world, enum oracle_doubt doubt);
