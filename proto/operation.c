/* What is true of each kind of operation. */
#include "proto/operation.h"

#include <assert.h>

struct trait {
    const char *name;
    bool is_wait;
    bool is_answered;
    bool is_aggregated;
};

static const struct trait TRAITS[OPERATION_KIND_COUNT] = {
    /* clang-format off                             wait   answered aggregated */
    [OPERATION_PAST] = {"past", false, false, true},
    [OPERATION_ENDED] = {"ended", false, false, true},
    [OPERATION_READ] = {"one_read", false, false, true},
    [OPERATION_RELEASED] = {"released", false, false, true},
    [OPERATION_WAIT_WRITER] = {"wait_for_writer", true, true, true},
    [OPERATION_WAIT_READERS] = {"wait_for_readers", true, true, true},
    [OPERATION_BARRIER] = {"barrier", true, true, true},
    [OPERATION_DECLARE] = {"notifier", false, true, false},
    [OPERATION_WRITTEN] = {"written", false, true, false},
    [OPERATION_GET] = {"get_var", false, true, false},
    [OPERATION_GET_OR_MAKE] = {"get_var", true, true, false},
    [OPERATION_MADE] = {"get_var", false, true, false},
    [OPERATION_MAKING_FAILED] = {"get_var", false, false, false},
    [OPERATION_SET] = {"set_var", false, true, false},
    [OPERATION_CAS] = {"cas", false, true, false},
    [OPERATION_INCR] = {"incr", false, true, false},
    [OPERATION_DELETE] = {"delete", false, true, false},
    [OPERATION_WAIT_SET] = {"wait_var", true, true, false},
    [OPERATION_WAIT_CHANGED] = {"wait_var", true, true, false},
    /* clang-format on */
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
