/* The life of a campaign as a table. */
#include "coordinator/core/campaign/life.h"

#include <assert.h>
#include <stddef.h>

static const struct life_row ROWS[] = {
    {CAMPAIGN_CREATED, LIFE_AGENTS_JOINED, CAMPAIGN_DEPLOYING, LIFE_DEPLOY},
    {CAMPAIGN_CREATED, LIFE_TIME_UP, CAMPAIGN_ENDED, LIFE_END},
    {CAMPAIGN_CREATED, LIFE_STOP, CAMPAIGN_ENDED, LIFE_END},
    {CAMPAIGN_CREATED, LIFE_STOP_AT_ONCE, CAMPAIGN_ENDED, LIFE_END},

    {CAMPAIGN_DEPLOYING, LIFE_DEPLOYED, CAMPAIGN_READY, LIFE_RUN_SETUP},
    {CAMPAIGN_DEPLOYING, LIFE_DEPLOY_FAILED, CAMPAIGN_ENDED, LIFE_END},
    {CAMPAIGN_DEPLOYING, LIFE_TIME_UP, CAMPAIGN_ENDED, LIFE_END},
    {CAMPAIGN_DEPLOYING, LIFE_STOP, CAMPAIGN_ENDED, LIFE_END},
    {CAMPAIGN_DEPLOYING, LIFE_STOP_AT_ONCE, CAMPAIGN_ENDED, LIFE_END},
    {CAMPAIGN_DEPLOYING, LIFE_ALL_LOST, CAMPAIGN_ENDED, LIFE_END},

    {CAMPAIGN_READY, LIFE_SET_UP, CAMPAIGN_RUNNING, LIFE_BEGIN},
    {CAMPAIGN_READY, LIFE_SETUP_FAILED, CAMPAIGN_ENDED, LIFE_END},
    {CAMPAIGN_READY, LIFE_TIME_UP, CAMPAIGN_ENDED, LIFE_END},
    {CAMPAIGN_READY, LIFE_STOP, CAMPAIGN_STOPPING, LIFE_AWAIT_SETUP},
    {CAMPAIGN_READY, LIFE_STOP_AT_ONCE, CAMPAIGN_ENDED, LIFE_END},
    {CAMPAIGN_READY, LIFE_ALL_LOST, CAMPAIGN_ENDED, LIFE_END},

    {CAMPAIGN_RUNNING, LIFE_TIME_UP, CAMPAIGN_RUNNING, LIFE_DRAIN},
    {CAMPAIGN_RUNNING, LIFE_DRAINED, CAMPAIGN_RUNNING, LIFE_RUN_UNTIL},
    {CAMPAIGN_RUNNING, LIFE_STOP, CAMPAIGN_STOPPING, LIFE_STOP_WORKERS},
    {CAMPAIGN_RUNNING, LIFE_STOP_AT_ONCE, CAMPAIGN_STOPPING, LIFE_STOP_WORKERS},
    {CAMPAIGN_RUNNING, LIFE_FINISHED, CAMPAIGN_STOPPING, LIFE_RUN_TEARDOWN},
    {CAMPAIGN_RUNNING, LIFE_ALL_LOST, CAMPAIGN_ENDED, LIFE_END},

    {CAMPAIGN_STOPPING, LIFE_SET_UP, CAMPAIGN_STOPPING, LIFE_RUN_TEARDOWN},
    {CAMPAIGN_STOPPING, LIFE_SETUP_FAILED, CAMPAIGN_ENDED, LIFE_END},
    {CAMPAIGN_STOPPING, LIFE_STOP_AT_ONCE, CAMPAIGN_STOPPING, LIFE_HURRY},
    {CAMPAIGN_STOPPING, LIFE_FINISHED, CAMPAIGN_STOPPING, LIFE_RUN_TEARDOWN},
    {CAMPAIGN_STOPPING, LIFE_TIME_UP, CAMPAIGN_STOPPING, LIFE_GIVE_UP},
    {CAMPAIGN_STOPPING, LIFE_TORN_DOWN, CAMPAIGN_ENDED, LIFE_END},
    {CAMPAIGN_STOPPING, LIFE_ALL_LOST, CAMPAIGN_ENDED, LIFE_END},
};

const struct life_row *life_find(enum campaign_state state, enum life_event event)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        if (ROWS[i].state == state && ROWS[i].event == event) {
            return &ROWS[i];
        }
    }
    return NULL;
}

const char *life_event_name(enum life_event event)
{
    static const char *const NAMES[LIFE_EVENT_COUNT] = {
        [LIFE_AGENTS_JOINED] = "agents joined",
        [LIFE_TIME_UP] = "time up",
        [LIFE_DEPLOYED] = "deployed",
        [LIFE_DEPLOY_FAILED] = "deploy failed",
        [LIFE_SET_UP] = "set up",
        [LIFE_SETUP_FAILED] = "setup failed",
        [LIFE_DRAINED] = "drained",
        [LIFE_STOP] = "stop",
        [LIFE_STOP_AT_ONCE] = "stop at once",
        [LIFE_FINISHED] = "finished",
        [LIFE_TORN_DOWN] = "torn down",
        [LIFE_ALL_LOST] = "all lost",
    };
    assert((unsigned)event < LIFE_EVENT_COUNT);
    return NAMES[event];
}

const char *life_action_name(enum life_action action)
{
    static const char *const NAMES[LIFE_ACTION_COUNT] = {
        [LIFE_DEPLOY] = "deploy",
        [LIFE_RUN_SETUP] = "run setup",
        [LIFE_BEGIN] = "begin",
        [LIFE_DRAIN] = "drain",
        [LIFE_RUN_UNTIL] = "run until",
        [LIFE_AWAIT_SETUP] = "await setup",
        [LIFE_STOP_WORKERS] = "stop workers",
        [LIFE_HURRY] = "hurry",
        [LIFE_RUN_TEARDOWN] = "run teardown",
        [LIFE_GIVE_UP] = "give up",
        [LIFE_END] = "end",
    };
    assert((unsigned)action < LIFE_ACTION_COUNT);
    return NAMES[action];
}
