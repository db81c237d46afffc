/* Deep copies of operations and replies, each in one piece of memory: they are made and freed for every call
 * of every worker. */
#include "agent/core/batch/command.h"
#include "common/memory.h"
#include "common/shared.h"

#include <string.h>

/* What lies behind the structure: first the runs and instants, which need alignment, then the bytes. */
struct tail {
    uint8_t *runs;
    uint8_t *bytes;
};

static size_t runs_size(const struct worker_set *set)
{
    return set->run_count * sizeof(struct worker_run);
}

static void move_set(struct worker_set *set, struct tail *tail)
{
    const struct worker_run *from = set->runs;
    size_t size = runs_size(set);
    if (size == 0) {
        worker_set_init(set);
        return;
    }
    memcpy(tail->runs, from, size);
    set->runs = (struct worker_run *)(void *)tail->runs;
    set->run_capacity = set->run_count;
    tail->runs += size;
}

static size_t instants_size(const struct operation *operation)
{
    return operation->after_count * sizeof(uint32_t);
}

static void move_instants(struct operation *operation, struct tail *tail)
{
    size_t size = instants_size(operation);
    if (size > 0) {
        memcpy(tail->runs, operation->after_us, size);
        operation->after_us = (const uint32_t *)(const void *)tail->runs;
        tail->runs += size;
    }
}

static void move_bytes(struct bytes *bytes, struct tail *tail)
{
    if (bytes->size == 0) {
        *bytes = bytes_of(NULL, 0);
        return;
    }
    memcpy(tail->bytes, bytes->data, bytes->size);
    bytes->data = tail->bytes;
    tail->bytes += bytes->size;
}

struct operation *operation_copy(const struct operation *operation)
{
    size_t runs = runs_size(&operation->workers) + instants_size(operation);
    size_t bytes = operation->name.size + operation->value.size + operation->expected.size +
                   operation->text.size + operation->digest.size;
    struct operation *copy = memory_new(1, sizeof *copy + runs + bytes);
    *copy = *operation;
    struct tail tail = {.runs = (uint8_t *)(copy + 1), .bytes = (uint8_t *)(copy + 1) + runs};
    move_set(&copy->workers, &tail);
    move_instants(copy, &tail);
    move_bytes(&copy->name, &tail);
    move_bytes(&copy->value, &tail);
    move_bytes(&copy->expected, &tail);
    move_bytes(&copy->text, &tail);
    move_bytes(&copy->digest, &tail);
    return copy;
}

void operation_free(struct operation **operation)
{
    memory_free(*operation);
    *operation = NULL;
}

struct reply *reply_copy(const struct reply *reply)
{
    size_t runs = runs_size(&reply->workers) + runs_size(&reply->missing);
    size_t own_value = reply->shared == NULL ? reply->value.size : 0;
    size_t bytes = reply->name.size + own_value + reply->text.size;
    struct reply *copy = memory_new(1, sizeof *copy + runs + bytes);
    *copy = *reply;
    struct tail tail = {.runs = (uint8_t *)(copy + 1), .bytes = (uint8_t *)(copy + 1) + runs};
    move_set(&copy->workers, &tail);
    move_set(&copy->missing, &tail);
    move_bytes(&copy->name, &tail);
    if (copy->shared != NULL) {
        (void)shared_hold(copy->shared);
        copy->value = shared_bytes(copy->shared);
    } else {
        move_bytes(&copy->value, &tail);
    }
    move_bytes(&copy->text, &tail);
    return copy;
}

void reply_free(struct reply **reply)
{
    if (*reply != NULL) {
        shared_release(&(*reply)->shared);
    }
    memory_free(*reply);
    *reply = NULL;
}
