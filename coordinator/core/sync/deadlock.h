/* Finds who waits for each other in a room: the greatest set of waiting workers that nobody outside it can
 * release. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HANGS_ON_EVERY_STEP UINT64_MAX /* on a variable: whoever lives can set it */

/* How a live worker of the room stands. */
struct stand {
    uint32_t worker;
    bool is_waiting;   /* and nothing but another worker can end that */
    uint64_t step;     /* that it is in */
    uint64_t hangs_on; /* the step that it waits on: whoever is not past it can release it */
};

/* Puts the set in front, in rising order of worker, and gives back how many they are. */
size_t deadlock_find(struct stand *stands, size_t count);
