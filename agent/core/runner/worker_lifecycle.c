/* The life of a worker as a table. */
#include "agent/core/runner/worker_lifecycle.h"

#include <assert.h>
#include <stddef.h>

/* By state and event. Looked up several times in each step, so it is indexed. */
static const struct worker_move MOVES[WORKER_STATE_COUNT][WORKER_EVENT_COUNT] =
    {
        [WORKER_WAITING] =
            {
                [WORKER_START] = {WORKER_SETUP, WORKER_DO_SETUP},
                [WORKER_END] = {WORKER_GONE, WORKER_DO_VANISH},
                [WORKER_STOP] = {WORKER_GONE, WORKER_DO_VANISH},
            },
        [WORKER_SETUP] =
            {
                [WORKER_SETUP_OK] = {WORKER_BETWEEN, WORKER_DO_CHOOSE},
                [WORKER_SETUP_FAILED] = {WORKER_TEARDOWN, WORKER_DO_BREAK_OFF},
                [WORKER_SETUP_LATE] = {WORKER_SETUP, WORKER_DO_CUT_SHORT},
                [WORKER_STOP] = {WORKER_SETUP, WORKER_DO_NOTHING},
            },
        [WORKER_BETWEEN] =
            {
                [WORKER_REST] = {WORKER_BETWEEN, WORKER_DO_REST},
                [WORKER_HALT] = {WORKER_HALTED, WORKER_DO_NOTHING},
                [WORKER_GO] = {WORKER_ASKING, WORKER_DO_ASK},
                [WORKER_END] = {WORKER_HELD, WORKER_DO_HOLD},
                [WORKER_STOP] = {WORKER_TEARDOWN, WORKER_DO_BREAK_OFF},
            },
        [WORKER_HALTED] =
            {
                [WORKER_GO] = {WORKER_ASKING, WORKER_DO_ASK},
                [WORKER_END] = {WORKER_HELD, WORKER_DO_HOLD},
                [WORKER_STOP] = {WORKER_TEARDOWN, WORKER_DO_BREAK_OFF},
            },
        [WORKER_ASKING] =
            {
                [WORKER_KNOWN] = {WORKER_STEPPING, WORKER_DO_STEP},
                [WORKER_STOP] = {WORKER_TEARDOWN, WORKER_DO_BREAK_OFF},
            },
        [WORKER_STEPPING] =
            {
                [WORKER_STEP_OVER] = {WORKER_BETWEEN, WORKER_DO_REPORT},
                [WORKER_STOP] = {WORKER_STEPPING, WORKER_DO_NOTHING},
            },
        [WORKER_HELD] =
            {
                [WORKER_RELEASE] = {WORKER_TEARDOWN, WORKER_DO_TEARDOWN},
                [WORKER_STOP] = {WORKER_TEARDOWN, WORKER_DO_TEARDOWN},
            },
        [WORKER_TEARDOWN] =
            {
                [WORKER_STOP] = {WORKER_TEARDOWN, WORKER_DO_NOTHING},
                [WORKER_TORN_DOWN] = {WORKER_GONE, WORKER_DO_BURY},
            },
        [WORKER_GONE] =
            {
                [WORKER_STOP] = {WORKER_GONE, WORKER_DO_NOTHING},
            },
};

const struct worker_move *worker_move_find(enum worker_state state, enum worker_event event)
{
    const struct worker_move *move;

    assert((unsigned)state < WORKER_STATE_COUNT && (unsigned)event < WORKER_EVENT_COUNT);
    move = &MOVES[state][event];
    return move->action != WORKER_REFUSED ? move : NULL;
}

const char *worker_state_name(enum worker_state state)
{
    static const char *const NAMES[WORKER_STATE_COUNT] = {
        [WORKER_WAITING] = "waiting", [WORKER_SETUP] = "setup",       [WORKER_BETWEEN] = "between",
        [WORKER_HALTED] = "halted",   [WORKER_HELD] = "held",         [WORKER_STEPPING] = "stepping",
        [WORKER_ASKING] = "asking",   [WORKER_TEARDOWN] = "teardown", [WORKER_GONE] = "gone",
    };
    assert((unsigned)state < WORKER_STATE_COUNT);
    return NAMES[state];
}

const char *worker_event_name(enum worker_event event)
{
    static const char *const NAMES[WORKER_EVENT_COUNT] = {
        [WORKER_START] = "start",
        [WORKER_SETUP_OK] = "setup_ok",
        [WORKER_SETUP_FAILED] = "setup_failed",
        [WORKER_SETUP_LATE] = "setup_late",
        [WORKER_STEP_OVER] = "step_over",
        [WORKER_REST] = "rest",
        [WORKER_HALT] = "halt",
        [WORKER_GO] = "go",
        [WORKER_KNOWN] = "known",
        [WORKER_END] = "end",
        [WORKER_STOP] = "stop",
        [WORKER_RELEASE] = "release",
        [WORKER_TORN_DOWN] = "torn_down",
    };
    assert((unsigned)event < WORKER_EVENT_COUNT);
    return NAMES[event];
}

const char *worker_action_name(enum worker_action action)
{
    static const char *const NAMES[WORKER_ACTION_COUNT] = {
        [WORKER_REFUSED] = "refused",        [WORKER_DO_NOTHING] = "nothing",
        [WORKER_DO_SETUP] = "setup",         [WORKER_DO_CUT_SHORT] = "cut_short",
        [WORKER_DO_CHOOSE] = "choose",       [WORKER_DO_REPORT] = "report",
        [WORKER_DO_REST] = "rest",           [WORKER_DO_ASK] = "ask",
        [WORKER_DO_STEP] = "step",           [WORKER_DO_HOLD] = "hold",
        [WORKER_DO_BREAK_OFF] = "break_off", [WORKER_DO_TEARDOWN] = "teardown",
        [WORKER_DO_VANISH] = "vanish",       [WORKER_DO_BURY] = "bury",
    };
    assert((unsigned)action < WORKER_ACTION_COUNT);
    return NAMES[action];
}
