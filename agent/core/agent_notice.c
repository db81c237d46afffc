/* Notices of the runners, handed on to the coordinator: the same from many shards becomes one message. */
#include "agent/core/agent_internal.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <assert.h>

static void deployed(struct agent *agent, struct agent_campaign *campaign, struct agent_campaign_shard *shard,
                     const struct notice *notice)
{
    if (shard->has_answered) {
        return;
    }
    shard->has_answered = true;
    shard->has_failed = !notice->is_ok;
    if (!notice->is_ok && campaign->deploy_failure == NULL) {
        bool has_words = notice->text != NULL && notice->text[0] != '\0';
        campaign->deploy_failure =
            memory_copy_string(has_words ? notice->text : "the script cannot be loaded");
    }
    if (agent_campaign_has_deployed(campaign)) {
        struct message message = {.kind = MESSAGE_DEPLOYED, .campaign = campaign->campaign};
        message.done.is_ok = campaign->deploy_failure == NULL;
        message.done.text = bytes_of_string(campaign->deploy_failure);
        agent_send(agent, &message);
    }
    agent_check_finished(agent, campaign);
}

static void global_done(struct agent *agent, const struct notice *notice)
{
    struct message message = {.kind = MESSAGE_GLOBAL_DONE, .campaign = notice->campaign};
    message.done.phase = notice->phase;
    message.done.is_ok = notice->is_ok;
    message.done.text = bytes_of_string(notice->text);
    agent_send(agent, &message);
}

/* What is not known stays 0; an instant that is known is never 0. */
static int64_t to_theirs(const struct agent *agent, int64_t ours_ns)
{
    if (ours_ns == 0 || !clock_filter_is_set(&agent->clock)) {
        return 0;
    }
    int64_t theirs_ns = clock_filter_to_theirs(&agent->clock, ours_ns);
    return theirs_ns == 0 ? 1 : theirs_ns;
}

static void convert_instants(const struct agent *agent, struct operation *operation)
{
    if (operation->kind == OPERATION_RELEASED) {
        operation->first_ns = clock_filter_to_theirs(&agent->clock, operation->first_ns);
        operation->last_ns = clock_filter_to_theirs(&agent->clock, operation->last_ns);
    } else if (operation->first_ns != 0) {
        uint64_t uncertainty_us = agent->clock.uncertainty_ns / 1000 + 1;
        operation->first_ns = to_theirs(agent, operation->first_ns);
        operation->last_ns = to_theirs(agent, operation->last_ns);
        operation->uncertainty_us = uncertainty_us < UINT32_MAX ? (uint32_t)uncertainty_us : UINT32_MAX;
    }
}

static void operation(struct agent *agent, struct agent_campaign *campaign, struct notice *notice)
{
    convert_instants(agent, notice->operation);
    size_t before = batcher_count(campaign->batcher);
    batcher_add(campaign->batcher, &notice->operation);
    agent->gathered += batcher_count(campaign->batcher) - before;
}

/* A full message is followed by another. */
static void send_room_steps(struct agent *agent, const struct agent_campaign *campaign)
{
    struct message message = {.kind = MESSAGE_DRAINED, .campaign = campaign->campaign};
    size_t sent = 0;
    do {
        size_t left = campaign->room_step_count - sent;
        message.room_steps.items = left > 0 ? campaign->room_steps + sent : NULL;
        message.room_steps.count = left < LIMIT_BATCH_ITEMS ? left : LIMIT_BATCH_ITEMS;
        sent += message.room_steps.count;
        agent_send(agent, &message);
    } while (message.room_steps.count == LIMIT_BATCH_ITEMS);
}

static void drained(struct agent *agent, struct agent_campaign *campaign, struct agent_campaign_shard *shard,
                    const struct notice *notice)
{
    if (shard->has_drained || !campaign->is_draining) {
        return;
    }
    shard->has_drained = true;
    agent_campaign_add_room_steps(campaign, notice->room_steps, notice->room_step_count);
    if (!agent_campaign_has_drained(campaign)) {
        return;
    }
    agent_campaign_merge_room_steps(campaign);
    agent_send_gathered(agent, campaign, true); /* what came before stays before */
    send_room_steps(agent, campaign);
}

static void failure(struct agent *agent, const struct notice *notice)
{
    struct message message = {.kind = MESSAGE_FAILURE, .campaign = notice->campaign};
    message.failure = notice->failure;
    agent_send(agent, &message);
}

void agent_ask_for_workers(struct agent *agent, struct agent_campaign *campaign)
{
    uint32_t wanted = agent_campaign_ask(campaign);
    if (wanted > 0) {
        struct message message = {.kind = MESSAGE_WORKERS_WANTED, .campaign = campaign->campaign};
        message.wanted.workers = wanted;
        message.wanted.load = campaign->asked_load;
        agent_send(agent, &message);
    }
}

/* In pieces, one after the other; what is beyond the limit of a campaign is not sent. */
static void artifact(struct agent *agent, struct agent_campaign *campaign, const struct notice *notice)
{
    struct bytes whole = notice->artifact.content;
    assert(whole.size > 0 && whole.size <= LIMIT_ARTIFACT_BYTES);
    if (campaign->artifacts == LIMIT_ARTIFACTS) {
        return;
    }
    campaign->artifacts++;
    struct message message = {.kind = MESSAGE_ARTIFACT, .campaign = notice->campaign};
    message.artifact = notice->artifact;
    message.artifact.size_bytes = whole.size;
    for (size_t offset = 0; offset < whole.size; offset += message.artifact.content.size) {
        size_t left = whole.size - offset;
        message.artifact.offset = offset;
        message.artifact.content =
            bytes_of(whole.data + offset, left < LIMIT_CHUNK_BYTES ? left : LIMIT_CHUNK_BYTES);
        agent_send(agent, &message);
    }
}

/* Counts of one shard, but the workers of all of them: the coordinator knows only agents. */
static void statistics(struct agent *agent, struct agent_campaign *campaign,
                       struct agent_campaign_shard *shard, const struct notice *notice)
{
    shard->running = notice->statistics->workers_running;
    struct statistics counted = *notice->statistics;
    counted.workers_running = agent_campaign_running(campaign);
    counted.at_ns = to_theirs(agent, notice->statistics->at_ns);
    agent_send_statistics(agent, notice->campaign, &counted);
}

void agent_check_finished(struct agent *agent, struct agent_campaign *campaign)
{
    bool has_told = campaign->has_told_finished && campaign->told_workers == campaign->workers;
    if (has_told || !agent_campaign_has_finished(campaign)) {
        return;
    }
    if (campaign->deploy_failure != NULL && !campaign->is_stopping) {
        return; /* it has not begun: nothing to report, unless somebody asks for its end */
    }
    campaign->has_told_finished = true;
    campaign->told_workers = campaign->workers;
    agent_send_gathered(agent, campaign, true);
    struct message message = {.kind = MESSAGE_FINISHED, .campaign = campaign->campaign};
    message.finished.workers = campaign->workers;
    agent_send(agent, &message);
}

/* A shard that has been given more workers meanwhile has not finished: it will report again. */
static void finished(struct agent *agent, struct agent_campaign *campaign, struct agent_campaign_shard *shard,
                     const struct notice *notice)
{
    if (notice->finished_workers < shard->workers) {
        return;
    }
    shard->is_finished = true;
    shard->running = 0;
    agent_check_finished(agent, campaign);
}

void agent_take_notice(struct agent *agent, uint32_t shard_id, struct notice *notice)
{
    assert(shard_id < agent->settings.shards);
    if (notice->kind == NOTICE_LOOP) {
        agent_take_loop(agent, shard_id, notice);
        return;
    }
    struct agent_campaign *campaign = agent_campaign_of(agent, notice->campaign);
    if (campaign == NULL || agent->link == NULL) {
        return; /* forgotten meanwhile */
    }
    struct agent_campaign_shard *shard = &campaign->shards[shard_id];
    switch (notice->kind) {
    case NOTICE_DEPLOYED:
        deployed(agent, campaign, shard, notice);
        break;
    case NOTICE_GLOBAL_DONE:
        global_done(agent, notice);
        break;
    case NOTICE_OPERATION:
        operation(agent, campaign, notice);
        break;
    case NOTICE_DRAINED:
        drained(agent, campaign, shard, notice);
        break;
    case NOTICE_FAILURE:
        failure(agent, notice);
        break;
    case NOTICE_STATISTICS:
        statistics(agent, campaign, shard, notice);
        break;
    case NOTICE_WANTED:
        shard->wanted[notice->load % LOADS_MAX] += notice->wanted;
        agent_ask_for_workers(agent, campaign);
        break;
    case NOTICE_ARTIFACT:
        artifact(agent, campaign, notice);
        break;
    case NOTICE_LOOP:
        break;
    case NOTICE_FINISHED:
        finished(agent, campaign, shard, notice);
        break;
    }
}
