/* Finds workers of a room that wait for each other. */
#include "coordinator/core/sync/deadlock.h"

#include <stdlib.h>

/* A worker that is in one of the steps up to `step` and moves can release waits. */
struct movers {
    bool are_any;
    uint64_t least_step;
};

static void add_mover(struct movers *movers, uint64_t step)
{
    if (!movers->are_any || step < movers->least_step) {
        *movers = (struct movers){.are_any = true, .least_step = step};
    }
}

static bool is_releasable(const struct movers *movers, const struct stand *stand)
{
    return movers->are_any && movers->least_step <= stand->hangs_on;
}

static int by_what_it_hangs_on(const void *left, const void *right)
{
    uint64_t left_step = ((const struct stand *)left)->hangs_on;
    uint64_t right_step = ((const struct stand *)right)->hangs_on;
    return (left_step < right_step) - (left_step > right_step); /* descending */
}

static int by_worker(const void *left, const void *right)
{
    uint32_t left_worker = ((const struct stand *)left)->worker;
    uint32_t right_worker = ((const struct stand *)right)->worker;
    return (left_worker > right_worker) - (left_worker < right_worker);
}

/* Keeps the workers that the movers known so far cannot release; the others become movers themselves, since
 * it is unknown what they do once released. */
static size_t sift(struct movers *movers, struct stand *stands, size_t count)
{
    struct movers known = *movers;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (stands[i].is_waiting && !is_releasable(&known, &stands[i])) {
            stands[kept++] = stands[i];
        } else {
            add_mover(movers, stands[i].step);
        }
    }
    return kept;
}

size_t deadlock_find(struct stand *stands, size_t count)
{
    struct movers movers = {0};
    for (size_t i = 0; i < count; i++) {
        if (!stands[i].is_waiting) {
            add_mover(&movers, stands[i].step);
        }
    }
    /* In most cases nobody is left after this, and nothing has to be sorted. */
    count = sift(&movers, stands, count);
    if (count == 0) {
        return 0;
    }
    qsort(stands, count, sizeof *stands, by_what_it_hangs_on);
    /* Sorted by hangs_on, descending: if the first cannot be released, no later one can. */
    size_t released = 0;
    while (released < count && is_releasable(&movers, &stands[released])) {
        add_mover(&movers, stands[released++].step);
    }
    for (size_t i = released; i < count; i++) {
        stands[i - released] = stands[i];
    }
    count -= released;
    qsort(stands, count, sizeof *stands, by_worker);
    return count;
}
