/* The phases of a virtual user as a table. */
#include "agent/shard/vu_phase.h"

#include <assert.h>
#include <stddef.h>

/* By phase and event. Looked up several times in each step, so it is indexed. */
static const struct vu_move MOVES[VU_PHASE_COUNT][VU_EVENT_COUNT] =
    {
        [VU_IDLE] =
            {
                [VU_BEGIN_SETUP] = {VU_SETUP, VU_DO_QUEUE},
                [VU_BEGIN_STEP] = {VU_STEP, VU_DO_QUEUE},
                [VU_BEGIN_TEARDOWN] = {VU_TEARDOWN_SESSION, VU_DO_QUEUE},
                [VU_BEGIN_GLOBAL_SETUP] = {VU_GLOBAL_SETUP, VU_DO_QUEUE},
                [VU_BEGIN_GLOBAL_TEARDOWN] = {VU_GLOBAL_TEARDOWN, VU_DO_QUEUE},
                [VU_BEGIN_TASK] = {VU_TASK, VU_DO_QUEUE},
                [VU_STOP] = {VU_IDLE, VU_DO_NOTHING},
            },
        [VU_SETUP] =
            {
                [VU_TURN] = {VU_SETUP, VU_DO_RUN},
                [VU_OK] = {VU_SETUP_SESSION, VU_DO_RUN},
                [VU_FAILED] = {VU_IDLE, VU_DO_REPORT_SETUP},
                [VU_STOPPED] = {VU_IDLE, VU_DO_REPORT_SETUP},
                [VU_DUE] = {VU_SETUP, VU_DO_WAKE},
                [VU_LATE] = {VU_SETUP, VU_DO_CUT_SHORT},
                [VU_STOP] = {VU_SETUP, VU_DO_END_WAIT},
            },
        [VU_SETUP_SESSION] =
            {
                [VU_TURN] = {VU_SETUP_SESSION, VU_DO_RUN},
                [VU_OK] = {VU_IDLE, VU_DO_REPORT_SETUP},
                [VU_FAILED] = {VU_IDLE, VU_DO_REPORT_SETUP},
                [VU_STOPPED] = {VU_IDLE, VU_DO_REPORT_SETUP},
                [VU_DUE] = {VU_SETUP_SESSION, VU_DO_WAKE},
                [VU_LATE] = {VU_SETUP_SESSION, VU_DO_CUT_SHORT},
                [VU_STOP] = {VU_SETUP_SESSION, VU_DO_END_WAIT},
            },
        [VU_STEP] =
            {
                [VU_TURN] = {VU_STEP, VU_DO_RUN},
                [VU_OK] = {VU_IDLE, VU_DO_REPORT_STEP},
                [VU_OK_DELAYED] = {VU_STEP_DELAY, VU_DO_DELAY},
                [VU_OK_OTHERS_QUEUED] = {VU_STEP_OVER, VU_DO_QUEUE},
                [VU_FAILED] = {VU_IDLE, VU_DO_REPORT_STEP},
                [VU_FAILED_WITNESSED] = {VU_WITNESS, VU_DO_RUN},
                [VU_STOPPED] = {VU_IDLE, VU_DO_REPORT_STEP},
                [VU_DUE] = {VU_STEP, VU_DO_WAKE},
                [VU_STOP] = {VU_STEP, VU_DO_END_WAIT},
            },
        [VU_WITNESS] =
            {
                [VU_TURN] = {VU_WITNESS, VU_DO_RUN},
                [VU_OK] = {VU_IDLE, VU_DO_REPORT_STEP},
                [VU_FAILED] = {VU_IDLE, VU_DO_REPORT_STEP},
                [VU_STOPPED] = {VU_IDLE, VU_DO_REPORT_STEP},
                [VU_DUE] = {VU_WITNESS, VU_DO_WAKE},
                [VU_STOP] = {VU_WITNESS, VU_DO_END_WAIT},
            },
        [VU_STEP_DELAY] =
            {
                [VU_DUE] = {VU_IDLE, VU_DO_REPORT_STEP},
                [VU_STOP] = {VU_IDLE, VU_DO_REPORT_STEP},
            },
        [VU_STEP_OVER] =
            {
                [VU_TURN] = {VU_IDLE, VU_DO_REPORT_STEP},
                [VU_STOP] = {VU_STEP_OVER, VU_DO_NOTHING},
            },
        [VU_TEARDOWN_SESSION] =
            {
                [VU_TURN] = {VU_TEARDOWN_SESSION, VU_DO_RUN},
                [VU_OK] = {VU_CLOSING, VU_DO_CLOSE_SESSION},
                [VU_FAILED] = {VU_CLOSING, VU_DO_CLOSE_SESSION},
                [VU_STOPPED] = {VU_CLOSING, VU_DO_CLOSE_SESSION},
                [VU_DUE] = {VU_TEARDOWN_SESSION, VU_DO_WAKE},
                [VU_STOP] = {VU_TEARDOWN_SESSION, VU_DO_NOTHING},
            },
        [VU_CLOSING] =
            {
                [VU_TURN] = {VU_CLOSING, VU_DO_RUN},
                [VU_OK] = {VU_TEARDOWN, VU_DO_CLOSE_WEBDRIVER},
                [VU_FAILED] = {VU_TEARDOWN, VU_DO_CLOSE_WEBDRIVER},
                [VU_STOPPED] = {VU_TEARDOWN, VU_DO_CLOSE_WEBDRIVER},
                [VU_DUE] = {VU_CLOSING, VU_DO_WAKE},
                [VU_STOP] = {VU_CLOSING, VU_DO_NOTHING},
            },
        [VU_TEARDOWN] =
            {
                [VU_TURN] = {VU_TEARDOWN, VU_DO_RUN},
                [VU_OK] = {VU_IDLE, VU_DO_REPORT_TORN_DOWN},
                [VU_FAILED] = {VU_IDLE, VU_DO_REPORT_TORN_DOWN},
                [VU_STOPPED] = {VU_IDLE, VU_DO_REPORT_TORN_DOWN},
                [VU_DUE] = {VU_TEARDOWN, VU_DO_WAKE},
                [VU_STOP] = {VU_TEARDOWN, VU_DO_NOTHING},
            },
        [VU_GLOBAL_SETUP] =
            {
                [VU_TURN] = {VU_GLOBAL_SETUP, VU_DO_RUN},
                [VU_OK] = {VU_IDLE, VU_DO_REPORT_GLOBAL},
                [VU_FAILED] = {VU_IDLE, VU_DO_REPORT_GLOBAL},
                [VU_STOPPED] = {VU_IDLE, VU_DO_REPORT_GLOBAL},
                [VU_DUE] = {VU_GLOBAL_SETUP, VU_DO_WAKE},
                [VU_STOP] = {VU_GLOBAL_SETUP, VU_DO_END_WAIT},
            },
        [VU_GLOBAL_TEARDOWN] =
            {
                [VU_TURN] = {VU_GLOBAL_TEARDOWN, VU_DO_RUN},
                [VU_OK] = {VU_IDLE, VU_DO_REPORT_GLOBAL},
                [VU_FAILED] = {VU_IDLE, VU_DO_REPORT_GLOBAL},
                [VU_STOPPED] = {VU_IDLE, VU_DO_REPORT_GLOBAL},
                [VU_DUE] = {VU_GLOBAL_TEARDOWN, VU_DO_WAKE},
                [VU_STOP] = {VU_GLOBAL_TEARDOWN, VU_DO_NOTHING},
            },
        [VU_TASK] =
            {
                [VU_TURN] = {VU_TASK, VU_DO_RUN},
                [VU_OK] = {VU_IDLE, VU_DO_END_TASK},
                [VU_FAILED] = {VU_IDLE, VU_DO_END_TASK},
                [VU_STOPPED] = {VU_IDLE, VU_DO_END_TASK},
                [VU_DUE] = {VU_TASK, VU_DO_WAKE},
                [VU_STOP] = {VU_TASK, VU_DO_END_WAIT},
            },
};

const struct vu_move *vu_move_find(enum vu_phase phase, enum vu_event event)
{
    const struct vu_move *move;

    assert((unsigned)phase < VU_PHASE_COUNT && (unsigned)event < VU_EVENT_COUNT);
    move = &MOVES[phase][event];
    return move->action != VU_REFUSED ? move : NULL;
}

bool vu_phase_gives_way(enum vu_phase phase)
{
    const struct vu_move *move = vu_move_find(phase, VU_STOP);

    return move != NULL && move->action != VU_DO_NOTHING;
}

const char *vu_phase_name(enum vu_phase phase)
{
    static const char *const NAMES[VU_PHASE_COUNT] = {
        [VU_IDLE] = "idle",
        [VU_SETUP] = "setup",
        [VU_SETUP_SESSION] = "setup_session",
        [VU_STEP] = "step",
        [VU_WITNESS] = "witness",
        [VU_STEP_DELAY] = "step_delay",
        [VU_STEP_OVER] = "step_over",
        [VU_TEARDOWN_SESSION] = "teardown_session",
        [VU_CLOSING] = "closing",
        [VU_TEARDOWN] = "teardown",
        [VU_GLOBAL_SETUP] = "global_setup",
        [VU_GLOBAL_TEARDOWN] = "global_teardown",
        [VU_TASK] = "task",
    };

    assert((unsigned)phase < VU_PHASE_COUNT);
    return NAMES[phase];
}

const char *vu_event_name(enum vu_event event)
{
    static const char *const NAMES[VU_EVENT_COUNT] = {
        [VU_BEGIN_SETUP] = "begin_setup",
        [VU_BEGIN_STEP] = "begin_step",
        [VU_BEGIN_TEARDOWN] = "begin_teardown",
        [VU_BEGIN_GLOBAL_SETUP] = "begin_global_setup",
        [VU_BEGIN_GLOBAL_TEARDOWN] = "begin_global_teardown",
        [VU_BEGIN_TASK] = "begin_task",
        [VU_TURN] = "turn",
        [VU_OK] = "ok",
        [VU_OK_DELAYED] = "ok_delayed",
        [VU_OK_OTHERS_QUEUED] = "ok_others_queued",
        [VU_FAILED] = "failed",
        [VU_FAILED_WITNESSED] = "failed_witnessed",
        [VU_STOPPED] = "stopped",
        [VU_DUE] = "due",
        [VU_LATE] = "late",
        [VU_STOP] = "stop",
    };

    assert((unsigned)event < VU_EVENT_COUNT);
    return NAMES[event];
}

const char *vu_action_name(enum vu_action action)
{
    static const char *const NAMES[VU_ACTION_COUNT] = {
        [VU_REFUSED] = "refused",
        [VU_DO_NOTHING] = "nothing",
        [VU_DO_QUEUE] = "queue",
        [VU_DO_RUN] = "run",
        [VU_DO_WAKE] = "wake",
        [VU_DO_END_WAIT] = "end_wait",
        [VU_DO_CUT_SHORT] = "cut_short",
        [VU_DO_DELAY] = "delay",
        [VU_DO_CLOSE_SESSION] = "close_session",
        [VU_DO_CLOSE_WEBDRIVER] = "close_webdriver",
        [VU_DO_REPORT_SETUP] = "report_setup",
        [VU_DO_REPORT_STEP] = "report_step",
        [VU_DO_REPORT_TORN_DOWN] = "report_torn_down",
        [VU_DO_REPORT_GLOBAL] = "report_global",
        [VU_DO_END_TASK] = "end_task",
    };

    assert((unsigned)action < VU_ACTION_COUNT);
    return NAMES[action];
}
