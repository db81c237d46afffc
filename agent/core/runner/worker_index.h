/* The workers of a runner, found by id and by room. They stay where they are in memory. */
#pragma once
#include "agent/core/runner/worker.h"
#include "common/attributes.h"

struct worker_index;

MUST_CHECK struct worker_index *worker_index_new(uint32_t room_size);
void worker_index_free(struct worker_index **index);
/* Adds those of `workers` that are not there yet. Returns the new ones, `count` of them, by rising id;
 * borrowed for the life of the index. */
struct worker *worker_index_add(struct worker_index *index, const struct worker_set *workers,
                                uint64_t first_step, size_t *count);
struct worker *worker_index_find(const struct worker_index *index, uint32_t worker);

/* Workers by rising id, borrowed until the next worker_index_add. */
struct worker_list {
    struct worker *const *items;
    size_t count;
};
struct worker_list worker_index_all(const struct worker_index *index);
struct worker_list worker_index_of_room(const struct worker_index *index, uint32_t room);
uint32_t worker_index_room(const struct worker_index *index, const struct worker *worker);
