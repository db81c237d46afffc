/* Workers grouped by what they are doing now, for messages: who is in which step, who waits for what. */
#pragma once
#include "common/buffer.h"
#include "common/worker_set.h"

#include <stdbool.h>

struct rooms;
struct wait;

#define LINEUP_GROUPS 6u

struct lineup_group {
    const struct wait *wait; /* the first one's; NULL for those that move */
    uint64_t step;
    bool is_known; /* the step */
    struct worker_set workers;
};

struct lineup {
    const struct rooms *rooms;
    struct lineup_group groups[LINEUP_GROUPS];
    size_t count;
    uint64_t others; /* workers that found no place in a group */
};

void lineup_init(struct lineup *lineup, const struct rooms *rooms);
void lineup_finish(struct lineup *lineup);
void lineup_add(struct lineup *lineup, uint32_t worker);
/* "worker 2 is in step 2, workers 0 and 1 wait for the writer of pad@3", with how far that is if
 * `has_progress`. */
void lineup_describe(const struct lineup *lineup, const char *separator, bool has_progress,
                     struct buffer *text);
