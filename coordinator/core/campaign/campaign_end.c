/* How a campaign comes to its end: workers are stopped, what was set up is torn down, the verdict is given.
 */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/duration.h"
#include "common/memory.h"

#define AFTER_SYNC_TIMEOUT_MS 30000u
#define AT_ONCE_MS 1000u
#define TEARDOWN_MS 30000u
#define DOUBT_MS 1000u
#define DURATION_BYTES 40

static uint64_t finish_within_ms(const struct campaign *campaign)
{
    return campaign->is_at_once ? AT_ONCE_MS : campaign->options.sync_timeout_ms + AFTER_SYNC_TIMEOUT_MS;
}

enum campaign_lifecycle_event campaign_stop_workers(struct campaign *campaign, uint64_t now_ns)
{
    campaign->awaited = AWAITS_WORKERS;
    rooms_stop(campaign->rooms, now_ns);
    campaign->is_unsettled = true;
    const char *reason = campaign->judgement.reason;
    struct message message = {
        .kind = MESSAGE_STOP,
        .stop = {.is_final = campaign->is_at_once,
                 .text = bytes_of_string(reason != NULL ? reason : "the campaign is stopping")}};
    campaign_tell_all(campaign, &message);
    deadline_set(campaign->home.timers, &campaign->lifecycle_due,
                 due_after_ms(now_ns, finish_within_ms(campaign)));
    return campaign_progress(campaign);
}

enum campaign_lifecycle_event campaign_run_teardown(struct campaign *campaign, uint64_t now_ns)
{
    campaign->ended_ns = now_ns;
    campaign->awaited = AWAITS_TEARDOWN;
    if (campaign->is_at_once || campaign_live_agents(campaign) == 0) {
        return CAMPAIGN_LIFECYCLE_TORN_DOWN;
    }
    campaign_run_global(campaign, GLOBAL_TEARDOWN);
    deadline_set(campaign->home.timers, &campaign->lifecycle_due, due_after_ms(now_ns, TEARDOWN_MS));
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
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

/* Those that have not finished in time are left to themselves. */
static void give_up_on_workers(struct campaign *campaign)
{
    char within[DURATION_BYTES];
    duration_describe(finish_within_ms(campaign), within, sizeof within);
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        struct campaign_agent *agent = &campaign->agents[i];
        if (!campaign_agent_is_live(agent) || agent->is_finished) {
            continue;
        }
        struct message message = {.kind = MESSAGE_FORGET};
        campaign_tell(campaign, agent, &message);
        agent->is_given_up = true;
        agent->workers_running = 0;
        outbox_log(campaign->home.outbox, LOG_WARNING,
                   &(struct log_subject){.campaign = campaign->id, .agent = agent->name},
                   "campaign %llu: agent %.*s did not finish within %s", (unsigned long long)campaign->id,
                   BYTES_FORMAT(agent->name), within);
        if (!campaign->is_at_once) {
            judgement_raise(&campaign->judgement, VERDICT_ABORTED,
                            "agent %.*s did not finish within %s of the stop", BYTES_FORMAT(agent->name),
                            within);
        }
    }
}

static bool is_teardown_in_doubt(const struct campaign *campaign, uint64_t now_ns)
{
    const struct member *member = campaign->agents[campaign->global_agent].member;
    return !campaign->is_at_once && member != NULL &&
           members_is_in_doubt(campaign->home.members, now_ns, member);
}

enum campaign_lifecycle_event campaign_give_up(struct campaign *campaign, uint64_t now_ns)
{
    switch (campaign->awaited) {
    case AWAITS_SETUP:
        judgement_add_reason(&campaign->judgement, "global_setup did not end in time");
        return CAMPAIGN_LIFECYCLE_SETUP_FAILED;
    case AWAITS_WORKERS:
        give_up_on_workers(campaign);
        return CAMPAIGN_LIFECYCLE_FINISHED;
    case AWAITS_TEARDOWN:
        if (is_teardown_in_doubt(campaign, now_ns)) {
            deadline_set(campaign->home.timers, &campaign->lifecycle_due, due_after_ms(now_ns, DOUBT_MS));
            return CAMPAIGN_LIFECYCLE_NO_EVENT; /* if it is lost, another one takes over */
        }
        campaign_teardown_failed(campaign, "global_teardown did not end in time");
        return CAMPAIGN_LIFECYCLE_TORN_DOWN;
    case AWAITS_NOTHING:
        break;
    }
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

/* What users see of each other's work is what such a campaign is run for: as bad as a failed step. */
static void judge_convergence(struct campaign *campaign)
{
    bool is_failure_allowed = campaign->options.fail_steps == 0 && campaign->options.fail_percent <= 0;
    const struct divergence *first;
    struct bytes name;
    uint64_t diverged =
        campaign->sightings == NULL ? 0 : sightings_diverged(campaign->sightings, &name, &first);
    if (diverged > 0 && !is_failure_allowed) {
        judgement_raise(&campaign->judgement, VERDICT_FAILED,
                        "readers saw different texts in %llu %s, first at %.*s@%llu in room %u: %u of %u "
                        "differed from what %s",
                        (unsigned long long)diverged, diverged == 1 ? "step" : "steps", BYTES_FORMAT(name),
                        (unsigned long long)first->step, first->room, first->differed, first->compared,
                        first->is_from_written ? "was written" : "most of them saw");
    }
}

static void campaign_end_judge(struct campaign *campaign)
{
    struct judgement *judgement = &campaign->judgement;
    if (campaign->begun_ns > 0) {
        campaign_statistics_report(campaign->statistics, &campaign->report);
        struct steps_counted steps = {
            .ok = campaign->report.steps_ok,
            .failed = campaign->report.steps_failed,
            .is_own_end = !campaign->was_stopped,
            .common_error =
                campaign->report.error_count > 0 ? campaign->report.errors[0].text : bytes_of_string(""),
        };
        judgement_of_steps(judgement, &campaign->options, &steps);
    }
    judge_convergence(campaign);
    if (judgement->verdict == VERDICT_NONE) {
        judgement->verdict = VERDICT_PASSED;
    }
}

/* The report is all that stays, with the numbers that the rooms had at the end. */
static void drop_rooms(struct campaign *campaign)
{
    if (campaign->rooms == NULL) {
        return;
    }
    rooms_count(campaign->rooms, &campaign->report);
    if (campaign->report.release_spread_us != NULL) {
        campaign->release_spread_us = histogram_new();
        histogram_merge(campaign->release_spread_us, campaign->report.release_spread_us);
        campaign->report.release_spread_us = campaign->release_spread_us;
    }
    rooms_free(&campaign->rooms);
    placement_free(&campaign->placement);
    memory_free(campaign->last_steps);
    campaign->last_steps = NULL;
    campaign->is_unsettled = false;
}

enum campaign_lifecycle_event campaign_end(struct campaign *campaign, uint64_t now_ns)
{
    if (campaign->ended_ns == 0) {
        campaign->ended_ns = now_ns;
    }
    deadline_set(campaign->home.timers, &campaign->lifecycle_due, TIMERS_NEVER);
    deadline_set(campaign->home.timers, &campaign->rooms_due, TIMERS_NEVER);
    if (campaign->rooms != NULL) {
        campaign->sightings = rooms_take_sightings(campaign->rooms);
    }
    campaign_end_judge(campaign);
    struct message message = {.kind = MESSAGE_FORGET};
    campaign_tell_all(campaign, &message);
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        campaign->agents[i].workers_running = 0;
    }
    campaign_unburden(campaign);
    drop_rooms(campaign);
    bundle_finish(&campaign->bundle);
    const char *reason = campaign->judgement.reason;
    outbox_log(campaign->home.outbox, LOG_INFO, &(struct log_subject){.campaign = campaign->id},
               "campaign %llu has ended: %s%s%s", (unsigned long long)campaign->id,
               verdict_name(campaign->judgement.verdict), reason != NULL ? ": " : "",
               reason != NULL ? reason : "");
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}
