/* What a campaign waits for, and what follows when it has arrived or its time is up. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/buffer.h"
#include "common/digits.h"
#include "common/duration.h"
#include "coordinator/core/campaign/capacity.h"
#include "proto/message/labels.h"

/* After a stop: what agents may take beyond the longest wait, and what they may take in all if it is to end
 * at once. */
#define AFTER_SYNC_TIMEOUT_MS 30000u
#define AT_ONCE_MS 1000u
/* How much longer teardown may take each time that its agent may turn out to be lost. */
#define DOUBT_MS 1000u
#define DURATION_BYTES 40
#define NAMES_BYTES 400u

void campaign_await_agents(struct campaign *campaign, uint64_t now_ns)
{
    uint64_t within_ms = campaign->options.setup_timeout_ms;
    deadline_set(campaign->home.timers, &campaign->lifecycle_due,
                 within_ms > 0 ? due_after_ms(now_ns, within_ms) : TIMERS_NEVER);
}

void campaign_consider_agents(struct campaign *campaign, uint64_t now_ns)
{
    struct error error;
    if (campaign->state != CAMPAIGN_CREATED) {
        campaign_take_joined(campaign);
        return;
    }
    struct capacity capacity = capacity_of(campaign->home.members, &campaign->options);
    if (capacity.agents < campaign->agents_wanted) {
        return;
    }
    if (capacity_check(&capacity, &campaign->options, &error)) {
        (void)campaign_happen(campaign, now_ns, CAMPAIGN_LIFECYCLE_AGENTS_JOINED);
    } else {
        (void)campaign_happen(campaign, now_ns, campaign_judge_stop(campaign, VERDICT_ABORTED, error.text));
    }
}

/* What all live agents have reported. */
struct standing {
    bool is_deployed;
    bool is_drained;
    bool is_finished;
};

static struct standing campaign_standing(const struct campaign *campaign)
{
    struct standing standing = {true, true, true};
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        const struct campaign_agent *agent = &campaign->agents[i];
        if (campaign_agent_takes_workers(agent)) {
            standing.is_deployed = standing.is_deployed && agent->is_deployed;
            standing.is_drained = standing.is_drained && (agent->is_drained || agent->is_finished);
            standing.is_finished = standing.is_finished && agent->is_finished;
        }
    }
    return standing;
}

enum campaign_lifecycle_event campaign_progress(const struct campaign *campaign)
{
    struct standing standing = campaign_standing(campaign);
    if (campaign->state == CAMPAIGN_DEPLOYING) {
        return standing.is_deployed ? CAMPAIGN_LIFECYCLE_DEPLOYED : CAMPAIGN_LIFECYCLE_NO_EVENT;
    }
    bool is_running = campaign->state == CAMPAIGN_RUNNING;
    if (standing.is_finished && (is_running || campaign->awaited == AWAITS_WORKERS)) {
        return CAMPAIGN_LIFECYCLE_FINISHED;
    }
    bool is_drain_awaited = is_running && campaign->is_draining && !campaign->is_last_step_known;
    return is_drain_awaited && standing.is_drained ? CAMPAIGN_LIFECYCLE_DRAINED : CAMPAIGN_LIFECYCLE_NO_EVENT;
}

uint64_t campaign_finish_within_ms(const struct campaign *campaign)
{
    return campaign->is_at_once ? AT_ONCE_MS : campaign->options.sync_timeout_ms + AFTER_SYNC_TIMEOUT_MS;
}

/* "a1, a3": the agents that have not answered. */
static void campaign_name_awaited(const struct campaign *campaign, struct buffer *names)
{
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        const struct campaign_agent *agent = &campaign->agents[i];
        bool is_awaited =
            campaign->state == CAMPAIGN_READY ? i == campaign->global_agent : !agent->is_deployed;
        if (campaign_agent_is_live(agent) && is_awaited) {
            buffer_append_format(names, "%s%.*s", names->size > 0 ? ", " : "",
                                 BYTES_FORMAT(agent->name.bytes));
        }
    }
}

/* Its agents have not joined in time. */
static void campaign_judge_too_few(struct campaign *campaign)
{
    char within[DURATION_BYTES];
    char labels[LABELS_MAX_BYTES + 20];
    struct capacity capacity = capacity_of(campaign->home.members, &campaign->options);
    duration_describe(campaign->deadline_ms, within, sizeof within);
    judgement_raise(&campaign->judgement, VERDICT_ABORTED, "only %u of %u agent%s%s joined within %s",
                    capacity.agents, campaign->agents_wanted, digits_plural(campaign->agents_wanted),
                    capacity_describe(&campaign->options, labels, sizeof labels), within);
    campaign->was_stopped = true;
}

static void campaign_judge_late_setup(struct campaign *campaign)
{
    SCOPED(buffer_finish) struct buffer names;
    char within[DURATION_BYTES];
    buffer_init(&names, NAMES_BYTES);
    campaign_name_awaited(campaign, &names);
    duration_describe(campaign->options.setup_timeout_ms, within, sizeof within);
    if (campaign->state == CAMPAIGN_READY) {
        judgement_raise(&campaign->judgement, VERDICT_ABORTED,
                        "global_setup on agent %s did not end within %s (--setup-timeout)",
                        buffer_string(&names), within);
    } else {
        judgement_raise(&campaign->judgement, VERDICT_ABORTED,
                        "agent %s did not load the script within %s (--setup-timeout)", buffer_string(&names),
                        within);
    }
    campaign->was_stopped = true;
}

void campaign_due(struct campaign *campaign, uint64_t now_ns, enum deadline_kind kind)
{
    if (kind == DEADLINE_ROOMS) {
        campaign->is_unsettled = true;
        return;
    }
    if (kind == DEADLINE_STAGE) {
        if (campaign->sizing != NULL) {
            campaign_follow_sizing(campaign, now_ns);
        } else if (campaign->goal != NULL) {
            campaign_follow_goal(campaign, now_ns);
        } else {
            campaign_follow_stages(campaign, now_ns);
        }
        return;
    }
    if (kind == DEADLINE_JUDGE) {
        campaign_thresholds_due(campaign, now_ns);
        return;
    }
    if (campaign->state == CAMPAIGN_CREATED) {
        campaign_judge_too_few(campaign);
    } else if (campaign->state == CAMPAIGN_DEPLOYING || campaign->state == CAMPAIGN_READY) {
        campaign_judge_late_setup(campaign);
    }
    bool is_grace_over = campaign->state == CAMPAIGN_RUNNING && campaign->is_draining;
    (void)campaign_happen(campaign, now_ns,
                          is_grace_over ? CAMPAIGN_LIFECYCLE_GRACE_OVER : CAMPAIGN_LIFECYCLE_TIME_UP);
}

void campaign_teardown_failed(struct campaign *campaign, const char *why)
{
    struct error_statistics error = {.text = bytes_of_string(why), .count = 1};
    campaign_statistics_add_error(campaign->statistics, &error);
    if (campaign->judgement.verdict <= VERDICT_PASSED) {
        judgement_raise(&campaign->judgement, VERDICT_FAILED, "%s", why);
    } else {
        judgement_add_reason(&campaign->judgement, why);
    }
}

/* Agents that have not finished in time are no longer waited for. */
static void campaign_give_up_workers(struct campaign *campaign)
{
    char within[DURATION_BYTES];
    duration_describe(campaign_finish_within_ms(campaign), within, sizeof within);
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        struct campaign_agent *agent = &campaign->agents[i];
        if (!campaign_agent_is_live(agent) || agent->is_finished) {
            continue;
        }
        struct message message = {.kind = MESSAGE_FORGET};
        campaign_tell(campaign, agent, &message);
        agent->is_given_up = true;
        campaign_note_running(campaign, agent, 0);
        outbox_log(campaign->home.outbox, LOG_WARNING,
                   &(struct log_subject){.campaign = campaign->id, .agent = agent->name.bytes},
                   "campaign %llu: agent %.*s did not finish within %s", (unsigned long long)campaign->id,
                   BYTES_FORMAT(agent->name.bytes), within);
        if (!campaign->is_at_once) {
            judgement_raise(&campaign->judgement, VERDICT_ABORTED,
                            "agent %.*s did not finish within %s of the stop",
                            BYTES_FORMAT(agent->name.bytes), within);
        }
    }
}

static bool campaign_is_teardown_in_doubt(const struct campaign *campaign, uint64_t now_ns)
{
    const struct member *member = campaign->agents[campaign->global_agent].member;
    return !campaign->is_at_once && member != NULL && member_is_in_doubt(member, now_ns);
}

enum campaign_lifecycle_event campaign_give_up(struct campaign *campaign, uint64_t now_ns)
{
    switch (campaign->awaited) {
    case AWAITS_SETUP:
        judgement_add_reason(&campaign->judgement, "global_setup did not end in time");
        return CAMPAIGN_LIFECYCLE_SETUP_FAILED;
    case AWAITS_WORKERS:
        campaign_give_up_workers(campaign);
        return CAMPAIGN_LIFECYCLE_FINISHED;
    case AWAITS_TEARDOWN:
        if (campaign_is_teardown_in_doubt(campaign, now_ns)) {
            deadline_set(campaign->home.timers, &campaign->lifecycle_due, due_after_ms(now_ns, DOUBT_MS));
            return CAMPAIGN_LIFECYCLE_NO_EVENT; /* if it is lost, another agent takes over */
        }
        campaign_teardown_failed(campaign, "global_teardown did not end in time");
        return CAMPAIGN_LIFECYCLE_TORN_DOWN;
    case AWAITS_NOTHING:
        break;
    }
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}
