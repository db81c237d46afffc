/* The workers of a runner: an array of pointers sorted by id, so that the workers of a room stand together.
 */
#include "agent/core/runner/roster.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

/* What one roster_add has added. */
struct batch {
    struct batch *next;
    size_t count;
    struct worker workers[];
};

struct roster {
    uint32_t room_size;
    struct worker **items;
    size_t count;
    size_t capacity;
    struct batch *batches;
};

struct roster *roster_new(uint32_t room_size)
{
    struct roster *roster = MEMORY_NEW(struct roster);
    roster->room_size = room_size;
    return roster;
}

void roster_free(struct roster **roster)
{
    if (*roster == NULL) {
        return;
    }
    while ((*roster)->batches != NULL) {
        struct batch *batch = (*roster)->batches;
        (*roster)->batches = batch->next;
        for (size_t i = 0; i < batch->count; i++) {
            worker_finish(&batch->workers[i]);
        }
        memory_free(batch);
    }
    memory_free((*roster)->items);
    memory_free(*roster);
    *roster = NULL;
}

/* The position of the first worker whose id is at least `id`. */
static size_t lower_bound(const struct roster *roster, uint64_t id)
{
    size_t low = 0;
    size_t high = roster->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (roster->items[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct worker *roster_find(const struct roster *roster, uint32_t worker)
{
    size_t position = lower_bound(roster, worker);
    bool is_there = position < roster->count && roster->items[position]->id == worker;
    return is_there ? roster->items[position] : NULL;
}

static int compare_ids(const void *left, const void *right)
{
    uint32_t left_id = *(const uint32_t *)left;
    uint32_t right_id = *(const uint32_t *)right;
    return (left_id > right_id) - (left_id < right_id);
}

static int roster_compare_workers(const void *left, const void *right)
{
    const struct worker *left_worker = *(struct worker *const *)left;
    const struct worker *right_worker = *(struct worker *const *)right;
    return compare_ids(&left_worker->id, &right_worker->id);
}

/* The ids that are new, sorted, each once. */
static uint32_t *new_ids(const struct roster *roster, const struct worker_set *workers, size_t *count)
{
    uint32_t *ids = memory_new(worker_set_count(workers), sizeof *ids);
    size_t used = 0;
    struct worker_cursor cursor = {0};
    while (worker_set_next(workers, &cursor)) {
        if (roster_find(roster, cursor.worker) == NULL) {
            ids[used++] = cursor.worker;
        }
    }
    qsort(ids, used, sizeof *ids, compare_ids);
    *count = 0;
    for (size_t i = 0; i < used; i++) {
        if (i == 0 || ids[i] != ids[i - 1]) {
            ids[(*count)++] = ids[i];
        }
    }
    return ids;
}

struct worker *roster_add(struct roster *roster, const struct worker_set *workers, uint64_t first_step,
                          size_t *count)
{
    uint32_t *ids SCOPED(memory_free_at) = new_ids(roster, workers, count);
    struct batch *batch = memory_new(1, sizeof *batch + *count * sizeof batch->workers[0]);
    batch->count = *count;
    batch->next = roster->batches;
    roster->batches = batch;
    roster->items =
        memory_reserve(roster->items, &roster->capacity, roster->count + *count, sizeof(struct worker *));
    for (size_t i = 0; i < *count; i++) {
        worker_init(&batch->workers[i], ids[i], first_step);
        roster->items[roster->count++] = &batch->workers[i];
    }
    if (*count > 0) {
        qsort(roster->items, roster->count, sizeof(struct worker *), roster_compare_workers);
    }
    return batch->workers;
}

struct worker_list roster_all(const struct roster *roster)
{
    return (struct worker_list){.items = roster->items, .count = roster->count};
}

struct worker_list roster_of_room(const struct roster *roster, uint32_t room)
{
    uint64_t first_id = (uint64_t)room * roster->room_size;
    size_t first = lower_bound(roster, first_id);
    size_t end = lower_bound(roster, first_id + roster->room_size);
    if (first == end) {
        return (struct worker_list){.items = NULL, .count = 0};
    }
    return (struct worker_list){.items = roster->items + first, .count = end - first};
}

uint32_t roster_room(const struct roster *roster, const struct worker *worker)
{
    return worker->id / roster->room_size;
}
