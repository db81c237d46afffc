/* Names of the states and verdicts of a campaign, and of the states of its agents. */
#include "coordinator/core/base/campaign_state.h"

#include <assert.h>

const char *campaign_state_name(enum campaign_state state)
{
    static const char *const NAMES[CAMPAIGN_STATE_COUNT] = {
        [CAMPAIGN_CREATED] = "created", [CAMPAIGN_DEPLOYING] = "deploying", [CAMPAIGN_READY] = "ready",
        [CAMPAIGN_RUNNING] = "running", [CAMPAIGN_STOPPING] = "stopping",   [CAMPAIGN_ENDED] = "ended",
    };
    assert((unsigned)state < CAMPAIGN_STATE_COUNT);
    return NAMES[state];
}

const char *verdict_name(enum verdict verdict)
{
    static const char *const NAMES[] = {
        [VERDICT_NONE] = "none",       [VERDICT_PASSED] = "passed", [VERDICT_DEGRADED] = "degraded",
        [VERDICT_ABORTED] = "aborted", [VERDICT_FAILED] = "failed", [VERDICT_DEADLOCKED] = "deadlocked",
    };
    assert((unsigned)verdict < sizeof NAMES / sizeof NAMES[0]);
    return NAMES[verdict];
}

const char *agent_state_name(enum agent_state state)
{
    static const char *const NAMES[] = {
        [AGENT_JOINED] = "joined",
        [AGENT_RUNNING] = "running",
        [AGENT_FINISHED] = "finished",
        [AGENT_LOST] = "lost",
    };
    assert((unsigned)state < sizeof NAMES / sizeof NAMES[0]);
    return NAMES[state];
}
