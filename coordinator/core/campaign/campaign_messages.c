/* Messages from the agents of a campaign, and how the agents themselves are doing. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/compose.h"
#include "proto/message/bundle.h"
#include "proto/message/limits.h"

#define REASON_BYTES (LIMIT_TEXT_BYTES + 100u)
#define LEAD_REFRESH_NS 1000000000u

/* Returns the event of its lifecycle that follows, or NO_EVENT. */
typedef enum campaign_lifecycle_event message_function(struct campaign *campaign, uint64_t now_ns,
                                                       struct campaign_agent *agent,
                                                       const struct message *message);

static void campaign_complain(struct campaign *campaign, uint64_t now_ns, const struct campaign_agent *agent,
                              const char *what)
{
    member_complain(agent->member, now_ns, campaign->home.outbox, what);
}

static enum campaign_lifecycle_event campaign_on_deployed(struct campaign *campaign, uint64_t now_ns,
                                                          struct campaign_agent *agent,
                                                          const struct message *message)
{
    if (agent->is_joining) {
        campaign_joined(campaign, now_ns, agent, &message->done);
        return campaign_progress(campaign);
    }
    if (campaign->state != CAMPAIGN_DEPLOYING) {
        return CAMPAIGN_LIFECYCLE_NO_EVENT;
    }
    if (!message->done.is_ok) {
        judgement_raise(&campaign->judgement, VERDICT_FAILED, "%.*s", BYTES_FORMAT(message->done.text));
        campaign->was_stopped = true;
        return CAMPAIGN_LIFECYCLE_DEPLOY_FAILED;
    }
    agent->is_deployed = true;
    return campaign_progress(campaign);
}

static enum campaign_lifecycle_event campaign_on_setup_done(struct campaign *campaign,
                                                            const struct done *done)
{
    bool is_wanted = campaign->state == CAMPAIGN_READY || campaign->awaited == AWAITS_SETUP;
    if (!is_wanted) {
        return CAMPAIGN_LIFECYCLE_NO_EVENT;
    }
    if (done->is_ok) {
        return CAMPAIGN_LIFECYCLE_SET_UP;
    }
    judgement_raise(&campaign->judgement, VERDICT_FAILED, "%.*s", BYTES_FORMAT(done->text));
    campaign->was_stopped = true;
    return CAMPAIGN_LIFECYCLE_SETUP_FAILED;
}

static enum campaign_lifecycle_event campaign_on_teardown_done(struct campaign *campaign,
                                                               const struct done *done)
{
    if (campaign->awaited != AWAITS_TEARDOWN) {
        return CAMPAIGN_LIFECYCLE_NO_EVENT;
    }
    if (!done->is_ok) {
        char why[LIMIT_TEXT_BYTES + 1];
        bytes_to_text(done->text, why, sizeof why);
        campaign_teardown_failed(campaign, why);
    }
    return CAMPAIGN_LIFECYCLE_TORN_DOWN;
}

static enum campaign_lifecycle_event campaign_on_global_done(struct campaign *campaign, uint64_t now_ns,
                                                             struct campaign_agent *agent,
                                                             const struct message *message)
{
    if (agent != &campaign->agents[campaign->global_agent]) {
        campaign_complain(campaign, now_ns, agent, "the global fixture was not run by this agent");
        return CAMPAIGN_LIFECYCLE_NO_EVENT;
    }
    return message->done.phase == GLOBAL_SETUP ? campaign_on_setup_done(campaign, &message->done)
                                               : campaign_on_teardown_done(campaign, &message->done);
}

/* A message with the maximum of items is followed by another. */
static enum campaign_lifecycle_event campaign_on_drained(struct campaign *campaign, uint64_t now_ns,
                                                         struct campaign_agent *agent,
                                                         const struct message *message)
{
    if (!campaign->is_draining || campaign->is_last_step_known) {
        return CAMPAIGN_LIFECYCLE_NO_EVENT;
    }
    uint32_t rooms = campaign_room_total(campaign);
    for (size_t i = 0; i < message->room_steps.count; i++) {
        const struct room_step *item = &message->room_steps.items[i];
        if (item->room >= rooms) {
            campaign_complain(campaign, now_ns, agent, "it names a room that does not exist");
        } else if (item->step > campaign->last_steps[item->room]) {
            campaign->last_steps[item->room] = item->step;
        }
    }
    agent->is_drained = message->room_steps.count < LIMIT_BATCH_ITEMS;
    return campaign_progress(campaign);
}

static enum campaign_lifecycle_event campaign_on_failure(struct campaign *campaign, uint64_t now_ns,
                                                         struct campaign_agent *agent,
                                                         const struct message *message)
{
    (void)now_ns;
    (void)agent;
    /* What failed before the grace was over may be told after it, if there was no coordinator meanwhile. */
    bool is_late = campaign->state == CAMPAIGN_STOPPING && campaign->is_draining && !campaign->was_stopped;
    if ((campaign->state != CAMPAIGN_RUNNING && !is_late) || !campaign->options.is_stopped_by_failure) {
        return CAMPAIGN_LIFECYCLE_NO_EVENT;
    }
    char reason[REASON_BYTES];
    compose(reason, sizeof reason, "worker %u failed at step %llu: %.*s", message->failure.worker,
            (unsigned long long)message->failure.step, BYTES_FORMAT(message->failure.text));
    if (is_late) {
        judgement_raise(&campaign->judgement, VERDICT_FAILED, "%s", reason);
        return CAMPAIGN_LIFECYCLE_NO_EVENT;
    }
    return campaign_judge_stop(campaign, VERDICT_FAILED, reason);
}

static enum campaign_lifecycle_event campaign_on_statistics(struct campaign *campaign, uint64_t now_ns,
                                                            struct campaign_agent *agent,
                                                            const struct message *message)
{
    campaign_statistics_merge(campaign->statistics, &message->statistics);
    campaign_statistics_note_errors(campaign->statistics, &message->statistics,
                                    campaign_second(campaign, now_ns, message->statistics.at_ns),
                                    agent->name.bytes);
    campaign_note_running(campaign, agent, message->statistics.workers_running);
    campaign_series_statistics(campaign, now_ns, &message->statistics);
    agent->steps_counted +=
        message->statistics.steps_ok + message->statistics.steps_failed + message->statistics.steps_stopped;
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

static enum campaign_lifecycle_event campaign_on_finished(struct campaign *campaign, uint64_t now_ns,
                                                          struct campaign_agent *agent,
                                                          const struct message *message)
{
    (void)now_ns;
    if (message->finished.workers != agent->workers) {
        return CAMPAIGN_LIFECYCLE_NO_EVENT; /* some were still on their way to it: it will report again */
    }
    agent->is_finished = true;
    campaign_note_running(campaign, agent, 0);
    return campaign_progress(campaign);
}

/* Answered when the rooms have settled. */
static enum campaign_lifecycle_event campaign_on_workers_wanted(struct campaign *campaign, uint64_t now_ns,
                                                                struct campaign_agent *agent,
                                                                const struct message *message)
{
    (void)now_ns;
    agent->wanted = message->wanted.workers;
    agent->wanted_load = message->wanted.load;
    campaign->is_unsettled = true;
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

/* Each chunk is sent to an agent once and in order, so that none can make us send more than the bundle. */
static enum campaign_lifecycle_event campaign_on_bundle_wanted(struct campaign *campaign, uint64_t now_ns,
                                                               struct campaign_agent *agent,
                                                               const struct message *message)
{
    struct bytes content = campaign->bundle.content.bytes;
    struct bytes hash = campaign->bundle.owned.listing.hash;
    uint64_t offset = message->bundle_chunk.offset;
    size_t size = bundle_chunk_bytes(content.size, offset);
    if (size == 0 || offset != agent->bundle_bytes || !bytes_equal(message->bundle_chunk.hash, hash)) {
        campaign_complain(campaign, now_ns, agent, "it may not request this chunk of the bundle");
        return CAMPAIGN_LIFECYCLE_NO_EVENT;
    }
    agent->bundle_bytes += size;
    if (campaign->state == CAMPAIGN_DEPLOYING) {
        campaign_await_agents(campaign, now_ns); /* a large bundle on a slow line makes progress */
    }
    struct message chunk = {
        .kind = MESSAGE_BUNDLE_CHUNK,
        .bundle_chunk = {.hash = hash, .offset = offset, .content = bytes_of(content.data + offset, size)}};
    campaign_tell(campaign, agent, &chunk);
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

static enum campaign_lifecycle_event campaign_on_artifact(struct campaign *campaign, uint64_t now_ns,
                                                          struct campaign_agent *agent,
                                                          const struct message *message)
{
    const struct artifact_piece *piece = &message->artifact;
    struct error error;
    if (placement_agent(campaign->placement, piece->worker) != (uint32_t)(agent - campaign->agents)) {
        campaign_complain(campaign, now_ns, agent, "it acts for workers that are not its own");
    } else if (!artifacts_take(&campaign->artifacts, &agent->artifact, piece, &error)) {
        campaign_complain(campaign, now_ns, agent, error.text);
    }
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}

static message_function *const FUNCTIONS[MESSAGE_KIND_COUNT] = {
    [MESSAGE_DEPLOYED] = campaign_on_deployed,       [MESSAGE_GLOBAL_DONE] = campaign_on_global_done,
    [MESSAGE_OPERATIONS] = campaign_take_operations, [MESSAGE_DRAINED] = campaign_on_drained,
    [MESSAGE_FAILURE] = campaign_on_failure,         [MESSAGE_STATISTICS] = campaign_on_statistics,
    [MESSAGE_FINISHED] = campaign_on_finished,       [MESSAGE_BUNDLE_WANTED] = campaign_on_bundle_wanted,
    [MESSAGE_ARTIFACT] = campaign_on_artifact,       [MESSAGE_WORKERS_WANTED] = campaign_on_workers_wanted,
};

void campaign_message(struct campaign *campaign, uint64_t now_ns, struct member *member,
                      const struct message *message)
{
    if (campaign->state == CAMPAIGN_ENDED) {
        return; /* sent before the agent knew that it has ended */
    }
    struct campaign_agent *agent = campaign_agent_of(campaign, member);
    message_function *function = FUNCTIONS[message->kind];
    if (function == NULL || agent == NULL) {
        member_complain(member, now_ns, campaign->home.outbox,
                        function == NULL ? "not a message that an agent sends"
                                         : "a campaign that is not its own");
        return;
    }
    if (!agent->is_given_up) {
        (void)campaign_happen(campaign, now_ns, function(campaign, now_ns, agent, message));
    }
}

/* The network may have changed since the start: barriers release by its present round trips. */
static void campaign_refresh_lead(struct campaign *campaign, uint64_t now_ns)
{
    if (now_ns - campaign->lead_looked_ns >= LEAD_REFRESH_NS) {
        campaign->lead_looked_ns = now_ns;
        rooms_set_start_delay(campaign->rooms, campaign_lead_ns(campaign));
    }
}

static void performance_measure(struct performance *performance, const struct gauges *gauges)
{
    performance->measured_us += gauges->interval_us;
    performance->cpu_us += gauges->cpu_us;
    if (gauges->memory_bytes > performance->memory_bytes) {
        performance->memory_bytes = gauges->memory_bytes;
    }
    if (performance->lag_us == NULL) {
        performance->lag_us = histogram_new();
    }
    histogram_merge(performance->lag_us, gauges->lag_us);
    overload_add(&performance->overload, gauges);
}

void campaign_gauges(struct campaign *campaign, uint64_t now_ns, const struct member *member,
                     const struct gauges *gauges)
{
    struct campaign_agent *agent = campaign_agent_of(campaign, member);
    if (campaign_is_ended(campaign) || agent == NULL || agent->workers == 0) {
        return;
    }
    campaign_refresh_lead(campaign, now_ns);
    struct performance *performance = &agent->performance;
    if (gauges->has_clock) {
        performance->has_clock = true;
        performance->clock_offset_ns = gauges->clock_offset_ns;
        performance->clock_uncertainty_ns = gauges->clock_uncertainty_ns;
    }
    /* Load from before the workers began is not theirs: loading the script, for example. */
    if (campaign->begun_ns != 0 && now_ns > campaign->begun_ns && !agent->is_finished) {
        performance_measure(performance, gauges);
        campaign_series_gauges(campaign, now_ns, gauges);
    }
}
