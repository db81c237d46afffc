/* The life of a campaign as a table: in which state it takes which event, what it becomes and does. */
#pragma once
#include "coordinator/core/base/campaign_state.h"

enum life_event {
    LIFE_AGENTS_JOINED, /* as many as were asked for */
    LIFE_TIME_UP,       /* of what bounds this state: the deadline, the duration, the end of teardown */
    LIFE_DEPLOYED,      /* by all */
    LIFE_DEPLOY_FAILED,
    LIFE_SET_UP, /* global_setup has run */
    LIFE_SETUP_FAILED,
    LIFE_DRAINED,      /* every agent has said how far its rooms are */
    LIFE_STOP,         /* asked for, or made necessary by a failure, a loss or a deadlock */
    LIFE_STOP_AT_ONCE, /* without waiting for teardown */
    LIFE_FINISHED,     /* every agent has torn its workers down */
    LIFE_TORN_DOWN,    /* global_teardown has run, well or badly, or is not wanted */
    LIFE_ALL_LOST,     /* no agent of it is left */
    LIFE_EVENT_COUNT
};

enum life_action {
    LIFE_DEPLOY,
    LIFE_RUN_SETUP,
    LIFE_BEGIN,
    LIFE_DRAIN,
    LIFE_RUN_UNTIL,
    LIFE_AWAIT_SETUP, /* stopped while global_setup runs: it may have made what teardown has to remove */
    LIFE_STOP_WORKERS,
    LIFE_HURRY, /* shorten the time that a stop may take */
    LIFE_RUN_TEARDOWN,
    LIFE_GIVE_UP, /* on what has not come in time */
    LIFE_END,
    LIFE_ACTION_COUNT
};

struct life_row {
    enum campaign_state state;
    enum life_event event;
    enum campaign_state next;
    enum life_action action;
};

/* NULL: the event is refused in this state. */
const struct life_row *life_find(enum campaign_state state, enum life_event event);
const char *life_event_name(enum life_event event);
const char *life_action_name(enum life_action action);
