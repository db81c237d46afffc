/* A set of worker ids as runs with a stride. */
#include "common/worker_set.h"
#include "common/memory.h"

#include <string.h>

void worker_set_init(struct worker_set *set)
{
    *set = (struct worker_set){0};
}

void worker_set_finish(struct worker_set *set)
{
    memory_free(set->runs);
    worker_set_init(set);
}

void worker_set_clear(struct worker_set *set)
{
    set->run_count = 0;
}

static void append(struct worker_set *set, struct worker_run run)
{
    set->runs = memory_reserve(set->runs, &set->run_capacity, set->run_count + 1, sizeof *set->runs);
    set->runs[set->run_count++] = run;
}

/* Whether `worker` continues the run; if so the run is extended. The second worker determines the stride. */
static bool extend(struct worker_run *run, uint32_t worker)
{
    if (run->count == 1 && worker > run->first) {
        run->stride = worker - run->first;
        run->count = 2;
        return true;
    }
    if (run->count == UINT32_MAX || worker != run->first + (uint64_t)run->stride * run->count) {
        return false;
    }
    run->count++;
    return true;
}

void worker_set_add(struct worker_set *set, uint32_t worker)
{
    if (set->run_count == 0 || !extend(&set->runs[set->run_count - 1], worker)) {
        append(set, (struct worker_run){.first = worker, .stride = 1, .count = 1});
    }
}

bool worker_set_add_run(struct worker_set *set, struct worker_run run)
{
    if (run.count == 0 || run.stride == 0 ||
        run.first + (uint64_t)run.stride * (run.count - 1) > UINT32_MAX) {
        return false;
    }
    append(set, run);
    return true;
}

void worker_set_copy(struct worker_set *into, const struct worker_set *from)
{
    if (into == from) {
        return;
    }
    into->runs = memory_reserve(into->runs, &into->run_capacity, from->run_count, sizeof *into->runs);
    if (from->run_count > 0) {
        memcpy(into->runs, from->runs, from->run_count * sizeof *into->runs);
    }
    into->run_count = from->run_count;
}

uint64_t worker_set_count(const struct worker_set *set)
{
    uint64_t count = 0;
    for (size_t i = 0; i < set->run_count; i++) {
        count += set->runs[i].count;
    }
    return count;
}

bool worker_set_has(const struct worker_set *set, uint32_t worker)
{
    for (size_t i = 0; i < set->run_count; i++) {
        const struct worker_run *run = &set->runs[i];
        if (worker >= run->first && (worker - run->first) % run->stride == 0 &&
            (worker - run->first) / run->stride < run->count) {
            return true;
        }
    }
    return false;
}

bool worker_set_next(const struct worker_set *set, struct worker_cursor *cursor)
{
    if (cursor->run < set->run_count && cursor->within >= set->runs[cursor->run].count) {
        cursor->run++;
        cursor->within = 0;
    }
    if (cursor->run >= set->run_count) {
        return false;
    }
    const struct worker_run *run = &set->runs[cursor->run];
    cursor->worker = run->first + run->stride * cursor->within;
    cursor->within++;
    return true;
}
