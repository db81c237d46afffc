/* The workers of a runner: an array of pointers sorted by id, so that the workers of a room stand
 * together. */
#include "agent/core/runner/worker_index.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

/* What one worker_index_add has added. */
struct batch {
    struct batch *next;
    size_t count;
    struct worker workers[];
};

struct worker_index {
    uint32_t room_size;
    struct worker **items;
    size_t count;
    size_t capacity;
    struct batch *batches;
};

struct worker_index *worker_index_new(uint32_t room_size)
{
    struct worker_index *index = MEMORY_NEW(struct worker_index);
    index->room_size = room_size;
    return index;
}

void worker_index_free(struct worker_index **index)
{
    if (*index == NULL) {
        return;
    }
    while ((*index)->batches != NULL) {
        struct batch *batch = (*index)->batches;
        (*index)->batches = batch->next;
        for (size_t i = 0; i < batch->count; i++) {
            worker_finish(&batch->workers[i]);
        }
        memory_free(batch);
    }
    memory_free((*index)->items);
    memory_free(*index);
    *index = NULL;
}

/* The position of the first worker whose id is at least `id`. */
static size_t lower_bound(const struct worker_index *index, uint64_t id)
{
    size_t low = 0;
    size_t high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->items[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct worker *worker_index_find(const struct worker_index *index, uint32_t worker)
{
    size_t position = lower_bound(index, worker);
    bool is_there = position < index->count && index->items[position]->id == worker;
    return is_there ? index->items[position] : NULL;
}

static int compare_ids(const void *left, const void *right)
{
    uint32_t left_id = *(const uint32_t *)left;
    uint32_t right_id = *(const uint32_t *)right;
    return (left_id > right_id) - (left_id < right_id);
}

static int worker_index_compare_workers(const void *left, const void *right)
{
    const struct worker *left_worker = *(struct worker *const *)left;
    const struct worker *right_worker = *(struct worker *const *)right;
    return compare_ids(&left_worker->id, &right_worker->id);
}

/* The ids that are new, sorted, each once. */
static uint32_t *new_ids(const struct worker_index *index, const struct worker_set *workers, size_t *count)
{
    uint32_t *ids = memory_new(worker_set_count(workers), sizeof *ids);
    size_t used = 0;
    struct worker_cursor cursor = {0};
    while (worker_set_next(workers, &cursor)) {
        if (worker_index_find(index, cursor.worker) == NULL) {
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

struct worker *worker_index_add(struct worker_index *index, const struct worker_set *workers,
                                uint64_t first_step, size_t *count)
{
    uint32_t *ids SCOPED(memory_free_at) = new_ids(index, workers, count);
    struct batch *batch = memory_new(1, sizeof *batch + *count * sizeof batch->workers[0]);
    batch->count = *count;
    batch->next = index->batches;
    index->batches = batch;
    index->items =
        memory_reserve(index->items, &index->capacity, index->count + *count, sizeof(struct worker *));
    for (size_t i = 0; i < *count; i++) {
        worker_init(&batch->workers[i], ids[i], first_step);
        index->items[index->count++] = &batch->workers[i];
    }
    if (*count > 0) {
        qsort(index->items, index->count, sizeof(struct worker *), worker_index_compare_workers);
    }
    return batch->workers;
}

struct worker_list worker_index_all(const struct worker_index *index)
{
    return (struct worker_list){.items = index->items, .count = index->count};
}

struct worker_list worker_index_of_room(const struct worker_index *index, uint32_t room)
{
    uint64_t first_id = (uint64_t)room * index->room_size;
    size_t first = lower_bound(index, first_id);
    size_t end = lower_bound(index, first_id + index->room_size);
    if (first == end) {
        return (struct worker_list){.items = NULL, .count = 0};
    }
    return (struct worker_list){.items = index->items + first, .count = end - first};
}

uint32_t worker_index_room(const struct worker_index *index, const struct worker *worker)
{
    return worker->id / index->room_size;
}
