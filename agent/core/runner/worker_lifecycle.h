/* The life of a worker as a table: what may happen in each state, where it leads and what is to be done. */
#pragma once

enum worker_state {
    WORKER_WAITING,  /* for its instant to start */
    WORKER_SETUP,    /* its setup fixtures run */
    WORKER_BETWEEN,  /* two steps */
    WORKER_HALTED,   /* the campaign drains: it goes on or ends when the last step of its room is known */
    WORKER_ASKING,   /* it is to begin its next step as soon as the coordinator knows that */
    WORKER_STEPPING, /* its script runs */
    WORKER_HELD,     /* past every step; keeps its session until its room is done */
    WORKER_TEARDOWN, /* its teardown fixtures run */
    WORKER_GONE,
    WORKER_STATE_COUNT
};

enum worker_event {
    WORKER_START,        /* its instant has come */
    WORKER_SETUP_OK,     /* the setup fixtures have run */
    WORKER_SETUP_FAILED, /* one of them has failed */
    WORKER_SETUP_LATE,   /* they take longer than they may */
    WORKER_STEP_OVER,    /* the script has ended the step, well or badly */
    WORKER_REST,         /* a delay comes before the next step */
    WORKER_HALT,         /* the campaign drains, and it is not known yet how far its room goes */
    WORKER_GO,           /* the next step may begin */
    WORKER_KNOWN,        /* the coordinator knows, or need not */
    WORKER_END,          /* no step is left for it */
    WORKER_STOP,         /* the campaign stops */
    WORKER_RELEASE,      /* its session is not needed any more */
    WORKER_TORN_DOWN,    /* the teardown fixtures have run */
    WORKER_EVENT_COUNT
};

enum worker_action {
    WORKER_REFUSED, /* that cannot happen */
    WORKER_DO_NOTHING,
    WORKER_DO_SETUP,     /* run the setup fixtures */
    WORKER_DO_CUT_SHORT, /* have the setup fixtures fail */
    WORKER_DO_CHOOSE,    /* find out what comes next */
    WORKER_DO_REPORT,    /* report how the step ended, then find out what comes next */
    WORKER_DO_REST,      /* wait for the delay */
    WORKER_DO_ASK,       /* report that it begins its next step, where that has to be known */
    WORKER_DO_STEP,      /* run that step */
    WORKER_DO_HOLD,      /* report that it has ended; keep the session as long as the room needs it */
    WORKER_DO_BREAK_OFF, /* report that it has ended and run the teardown fixtures */
    WORKER_DO_TEARDOWN,  /* run the teardown fixtures */
    WORKER_DO_VANISH,    /* report that it has ended; there is nothing to tear down */
    WORKER_DO_BURY,      /* nothing is left of it */
    WORKER_ACTION_COUNT
};

struct worker_move {
    enum worker_state next;
    enum worker_action action;
};

/* NULL if that cannot happen in this state. */
const struct worker_move *worker_move_find(enum worker_state state, enum worker_event event);
const char *worker_state_name(enum worker_state state);
const char *worker_event_name(enum worker_event event);
const char *worker_action_name(enum worker_action action);
