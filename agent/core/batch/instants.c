/* When each of the workers of one operation did it. */
#include "agent/core/batch/instants.h"
#include "common/memory.h"
#include "common/time_units.h"

#include <stdlib.h>

#define MAX_SPAN_NS ((int64_t)UINT32_MAX * NS_PER_US)

struct deed {
    int64_t instant_ns;
    uint32_t worker;
};

void instants_finish(struct instants *instants)
{
    memory_free(instants->items);
    memory_free(instants->after_us);
    *instants = (struct instants){0};
}

bool instants_are_with(const struct operation *operation)
{
    return operation->kind == OPERATION_READ && operation->first_ns != 0;
}

bool instants_may_add(const struct instants *instants, int64_t instant_ns)
{
    if (instants->count == 0) {
        return true;
    }
    int64_t first_ns = instant_ns < instants->first_ns ? instant_ns : instants->first_ns;
    int64_t last_ns = instant_ns > instants->last_ns ? instant_ns : instants->last_ns;
    int64_t span_ns;
    return instants->count < INSTANTS_MAX && !__builtin_sub_overflow(last_ns, first_ns, &span_ns) &&
           span_ns <= MAX_SPAN_NS;
}

void instants_add(struct instants *instants, int64_t instant_ns)
{
    bool is_only = instants->count == 0;
    instants->items =
        memory_reserve(instants->items, &instants->capacity, instants->count + 1, sizeof *instants->items);
    instants->items[instants->count++] = instant_ns;
    instants->first_ns = is_only || instant_ns < instants->first_ns ? instant_ns : instants->first_ns;
    instants->last_ns = is_only || instant_ns > instants->last_ns ? instant_ns : instants->last_ns;
}

static int instants_compare_workers(const void *left, const void *right)
{
    uint32_t left_id = ((const struct deed *)left)->worker;
    uint32_t right_id = ((const struct deed *)right)->worker;
    return (left_id > right_id) - (left_id < right_id);
}

void instants_sort(struct instants *instants, struct worker_set *workers)
{
    size_t count = worker_set_count(workers);
    struct deed *deeds SCOPED(memory_free_at) = memory_new(count, sizeof *deeds);
    struct worker_cursor cursor = {0};
    for (size_t i = 0; worker_set_next(workers, &cursor); i++) {
        deeds[i].worker = cursor.worker;
        deeds[i].instant_ns = i < instants->count ? instants->items[i] : 0;
    }
    qsort(deeds, count, sizeof *deeds, instants_compare_workers);
    worker_set_clear(workers);
    for (size_t i = 0; i < count; i++) {
        worker_set_add(workers, deeds[i].worker);
        if (i < instants->count) {
            instants->items[i] = deeds[i].instant_ns;
        }
    }
}

void instants_tell(struct instants *instants, struct operation *operation)
{
    operation->after_us = NULL;
    operation->after_count = 0;
    if (instants->count == 0) {
        return;
    }
    operation->first_ns = instants->first_ns;
    operation->last_ns = 0;
    if (instants->last_ns - instants->first_ns < NS_PER_US) {
        return;
    }
    memory_free(instants->after_us);
    instants->after_us = memory_new(instants->count, sizeof *instants->after_us);
    for (size_t i = 0; i < instants->count; i++) {
        instants->after_us[i] = (uint32_t)((instants->items[i] - instants->first_ns) / NS_PER_US);
    }
    operation->after_us = instants->after_us;
    operation->after_count = instants->count;
}
