/* Properties of each kind of operation. */
#include "proto/message/operation.h"

#include <assert.h>

#define NS_PER_US 1000

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
