/* Messages of the coordinator, handed on to the shards. */
#include "agent/core/agent_internal.h"
#include "common/digits.h"
#include "common/memory.h"
#include "common/shared.h"
#include "proto/message/arrivals.h"

#include <assert.h>

static struct bytes agent_message_key_of(const uint64_t *campaign)
{
    return bytes_of(campaign, sizeof *campaign);
}

struct agent_campaign *agent_campaign_of(const struct agent *agent, uint64_t campaign)
{
    return map_get(agent->campaigns, agent_message_key_of(&campaign));
}

static void drop_campaign(struct agent *agent, struct agent_campaign *campaign)
{
    for (uint32_t shard = 0; shard < campaign->shard_count; shard++) {
        if (campaign->shards[shard].has_runner) {
            (void)agent_command(agent, campaign, shard, COMMAND_FORGET);
        }
    }
    (void)map_remove(agent->campaigns, agent_message_key_of(&campaign->campaign));
    agent_campaign_free(&campaign);
    agent_count_gathered(agent);
    if (map_size(agent->campaigns) == 0) {
        agent_may_leave(agent);
    }
}

void agent_drop_shares(struct agent *agent)
{
    struct map_cursor cursor = {0};
    while (map_next(agent->campaigns, &cursor)) {
        const struct agent_campaign *campaign = cursor.value;
        agent_log_campaign(agent, campaign->campaign,
                           memory_format("campaign %llu is dropped here: its workers end",
                                         (unsigned long long)campaign->campaign));
        drop_campaign(agent, cursor.value);
    }
}

static char *string_of(struct bytes bytes)
{
    return memory_format("%.*s", BYTES_FORMAT(bytes));
}

/* The coordinator does not know which of its addresses we use. */
static struct deployment *deployment_of(const struct agent *agent, const struct message *message)
{
    struct campaign_options options = message->deploy.options;
    SCOPED(memory_free_at) char *target = NULL;
    if (options.target_port != 0) {
        target = memory_format("http://%s:%u", agent->settings.coordinator_host, options.target_port);
        options.target = bytes_of_string(target);
    }
    return deployment_new(message->campaign, &options, NULL);
}

static void tell_deployed(struct agent *agent, uint64_t campaign, const struct deploy *deploy)
{
    unsigned long long count = worker_set_count(&deploy->workers);
    agent_log_campaign(agent, campaign,
                       memory_format("campaign %llu is deployed here, with %llu worker%s",
                                     (unsigned long long)campaign, count, digits_plural(count)));
}

static void agent_message_deploy(struct agent *agent, const struct message *message)
{
    const struct deploy *deploy = &message->deploy;
    struct deployment *deployment = deployment_of(agent, message);
    struct agent_campaign *campaign = agent_campaign_new(deployment, agent->settings.shards);
    deployment_release(&deployment);
    if (agent_campaign_of(agent, message->campaign) != NULL ||
        !agent_campaign_knows(campaign, &deploy->workers)) {
        agent_complain(agent, "a campaign that is here already, or workers that it has not");
        agent_campaign_free(&campaign);
        return;
    }
    (void)map_put(agent->campaigns, agent_message_key_of(&campaign->campaign), campaign);
    campaign->download =
        bundle_download_new(&deploy->bundle); /* what follows is held until the bundle is here */
    tell_deployed(agent, message->campaign, deploy);
    struct worker_set *sets = agent_campaign_new_sets(campaign);
    agent_campaign_deal(campaign, &deploy->workers, sets);
    bool may_have_more =
        deploy->options.may_join || campaign_most_workers(&deploy->options) > deploy->options.workers;
    for (uint32_t shard = 0; shard < campaign->shard_count; shard++) {
        /* Global fixtures run on the first shard, whether it has workers or not. */
        if (shard != 0 && sets[shard].run_count == 0 && !may_have_more) {
            continue;
        }
        campaign->shards[shard].has_runner = true;
        struct command *command = agent_command(agent, campaign, shard, COMMAND_DEPLOY);
        command->deployment = deployment_hold(campaign->deployment);
        worker_set_copy(&command->workers, &sets[shard]);
    }
    agent_campaign_free_sets(campaign, sets);
    agent_get_bundle(agent, campaign);
}

static void global(struct agent *agent, struct agent_campaign *campaign, const struct message *message)
{
    agent_command(agent, campaign, 0, COMMAND_GLOBAL)->phase = message->global.phase;
}

static void assign_one(struct agent *agent, struct agent_campaign *campaign,
                       const struct assignment *assignment)
{
    if (!agent_campaign_knows(campaign, &assignment->workers)) {
        agent_complain(agent, "workers that the campaign has not");
        return;
    }
    struct worker_set *sets = agent_campaign_new_sets(campaign);
    agent_campaign_deal(campaign, &assignment->workers, sets);
    for (uint32_t shard = 0; shard < campaign->shard_count; shard++) {
        if (sets[shard].run_count > 0) {
            campaign->shards[shard].is_finished = false;
            struct command *command = agent_command(agent, campaign, shard, COMMAND_ASSIGN);
            worker_set_copy(&command->workers, &sets[shard]);
            command->first_step = assignment->first_step;
        }
    }
    agent_campaign_free_sets(campaign, sets);
}

/* The shards that asked know now what they get; those that have asked since are next. */
static void agent_message_answer(struct agent *agent, struct agent_campaign *campaign)
{
    for (uint32_t shard = 0; shard < campaign->shard_count; shard++) {
        if (campaign->shards[shard].has_asked) {
            campaign->shards[shard].has_asked = false;
            campaign->shards[shard].wanted[campaign->asked_load] = 0;
            struct command *command = agent_command(agent, campaign, shard, COMMAND_ASSIGN);
            command->is_answer = true;
            command->load = campaign->asked_load;
        }
    }
    campaign->is_asking = false;
    agent_ask_for_workers(agent, campaign);
}

static void agent_message_assign(struct agent *agent, struct agent_campaign *campaign,
                                 const struct message *message)
{
    for (size_t i = 0; i < message->assign.count; i++) {
        assign_one(agent, campaign, &message->assign.items[i]);
    }
    if (message->assign.is_answer) {
        agent_message_answer(agent, campaign);
    }
}

/* The value of the previous replies; those that follow often point to the same one. */
struct last_value {
    struct bytes bytes;
    struct shared *shared;
};

static struct shared *agent_campaign_value(struct last_value *last, struct bytes value)
{
    if (value.size < REPLY_SHARED_BYTES) {
        return NULL;
    }
    if (last->shared == NULL || last->bytes.data != value.data || last->bytes.size != value.size) {
        shared_release(&last->shared);
        *last = (struct last_value){.bytes = value, .shared = shared_new(value)};
    }
    return last->shared;
}

/* `value` holds that of the reply, or is NULL. */
static void give_reply(struct agent *agent, struct agent_campaign *campaign, const struct reply *reply,
                       struct shared *value, struct command **commands)
{
    struct reply local = *reply;
    local.shared = value;
    local.at_ns = (int64_t)clock_filter_to_ours(&agent->clock, reply->at_ns);
    agent_campaign_split_reply(campaign, &local, commands);
    for (uint32_t shard = 0; shard < campaign->shard_count; shard++) {
        if (commands[shard] != NULL) {
            agent_give_command(agent, campaign, shard, commands[shard]);
        }
    }
}

static void replies(struct agent *agent, struct agent_campaign *campaign, const struct message *message)
{
    struct command **commands = memory_new(campaign->shard_count, sizeof(struct command *));
    struct last_value last = {.shared = NULL};
    for (size_t i = 0; i < message->replies.count; i++) {
        const struct reply *reply = &message->replies.items[i];
        give_reply(agent, campaign, reply, agent_campaign_value(&last, reply->value), commands);
    }
    shared_release(&last.shared);
    memory_free(commands);
}

static void copy_room_steps(struct command *command, const struct room_step *items, size_t count)
{
    command->room_steps = memory_copy(items, count * sizeof *items);
    command->room_step_count = count;
}

static void agent_message_copy_pace(struct command *command, const struct pace *pace)
{
    command->pace = *pace;
    command->pace.rooms = NULL;
    command->pace.room_count = 0;
    command->pace.starts = NULL;
    command->pace.start_count = 0;
    copy_room_steps(command, pace->rooms, pace->room_count);
    command->starts = memory_copy(pace->starts, pace->start_count * sizeof *pace->starts);
    command->start_count = pace->start_count;
}

static void agent_message_fill(const struct agent *agent, struct command *command,
                               const struct message *message)
{
    switch (command->kind) {
    case COMMAND_BEGIN:
        command->at_ns = clock_filter_to_ours(&agent->clock, message->begin.at_ns);
        command->from_plan_ns = message->begin.from_plan_ns;
        break;
    case COMMAND_SYNCHRONISE:
    case COMMAND_ROOMS_DONE:
        worker_set_copy(&command->rooms, &message->rooms);
        break;
    case COMMAND_RUN_UNTIL:
        copy_room_steps(command, message->room_steps.items, message->room_steps.count);
        break;
    case COMMAND_SCALE:
        command->worker_count = message->scale.workers;
        command->load = message->scale.load;
        copy_room_steps(command, message->scale.rooms, message->scale.room_count);
        break;
    case COMMAND_PACE:
        agent_message_copy_pace(command, &message->pace);
        break;
    case COMMAND_STOP:
        command->text = string_of(message->stop.text);
        break;
    default:
        break;
    }
}

static void tell_all(struct agent *agent, struct agent_campaign *campaign, const struct message *message,
                     enum command_kind kind)
{
    for (uint32_t shard = 0; shard < campaign->shard_count; shard++) {
        if (campaign->shards[shard].has_runner) {
            agent_message_fill(agent, agent_command(agent, campaign, shard, kind), message);
        }
    }
}

static void tell_campaign(struct agent *agent, const struct agent_campaign *campaign, const char *what)
{
    agent_log_campaign(agent, campaign->campaign,
                       memory_format("campaign %llu %s", (unsigned long long)campaign->campaign, what));
}

static void take_of_campaign(struct agent *agent, struct agent_campaign *campaign,
                             const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_BUNDLE_CHUNK:
        agent_take_chunk(agent, campaign, &message->bundle_chunk);
        break;
    case MESSAGE_GLOBAL:
        global(agent, campaign, message);
        break;
    case MESSAGE_BEGIN:
        tell_campaign(agent, campaign, "begins");
        tell_all(agent, campaign, message, COMMAND_BEGIN);
        break;
    case MESSAGE_ASSIGN:
        agent_message_assign(agent, campaign, message);
        break;
    case MESSAGE_REPLIES:
        replies(agent, campaign, message);
        break;
    case MESSAGE_SYNCHRONISE:
        tell_all(agent, campaign, message, COMMAND_SYNCHRONISE);
        break;
    case MESSAGE_DRAIN:
        campaign->is_draining = true;
        tell_all(agent, campaign, message, COMMAND_DRAIN);
        break;
    case MESSAGE_RUN_UNTIL:
        tell_all(agent, campaign, message, COMMAND_RUN_UNTIL);
        break;
    case MESSAGE_SCALE:
        agent_campaign_extend(campaign, message->scale.workers);
        campaign->grown_load = message->scale.load;
        tell_all(agent, campaign, message, COMMAND_SCALE);
        break;
    case MESSAGE_PACE:
        tell_all(agent, campaign, message, COMMAND_PACE);
        break;
    case MESSAGE_ROOMS_DONE:
        tell_all(agent, campaign, message, COMMAND_ROOMS_DONE);
        break;
    case MESSAGE_STOP:
        campaign->is_stopping = true;
        tell_campaign(agent, campaign, "stops");
        if (campaign->download != NULL) {
            agent_campaign_give_up(campaign, "stopped before the bundle was here");
        }
        tell_all(agent, campaign, message, COMMAND_STOP);
        agent_check_finished(agent, campaign);
        break;
    case MESSAGE_FORGET:
        tell_campaign(agent, campaign, "is over");
        drop_campaign(agent, campaign);
        break;
    default:
        agent_complain(agent, "a message that is not for agents");
        break;
    }
}

void agent_take_message(struct agent *agent, const struct message *message)
{
    if (message->kind == MESSAGE_WELCOME) {
        return; /* the link's first, dealt with when the link was made */
    }
    if (agent->is_leaving) {
        return; /* was on its way */
    }
    if (message->kind == MESSAGE_LEAVE) {
        agent_may_leave(agent);
        return;
    }
    if (message->kind == MESSAGE_DEPLOY) {
        agent_message_deploy(agent, message);
        return;
    }
    struct agent_campaign *campaign = agent_campaign_of(agent, message->campaign);
    if (campaign == NULL) {
        agent_complain(agent, "a message of a campaign that is not here");
        return;
    }
    take_of_campaign(agent, campaign, message);
}
