/* The lifecycle of a campaign as a table: the events accepted in each state, next state, action. */
#pragma once
#include "coordinator/core/base/campaign_state.h"

enum campaign_lifecycle_event {
    CAMPAIGN_LIFECYCLE_AGENTS_JOINED, /* as many as requested */
    CAMPAIGN_LIFECYCLE_TIME_UP,       /* of this state: deadline, setup timeout, duration, or time to stop */
    CAMPAIGN_LIFECYCLE_GRACE_OVER,    /* the last steps have taken too long */
    CAMPAIGN_LIFECYCLE_DEPLOYED,      /* on all agents */
    CAMPAIGN_LIFECYCLE_DEPLOY_FAILED,
    CAMPAIGN_LIFECYCLE_SET_UP, /* global_setup has run */
    CAMPAIGN_LIFECYCLE_SETUP_FAILED,
    CAMPAIGN_LIFECYCLE_DRAINED,      /* every agent has reported how far its rooms are */
    CAMPAIGN_LIFECYCLE_STOP,         /* requested, or because of a failure, a loss or a deadlock */
    CAMPAIGN_LIFECYCLE_STOP_AT_ONCE, /* without waiting for teardown */
    CAMPAIGN_LIFECYCLE_FINISHED,     /* every agent has torn its workers down */
    CAMPAIGN_LIFECYCLE_TORN_DOWN,    /* global_teardown has succeeded or failed, or is skipped */
    CAMPAIGN_LIFECYCLE_ALL_LOST,     /* none of its agents is left */
    CAMPAIGN_LIFECYCLE_EVENT_COUNT,
    CAMPAIGN_LIFECYCLE_NO_EVENT = CAMPAIGN_LIFECYCLE_EVENT_COUNT /* nothing follows */
};

enum campaign_lifecycle_action {
    CAMPAIGN_LIFECYCLE_DEPLOY,
    CAMPAIGN_LIFECYCLE_RUN_SETUP,
    CAMPAIGN_LIFECYCLE_BEGIN,
    CAMPAIGN_LIFECYCLE_DRAIN,
    CAMPAIGN_LIFECYCLE_RUN_UNTIL,
    CAMPAIGN_LIFECYCLE_AWAIT_SETUP, /* stopped while global_setup runs: teardown follows it */
    CAMPAIGN_LIFECYCLE_STOP_WORKERS,
    CAMPAIGN_LIFECYCLE_HURRY, /* shortens the time that stopping may take */
    CAMPAIGN_LIFECYCLE_RUN_TEARDOWN,
    CAMPAIGN_LIFECYCLE_GIVE_UP, /* stops waiting for what has not happened in time */
    CAMPAIGN_LIFECYCLE_END,
    CAMPAIGN_LIFECYCLE_ACTION_COUNT
};

struct campaign_lifecycle_row {
    enum campaign_state state;
    enum campaign_lifecycle_event event;
    enum campaign_state next;
    enum campaign_lifecycle_action action;
};

/* NULL: the event is refused in this state. */
const struct campaign_lifecycle_row *campaign_lifecycle_find(enum campaign_state state,
                                                             enum campaign_lifecycle_event event);
const char *campaign_lifecycle_event_name(enum campaign_lifecycle_event event);
const char *campaign_lifecycle_action_name(enum campaign_lifecycle_action action);
