/* The workers of a runner, found by id and by room. They stay where they are in memory. */
#pragma once
#include "agent/core/runner/worker.h"
#include "common/attributes.h"

struct roster;

MUST_CHECK struct roster *roster_new(uint32_t room_size);
void roster_free(struct roster **roster);
/* Adds those of `workers` that are not there yet. Gives back the new ones, `count` of them, by rising id;
 * borrowed for the life of the roster. */
struct worker *roster_add(struct roster *roster, const struct worker_set *workers, uint64_t first_step,
                          size_t *count);
struct worker *roster_find(const struct roster *roster, uint32_t worker);

/* Workers by rising id, borrowed until the next roster_add. */
struct worker_list {
    struct worker *const *items;
    size_t count;
};
struct worker_list roster_all(const struct roster *roster);
struct worker_list roster_of_room(const struct roster *roster, uint32_t room);
uint32_t roster_room(const struct roster *roster, const struct worker *worker);
