/* A set of worker ids as runs with a stride, so that "all workers of this agent" is three numbers. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker_run {
    uint32_t first;
    uint32_t stride; /* at least 1, also where count is 1 */
    uint32_t count;  /* at least 1 */
};

/* Runs are in the order in which workers were added; a worker added twice is listed twice. The last run grows
 * as long as added workers continue it. `runs` is NULL when empty. */
struct worker_set {
    struct worker_run *runs;
    size_t run_count;
    size_t run_capacity;
};

void worker_set_init(struct worker_set *set);
void worker_set_finish(struct worker_set *set);
void worker_set_clear(struct worker_set *set);
void worker_set_add(struct worker_set *set, uint32_t worker);
/* Appends a run unchanged; false if it is empty, has no stride, or exceeds UINT32_MAX. */
MUST_CHECK bool worker_set_add_run(struct worker_set *set, struct worker_run run);
void worker_set_copy(struct worker_set *into, const struct worker_set *from);
uint64_t worker_set_count(const struct worker_set *set);
bool worker_set_has(const struct worker_set *set, uint32_t worker);

struct worker_cursor {
    size_t run;
    uint32_t within;
    uint32_t worker;
};
/* `struct worker_cursor cursor = {0}; while (worker_set_next(set, &cursor)) … cursor.worker …` */
bool worker_set_next(const struct worker_set *set, struct worker_cursor *cursor);

/* "worker 4", "workers 0–3 and 7": a handful at most is spelled out, then "and 12 more". Sorts a copy. Writes
 * at most `size` bytes including the zero. */
void worker_set_describe(const struct worker_set *set, char *text, size_t size);
