/* Finds workers of a room that wait for each other: the greatest set of waiting workers that nobody outside
 * it can release. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HANGS_ON_EVERY_STEP UINT64_MAX /* on a variable: any live worker can set it */

/* The state of a live worker of the room. */
struct stand {
    uint32_t worker;
    bool is_waiting;   /* and only another worker can end that wait */
    uint64_t step;     /* the step that it is in */
    uint64_t hangs_on; /* the step that it waits on: any worker that is not past it can release it */
};

/* Moves the set to the front, in ascending order of worker, and returns its size. */
size_t deadlock_find(struct stand *stands, size_t count);
