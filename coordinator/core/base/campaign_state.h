/* The states and verdicts of a campaign, and the states of its agents. */
#pragma once

enum campaign_state {
    CAMPAIGN_CREATED,   /* waits for its agents */
    CAMPAIGN_DEPLOYING, /* agents load the script */
    CAMPAIGN_READY,     /* global_setup runs; then the start instant is broadcast */
    CAMPAIGN_RUNNING,
    CAMPAIGN_STOPPING, /* no new steps: waits end, sessions are torn down, then global_teardown */
    CAMPAIGN_ENDED,
    CAMPAIGN_STATE_COUNT
};

enum verdict {
    VERDICT_NONE,
    VERDICT_PASSED,
    VERDICT_DEGRADED,
    VERDICT_ABORTED,
    VERDICT_FAILED,
    VERDICT_DEADLOCKED
};

enum agent_state { AGENT_JOINED, AGENT_RUNNING, AGENT_FINISHED, AGENT_LOST };

const char *campaign_state_name(enum campaign_state state);
const char *verdict_name(enum verdict verdict);
const char *agent_state_name(enum agent_state state);
