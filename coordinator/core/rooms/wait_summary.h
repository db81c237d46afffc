/* Workers grouped by what they are doing at the moment, for messages: in which step they are, what they wait
 * for. */
#pragma once
#include "common/buffer.h"
#include "common/worker_set.h"

#include <stdbool.h>

struct rooms;
struct wait;

#define WAIT_SUMMARY_GROUPS 6u

struct wait_summary_group {
    const struct wait *wait; /* that of the first worker; NULL for workers that do not wait */
    uint64_t step;
    bool is_known; /* the step */
    struct worker_set workers;
};

struct wait_summary {
    const struct rooms *rooms;
    struct wait_summary_group groups[WAIT_SUMMARY_GROUPS];
    size_t count;
    uint64_t others; /* workers that did not fit in any group */
};

void wait_summary_init(struct wait_summary *summary, const struct rooms *rooms);
void wait_summary_finish(struct wait_summary *summary);
void wait_summary_add(struct wait_summary *summary, uint32_t worker);
/* "worker 2 is in step 2, workers 0 and 1 wait for the writer of pad@3", with the progress of each wait if
 * `has_progress`. */
void wait_summary_describe(const struct wait_summary *summary, const char *separator, bool has_progress,
                           struct buffer *text);
