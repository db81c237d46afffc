/* Properties of each kind of operation, and copies of operations and replies, each in one piece of memory:
 * they are made and freed for every call of every worker. */
#include "proto/message/operation.h"

#include "common/memory.h"
#include "common/shared.h"
#include "common/time_units.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

struct trait {
    const char *name;
    bool is_wait;
    bool is_answered;
    bool is_aggregated;
};

static const struct trait TRAITS[OPERATION_KIND_COUNT] = {
    [OPERATION_PAST] = {.name = "past", .is_aggregated = true},
    [OPERATION_ENDED] = {.name = "ended", .is_aggregated = true},
    [OPERATION_READ] = {.name = "one_read", .is_aggregated = true},
    [OPERATION_RELEASED] = {.name = "released", .is_aggregated = true},
    [OPERATION_WAIT_WRITER] = {.name = "wait_for_writer",
                               .is_wait = true,
                               .is_answered = true,
                               .is_aggregated = true},
    [OPERATION_WAIT_READERS] = {.name = "wait_for_readers",
                                .is_wait = true,
                                .is_answered = true,
                                .is_aggregated = true},
    [OPERATION_BARRIER] = {.name = "barrier", .is_wait = true, .is_answered = true, .is_aggregated = true},
    [OPERATION_DECLARE] = {.name = "notifier", .is_answered = true},
    [OPERATION_WRITTEN] = {.name = "written", .is_answered = true},
    [OPERATION_GET] = {.name = "get_var", .is_answered = true},
    [OPERATION_GET_OR_MAKE] = {.name = "get_var", .is_wait = true, .is_answered = true},
    [OPERATION_MADE] = {.name = "get_var", .is_answered = true},
    [OPERATION_MAKING_FAILED] = {.name = "get_var"},
    [OPERATION_SET] = {.name = "set_var", .is_answered = true},
    [OPERATION_CAS] = {.name = "cas", .is_answered = true},
    [OPERATION_INCR] = {.name = "incr", .is_answered = true},
    [OPERATION_DELETE] = {.name = "delete", .is_answered = true},
    [OPERATION_WAIT_SET] = {.name = "wait_var", .is_wait = true, .is_answered = true},
    [OPERATION_WAIT_CHANGED] = {.name = "wait_var", .is_wait = true, .is_answered = true},
    [OPERATION_WRITING] = {.name = "writing", .is_aggregated = true},
    [OPERATION_BEGUN] = {.name = "begun", .is_aggregated = true},
    [OPERATION_SETTLED] = {.name = "settled"},
    [OPERATION_GIVEN_UP] = {.name = "given_up"},
};

static const struct trait *trait_of(enum operation_kind kind)
{
    assert((unsigned)kind < OPERATION_KIND_COUNT);
    return &TRAITS[kind];
}

bool operation_is_wait(enum operation_kind kind)
{
    return trait_of(kind)->is_wait;
}

bool operation_is_answered(enum operation_kind kind)
{
    return trait_of(kind)->is_answered;
}

bool operation_is_aggregated(enum operation_kind kind)
{
    return trait_of(kind)->is_aggregated;
}

const char *operation_name(enum operation_kind kind)
{
    return trait_of(kind)->name;
}

int64_t operation_instant_ns(const struct operation *operation, size_t place)
{
    int64_t after_ns = operation->after_us == NULL ? 0 : (int64_t)operation->after_us[place] * NS_PER_US;
    int64_t instant_ns;
    return __builtin_add_overflow(operation->first_ns, after_ns, &instant_ns) ? INT64_MAX : instant_ns;
}

const char *outcome_name(enum outcome outcome)
{
    static const char *const NAMES[OUTCOME_COUNT] = {
        [OUTCOME_OK] = "ok",           [OUTCOME_TIMEOUT] = "timeout",
        [OUTCOME_SHORT] = "short",     [OUTCOME_DEADLOCK] = "deadlock",
        [OUTCOME_STOPPED] = "stopped", [OUTCOME_REFUSED] = "refused",
    };
    assert((unsigned)outcome < OUTCOME_COUNT);
    return NAMES[outcome];
}

/* What follows the structure: first the runs and instants, which need alignment, then the bytes. */
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

struct shared_reply {
    atomic_size_t holders;
    struct reply reply;
};

struct shared_reply *shared_reply_new(const struct reply *reply)
{
    size_t runs = runs_size(&reply->missing);
    size_t own_value = reply->shared == NULL ? reply->value.size : 0;
    size_t bytes = reply->name.size + own_value + reply->text.size;
    struct shared_reply *shared = memory_new(1, sizeof *shared + runs + bytes);
    struct reply *copy = &shared->reply;
    struct tail tail = {.runs = (uint8_t *)(shared + 1), .bytes = (uint8_t *)(shared + 1) + runs};
    atomic_init(&shared->holders, 1);
    *copy = *reply;
    worker_set_init(&copy->workers);
    move_set(&copy->missing, &tail);
    move_bytes(&copy->name, &tail);
    if (copy->shared != NULL) {
        copy->value = shared_bytes(shared_hold(copy->shared));
    } else {
        move_bytes(&copy->value, &tail);
    }
    move_bytes(&copy->text, &tail);
    return shared;
}

struct shared_reply *shared_reply_hold(struct shared_reply *shared)
{
    size_t before = atomic_fetch_add_explicit(&shared->holders, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
    return shared;
}

void shared_reply_release(struct shared_reply **at)
{
    struct shared_reply *shared = *at;
    *at = NULL;
    if (shared == NULL) {
        return;
    }
    /* The last one has to see all that the other holders did before they let go. */
    size_t before = atomic_fetch_sub_explicit(&shared->holders, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1) {
        shared_release(&shared->reply.shared);
        memory_free(shared);
    }
}

const struct reply *shared_reply_get(const struct shared_reply *shared)
{
    return &shared->reply;
}
