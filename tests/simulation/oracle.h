/* Which workers can never move again, found by brute force over the truth. Written independently of the
 * coordinator's own search, so that the two can be compared. */
#pragma once
#include "tests/simulation/world.h"

/* For cases that the truth does not settle. */
enum oracle_doubt {
    /* Every worker that must not be called stuck wrongly: workers of a dead process that has not been
     * declared lost yet do not move. */
    ORACLE_MAY_BE_SAID,
    /* Every worker that has to be found: such workers move, since their loss will release others. */
    ORACLE_HAS_TO_BE_SAID,
};

/* Bits of the workers whose waits nothing will end: no worker that can still move could release them, and
 * they have no timeout of their own. */
uint32_t oracle_stuck(struct world *world, enum oracle_doubt doubt);
