/* The phases of a virtual user on its shard as a table: what may happen in each, where it leads and what is
 * to be done. Pure. */
#pragma once
#include <stdbool.h>

/* What of the script runs in the coroutine. */
enum vu_phase {
    VU_IDLE, /* nothing: between two of those below */
    VU_SETUP,
    VU_SETUP_SESSION,
    VU_STEP,
    VU_WITNESS,    /* a step has failed: what its browsers show is kept */
    VU_STEP_DELAY, /* the scenario's own delay, after a step that has succeeded */
    VU_STEP_OVER,  /* the step has succeeded, but the runner does not know yet */
    VU_TEARDOWN_SESSION,
    VU_CLOSING, /* what the session still holds is closed: its browsers */
    VU_TEARDOWN,
    VU_GLOBAL_SETUP, /* the global ones run in a vu that is none of the campaign's workers */
    VU_GLOBAL_TEARDOWN,
    VU_TASK, /* a task, which is a vu of its own, runs beside any of those above */
    VU_PHASE_COUNT
};

enum vu_event {
    VU_BEGIN_SETUP, /* the runner asks for it, as for the next two */
    VU_BEGIN_STEP,
    VU_BEGIN_TEARDOWN,
    VU_BEGIN_GLOBAL_SETUP, /* a command asks for it, as for the next one */
    VU_BEGIN_GLOBAL_TEARDOWN,
    VU_BEGIN_TASK,       /* the script asks for it */
    VU_TURN,             /* it has the thread */
    VU_OK,               /* the phase's function has returned, or there is none */
    VU_OK_DELAYED,       /* likewise, and the scenario has a delay */
    VU_OK_OTHERS_QUEUED, /* likewise, and other workers wait for their turns */
    VU_FAILED,           /* the function has raised an error */
    VU_FAILED_WITNESSED, /* likewise, and the script keeps what a failed step has left */
    VU_STOPPED,          /* the function has raised `stopped` */
    VU_DUE,              /* its alarm */
    VU_LATE,             /* the setup takes longer than it may */
    VU_STOP,             /* the campaign stops */
    VU_EVENT_COUNT,
    VU_NO_EVENT = VU_EVENT_COUNT
};

enum vu_action {
    VU_REFUSED, /* no move: the event cannot happen in the phase */
    VU_DO_NOTHING,
    VU_DO_QUEUE,            /* queue it for a turn */
    VU_DO_RUN,              /* enter the phase's function, or resume it */
    VU_DO_WAKE,             /* end what it waits for */
    VU_DO_END_WAIT,         /* end what it waits for with `stopped`, unless only the coordinator can */
    VU_DO_CUT_SHORT,        /* drop the coroutine; the function fails in the next turn */
    VU_DO_DELAY,            /* set the alarm to the end of the scenario's delay */
    VU_DO_CLOSE_SESSION,    /* close the HTTP connections, then run */
    VU_DO_CLOSE_WEBDRIVER,  /* close the connections to browsers, then run */
    VU_DO_REPORT_SETUP,     /* tell the runner how the setup has ended */
    VU_DO_REPORT_STEP,      /* tell the runner how the step has ended */
    VU_DO_REPORT_TORN_DOWN, /* tell the runner; the vu is freed */
    VU_DO_REPORT_GLOBAL,    /* tell the campaign how the global fixture has ended; the vu is freed */
    VU_DO_END_TASK,         /* tell those who wait for the task; the vu is freed unless it has failed */
    VU_ACTION_COUNT
};

struct vu_move {
    enum vu_phase next;
    enum vu_action action;
};

/* NULL if that cannot happen in this phase. */
const struct vu_move *vu_move_find(enum vu_phase phase, enum vu_event event);
/* Whether a stop of the campaign interrupts the phase: its row of VU_STOP does something. */
bool vu_phase_gives_way(enum vu_phase phase);
const char *vu_phase_name(enum vu_phase phase);
const char *vu_event_name(enum vu_event event);
const char *vu_action_name(enum vu_action action);
