/* What the agents of a campaign say, and what follows from it. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/buffer.h"
#include "common/compose.h"
#include "common/duration.h"
#include "coordinator/core/campaign/capacity.h"
#include "proto/codec/codec.h"
#include "proto/message/bundle.h"
#include "proto/message/labels.h"
#include "proto/message/limits.h"

#define DURATION_BYTES 40
#define NAMES_BYTES 400u
#define REASON_BYTES (LIMIT_TEXT_BYTES + 100u)

typedef void message_function(struct campaign *campaign, uint64_t now_ns, struct campaign_agent *agent,
                              const struct message *message);

static void complain(struct campaign *campaign, uint64_t now_ns, const struct campaign_agent *agent,
                     const char *what)
{
    members_complain(agent->member, now_ns, campaign->home.outbox, what);
}

static void on_deployed(struct campaign *campaign, uint64_t now_ns, struct campaign_agent *agent,
                        const struct message *message)
{
    if (campaign->state != CAMPAIGN_DEPLOYING) {
        return;
    }
    if (!message->done.is_ok) {
        judgement_raise(&campaign->judgement, VERDICT_FAILED, "%.*s", BYTES_FORMAT(message->done.text));
        campaign->was_stopped = true;
        (void)campaign_happen(campaign, now_ns, CAMPAIGN_LIFECYCLE_DEPLOY_FAILED);
        return;
    }
    agent->is_deployed = true;
    campaign_check_progress(campaign, now_ns);
}

static void on_setup_done(struct campaign *campaign, uint64_t now_ns, const struct done *done)
{
    bool is_wanted = campaign->state == CAMPAIGN_READY || campaign->awaited == AWAITS_SETUP;
    if (!is_wanted) {
        return;
    }
    if (done->is_ok) {
        (void)campaign_happen(campaign, now_ns, CAMPAIGN_LIFECYCLE_SET_UP);
        return;
    }
    judgement_raise(&campaign->judgement, VERDICT_FAILED, "%.*s", BYTES_FORMAT(done->text));
    campaign->was_stopped = true;
    (void)campaign_happen(campaign, now_ns, CAMPAIGN_LIFECYCLE_SETUP_FAILED);
}

static void on_teardown_done(struct campaign *campaign, uint64_t now_ns, const struct done *done)
{
    if (campaign->awaited != AWAITS_TEARDOWN) {
        return;
    }
    if (!done->is_ok) {
        char why[LIMIT_TEXT_BYTES + 1];
        bytes_to_text(done->text, why, sizeof why);
        campaign_teardown_failed(campaign, why);
    }
    (void)campaign_happen(campaign, now_ns, CAMPAIGN_LIFECYCLE_TORN_DOWN);
}

static void on_global_done(struct campaign *campaign, uint64_t now_ns, struct campaign_agent *agent,
                           const struct message *message)
{
    if (agent != &campaign->agents[campaign->global_agent]) {
        complain(campaign, now_ns, agent, "it ran no global fixture");
    } else if (message->done.phase == GLOBAL_SETUP) {
        on_setup_done(campaign, now_ns, &message->done);
    } else {
        on_teardown_done(campaign, now_ns, &message->done);
    }
}

/* A message that is as full as one may be is followed by another. */
static void on_drained(struct campaign *campaign, uint64_t now_ns, struct campaign_agent *agent,
                       const struct message *message)
{
    if (!campaign->is_draining || campaign->is_last_step_known) {
        return;
    }
    uint32_t rooms = campaign_rooms(campaign);
    for (size_t i = 0; i < message->room_steps.count; i++) {
        const struct room_step *item = &message->room_steps.items[i];
        if (item->room >= rooms) {
            complain(campaign, now_ns, agent, "it names a room that there is not");
        } else if (item->step > campaign->last_steps[item->room]) {
            campaign->last_steps[item->room] = item->step;
        }
    }
    agent->is_drained = message->room_steps.count < LIMIT_BATCH_ITEMS;
    campaign_check_progress(campaign, now_ns);
}

static void on_failure(struct campaign *campaign, uint64_t now_ns, struct campaign_agent *agent,
                       const struct message *message)
{
    (void)agent;
    if (campaign->state != CAMPAIGN_RUNNING || !campaign->options.is_stopped_by_failure) {
        return;
    }
    char reason[REASON_BYTES];
    compose(reason, sizeof reason, "worker %u failed at step %llu: %.*s", message->failure.worker,
            (unsigned long long)message->failure.step, BYTES_FORMAT(message->failure.text));
    campaign_stop_as(campaign, now_ns, VERDICT_FAILED, reason);
}

static void on_statistics(struct campaign *campaign, uint64_t now_ns, struct campaign_agent *agent,
                          const struct message *message)
{
    (void)now_ns;
    campaign_statistics_merge(campaign->statistics, &message->statistics);
    agent->workers_running = message->statistics.workers_running;
    agent->steps_counted +=
        message->statistics.steps_ok + message->statistics.steps_failed + message->statistics.steps_stopped;
}

static void on_finished(struct campaign *campaign, uint64_t now_ns, struct campaign_agent *agent,
                        const struct message *message)
{
    /* If it knew of fewer workers than were dealt to it, it will say so again. */
    if (message->finished.workers == agent->workers) {
        agent->is_finished = true;
        agent->workers_running = 0;
        campaign_check_progress(campaign, now_ns);
    }
}

/* Each chunk goes to an agent once and in order, so that nobody makes us send more than there is. */
static void on_bundle_wanted(struct campaign *campaign, uint64_t now_ns, struct campaign_agent *agent,
                             const struct message *message)
{
    struct bytes content = campaign->bundle.content;
    struct bytes hash = campaign->bundle.listing.hash;
    uint64_t offset = message->bundle_chunk.offset;
    size_t size = bundle_chunk_bytes(content.size, offset);
    if (size == 0 || offset != agent->bundle_bytes || !bytes_equal(message->bundle_chunk.hash, hash)) {
        complain(campaign, now_ns, agent, "a chunk that it may not ask for");
        return;
    }
    agent->bundle_bytes += size;
    if (campaign->state == CAMPAIGN_DEPLOYING) {
        campaign_await_agents(campaign, now_ns); /* a large bundle on a slow line comes along */
    }
    struct message chunk = {
        .kind = MESSAGE_BUNDLE_CHUNK,
        .bundle_chunk = {.hash = hash, .offset = offset, .content = bytes_of(content.data + offset, size)}};
    campaign_tell(campaign, agent, &chunk);
}

static void on_artifact(struct campaign *campaign, uint64_t now_ns, struct campaign_agent *agent,
                        const struct message *message)
{
    const struct artifact_piece *piece = &message->artifact;
    struct error error;
    if (placement_agent(campaign->placement, piece->worker) != (uint32_t)(agent - campaign->agents)) {
        complain(campaign, now_ns, agent, "it speaks for workers that are not its own");
    } else if (!artifacts_take(&campaign->artifacts, &agent->artifact, piece, &error)) {
        complain(campaign, now_ns, agent, error.text);
    }
}

static message_function *const FUNCTIONS[MESSAGE_SCALE + 1] = {
    [MESSAGE_DEPLOYED] = on_deployed,
    [MESSAGE_GLOBAL_DONE] = on_global_done,
    [MESSAGE_OPERATIONS] = campaign_take_operations,
    [MESSAGE_DRAINED] = on_drained,
    [MESSAGE_FAILURE] = on_failure,
    [MESSAGE_STATISTICS] = on_statistics,
    [MESSAGE_FINISHED] = on_finished,
    [MESSAGE_BUNDLE_WANTED] = on_bundle_wanted,
    [MESSAGE_ARTIFACT] = on_artifact,
};

void campaign_message(struct campaign *campaign, uint64_t now_ns, struct member *member,
                      const struct message *message)
{
    if (campaign->state == CAMPAIGN_ENDED) {
        return; /* was on its way when it ended */
    }
    struct campaign_agent *agent = campaign_agent_of(campaign, member);
    message_function *function = FUNCTIONS[message->kind];
    if (function == NULL || agent == NULL) {
        members_complain(member, now_ns, campaign->home.outbox,
                         function == NULL ? "not a message that an agent sends"
                                          : "a campaign that is not its own");
        return;
    }
    if (!agent->is_given_up) {
        function(campaign, now_ns, agent, message);
    }
}

void campaign_consider_agents(struct campaign *campaign, uint64_t now_ns)
{
    struct error error;
    if (campaign->state != CAMPAIGN_CREATED) {
        return;
    }
    struct capacity capacity = capacity_of(campaign->home.members, &campaign->options);
    if (capacity.agents < campaign->agents_wanted) {
        return;
    }
    if (capacity_check(&capacity, &campaign->options, &error)) {
        (void)campaign_happen(campaign, now_ns, CAMPAIGN_LIFECYCLE_AGENTS_JOINED);
    } else {
        campaign_stop_as(campaign, now_ns, VERDICT_ABORTED, error.text);
    }
}

struct standing {
    bool is_deployed;
    bool is_drained;
    bool is_finished;
};

static struct standing standing_of_all(const struct campaign *campaign)
{
    struct standing standing = {true, true, true};
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        const struct campaign_agent *agent = &campaign->agents[i];
        if (campaign_agent_is_live(agent)) {
            standing.is_deployed = standing.is_deployed && agent->is_deployed;
            standing.is_drained = standing.is_drained && (agent->is_drained || agent->is_finished);
            standing.is_finished = standing.is_finished && agent->is_finished;
        }
    }
    return standing;
}

void campaign_check_progress(struct campaign *campaign, uint64_t now_ns)
{
    struct standing standing = standing_of_all(campaign);
    if (campaign->state == CAMPAIGN_DEPLOYING) {
        if (standing.is_deployed) {
            (void)campaign_happen(campaign, now_ns, CAMPAIGN_LIFECYCLE_DEPLOYED);
        }
        return;
    }
    bool is_running = campaign->state == CAMPAIGN_RUNNING;
    if (standing.is_finished && (is_running || campaign->awaited == AWAITS_WORKERS)) {
        (void)campaign_happen(campaign, now_ns, CAMPAIGN_LIFECYCLE_FINISHED);
    } else if (is_running && campaign->is_draining && !campaign->is_last_step_known && standing.is_drained) {
        (void)campaign_happen(campaign, now_ns, CAMPAIGN_LIFECYCLE_DRAINED);
    }
}

/* "a1, a3": who has not answered. */
static void name_the_silent(const struct campaign *campaign, struct buffer *names)
{
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        const struct campaign_agent *agent = &campaign->agents[i];
        bool is_awaited =
            campaign->state == CAMPAIGN_READY ? i == campaign->global_agent : !agent->is_deployed;
        if (campaign_agent_is_live(agent) && is_awaited) {
            buffer_append_format(names, "%s%.*s", names->size > 0 ? ", " : "", BYTES_FORMAT(agent->name));
        }
    }
}

static void note_late_setup(struct campaign *campaign)
{
    SCOPED(buffer_finish) struct buffer names;
    char within[DURATION_BYTES];
    buffer_init(&names, NAMES_BYTES);
    name_the_silent(campaign, &names);
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
    if (campaign->state == CAMPAIGN_CREATED) {
        char within[DURATION_BYTES];
        duration_describe(campaign->deadline_ms, within, sizeof within);
        struct capacity capacity = capacity_of(campaign->home.members, &campaign->options);
        char words[LABELS_MAX_BYTES + 20];
        judgement_raise(&campaign->judgement, VERDICT_ABORTED, "only %u of %u agents%s joined within %s",
                        capacity.agents, campaign->agents_wanted,
                        capacity_describe(&campaign->options, words, sizeof words), within);
        campaign->was_stopped = true;
    } else if (campaign->state == CAMPAIGN_DEPLOYING || campaign->state == CAMPAIGN_READY) {
        note_late_setup(campaign);
    }
    (void)campaign_happen(campaign, now_ns, CAMPAIGN_LIFECYCLE_TIME_UP);
}
