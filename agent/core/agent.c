/* An agent as a pure state machine: the one entry, and what leaves through the link. */
#include "agent/core/agent_internal.h"
#include "common/memory.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <assert.h>

/* When this many operations have gathered, the workers pause until half of them are gone. */
#define GATHERED_MOST 200000u

static const char *own_setting(struct text *own, const char *setting)
{
    if (setting == NULL) {
        return NULL;
    }
    *own = text_copy_string(setting);
    return (const char *)own->bytes.data;
}

struct agent *agent_new(const struct agent_settings *settings, uint64_t now_ns)
{
    assert(settings->incarnation != 0 && settings->shards > 0 && settings->shards <= LIMIT_SHARDS);
    struct agent *agent = MEMORY_NEW(struct agent);
    agent->settings = *settings;
    agent->settings.name = own_setting(&agent->setting_texts[0], settings->name);
    agent->settings.host = own_setting(&agent->setting_texts[1], settings->host);
    agent->settings.labels = own_setting(&agent->setting_texts[2], settings->labels);
    agent->settings.coordinator_host = own_setting(&agent->setting_texts[3], settings->coordinator_host);
    agent->incarnation = settings->incarnation;
    agent->now_ns = now_ns;
    agent->campaigns = map_new();
    random_seed(&agent->random, settings->seed);
    agent_gauges_init(agent);
    agent_join_init(agent);
    return agent;
}

void agent_free(struct agent **agent)
{
    struct agent *self = *agent;
    if (self == NULL) {
        return;
    }
    struct map_cursor cursor = {0};
    while (map_next(self->campaigns, &cursor)) {
        struct agent_campaign *campaign = cursor.value;
        agent_campaign_free(&campaign);
    }
    map_free(&self->campaigns);
    bundle_cache_finish(&self->cache);
    agent_gauges_finish(self);
    link_free(&self->link);
    agent_free_texts(self);
    memory_free(self->texts);
    shared_release(&self->hello);
    for (size_t i = 0; i < sizeof self->setting_texts / sizeof *self->setting_texts; i++) {
        text_finish(&self->setting_texts[i]);
    }
    memory_free(self);
    *agent = NULL;
}

void agent_send(struct agent *agent, const struct message *message)
{
    struct buffer encoded SCOPED(buffer_finish);
    buffer_init(&encoded, LIMIT_FRAME_BYTES);
    message_encode(message, &encoded);
    if (encoded.has_overflowed) {
        agent_log(agent, LOG_ERROR,
                  memory_format("a message of kind %s is too large and was dropped",
                                message_kind_name(message->kind)));
        return;
    }
    link_send(agent->link, &encoded);
}

void agent_send_gathered(struct agent *agent, struct agent_campaign *campaign, bool is_all)
{
    struct message message = {.kind = MESSAGE_OPERATIONS, .campaign = campaign->campaign};
    while ((is_all || link_backlog(agent->link) < AGENT_BACKLOG_MESSAGES) &&
           batcher_batch(campaign->batcher, &message)) {
        agent_send(agent, &message);
        agent_campaign_announce(campaign, link_queued(agent->link), message.operations.items,
                                message.operations.count);
        batcher_drop(campaign->batcher);
    }
}

void agent_count_gathered(struct agent *agent)
{
    agent->gathered = 0;
    struct map_cursor cursor = {0};
    while (map_next(agent->campaigns, &cursor)) {
        agent->gathered += batcher_count(((const struct agent_campaign *)cursor.value)->batcher);
    }
}

/* Backpressure: workers wait rather than memory grow. */
static void check_gathered(struct agent *agent)
{
    if (agent->gathered > GATHERED_MOST) {
        agent->is_paused = true;
    } else if (agent->gathered <= GATHERED_MOST / 2) {
        agent->is_paused = false;
    }
}

static void send_all_gathered(struct agent *agent)
{
    struct map_cursor cursor = {0};
    while (map_next(agent->campaigns, &cursor)) {
        agent_send_gathered(agent, cursor.value, false);
    }
    agent_count_gathered(agent);
}

static void send_frames(struct agent *agent)
{
    struct envelope envelope;
    struct shared *message;
    while (link_next_frame(agent->link, agent->now_ns, &envelope, &message)) {
        struct agent_effect *effect = agent_add_effect(agent, AGENT_SEND);
        effect->envelope = envelope;
        effect->message = message;
    }
}

/* Sends what can be sent now. */
static void hand_out(struct agent *agent)
{
    agent_check_leave(agent);
    agent_check_silence(agent);
    if (agent->link == NULL) {
        agent_say_hello(agent);
        return;
    }
    send_all_gathered(agent);
    check_gathered(agent);
    agent_update_lease(agent);
    send_frames(agent);
}

static void deliver(struct agent *agent, struct bytes bytes)
{
    struct message message;
    struct error error;
    if (!message_decode(bytes, &message, &error)) {
        agent_complain(agent, error.text);
        return;
    }
    agent_take_message(agent, &message);
    message_finish(&message);
}

/* Workers whose next step the coordinator knows of by now begin that step. */
static void let_begin(struct agent *agent, struct agent_campaign *campaign)
{
    struct worker_set *sets = agent_campaign_new_sets(campaign);
    if (agent_campaign_take_known(campaign, link_acknowledged(agent->link), sets)) {
        for (uint32_t shard = 0; shard < campaign->shard_count; shard++) {
            if (sets[shard].run_count > 0) {
                worker_set_copy(&agent_command(agent, campaign, shard, COMMAND_KNOWN)->workers, &sets[shard]);
            }
        }
    }
    agent_campaign_free_sets(campaign, sets);
}

static void take_acknowledgement(struct agent *agent)
{
    struct map_cursor cursor = {0};
    while (map_next(agent->campaigns, &cursor)) {
        struct agent_campaign *campaign = cursor.value;
        if (campaign->announcement_count > 0) {
            let_begin(agent, campaign);
        }
    }
}

static void take_frame(struct agent *agent, const struct envelope *envelope, struct bytes message)
{
    if (envelope->incarnation != agent->incarnation) {
        return; /* from an earlier life */
    }
    if (envelope->sequence == 0 && message.size > 0) {
        agent_take_refusal(agent, envelope, message);
        return;
    }
    if (agent->link == NULL && !agent_take_welcome(agent, envelope, message)) {
        return;
    }
    enum link_verdict verdict = link_receive(agent->link, agent->now_ns, envelope, message.size > 0);
    if (verdict == LINK_FOREIGN) {
        return;
    }
    struct link_sample sample;
    if (link_take_sample(agent->link, &sample)) {
        clock_filter_add(&agent->clock, &sample);
    }
    agent_heard(agent);
    agent_update_lease(agent);
    take_acknowledgement(agent);
    if (verdict == LINK_DELIVER) {
        deliver(agent, message);
    }
}

static void take_notice(struct agent *agent, const struct agent_event *event)
{
    agent_take_notice(agent, event->shard, *event->notice);
    notice_free(event->notice);
    check_gathered(agent);
    agent_update_lease(agent);
}

void agent_step(struct agent *agent, const struct agent_event *event, struct agent_effects *effects)
{
    agent_effects_clear(effects);
    agent_free_texts(agent);
    agent->now_ns = event->now_ns;
    agent->effects = effects;
    if (event->kind == AGENT_NOTICE) {
        take_notice(agent, event);
    } else if (event->kind == AGENT_GAUGES) {
        agent_take_gauges(agent, event->gauges);
    } else if (event->kind == AGENT_GONE) {
        agent_take_gone(agent);
    } else if (event->kind == AGENT_ASK) {
        agent_ask_to_leave(agent);
    } else if (event->kind == AGENT_LEAVE) {
        agent_leave(agent);
    } else if (!agent->is_refused && event->kind == AGENT_FRAME) {
        take_frame(agent, &event->envelope, event->message);
    } else if (!agent->is_refused) {
        if (event->kind == AGENT_CONNECTED) {
            agent_connected(agent);
        }
        hand_out(agent);
    }
    agent->effects = NULL;
}

uint64_t agent_due_ns(const struct agent *agent)
{
    if (agent->is_refused) {
        return UINT64_MAX;
    }
    uint64_t due_ns = agent->link == NULL ? agent->hello_due_ns : link_due_ns(agent->link);
    if ((agent->is_leaving || agent->has_asked) && agent->leave_due_ns < due_ns) {
        due_ns = agent->leave_due_ns;
    }
    return due_ns < agent->reconnect_due_ns ? due_ns : agent->reconnect_due_ns;
}

bool agent_is_joined(const struct agent *agent)
{
    return agent->link != NULL;
}

int64_t agent_clock_offset_ns(const struct agent *agent, uint64_t *uncertainty_ns)
{
    bool is_set = clock_filter_is_set(&agent->clock);
    *uncertainty_ns = is_set ? agent->clock.uncertainty_ns : UINT64_MAX;
    return agent->clock.offset_ns;
}
