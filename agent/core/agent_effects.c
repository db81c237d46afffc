/* What the agent asks of its shell. */
#include "agent/core/agent_internal.h"
#include "common/memory.h"

#include <inttypes.h>

#define COMPLAINT_EVERY_NS UINT64_C(1000000000)

void agent_effects_clear(struct agent_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        command_free(&effects->items[i].command);
    }
    effects->count = 0;
}

void agent_effects_finish(struct agent_effects *effects)
{
    agent_effects_clear(effects);
    memory_free(effects->items);
    *effects = (struct agent_effects){0};
}

struct agent_effect *agent_add_effect(struct agent *agent, enum agent_effect_kind kind)
{
    struct agent_effects *effects = agent->effects;
    effects->items =
        memory_reserve(effects->items, &effects->capacity, effects->count + 1, sizeof *effects->items);
    struct agent_effect *effect = &effects->items[effects->count++];
    *effect = (struct agent_effect){.kind = kind};
    return effect;
}

const char *agent_keep_text(struct agent *agent, char *text)
{
    agent->texts = memory_reserve(agent->texts, &agent->text_capacity, agent->text_count + 1, sizeof(char *));
    agent->texts[agent->text_count++] = text;
    return text;
}

void agent_free_texts(struct agent *agent)
{
    for (size_t i = 0; i < agent->text_count; i++) {
        memory_free(agent->texts[i]);
    }
    agent->text_count = 0;
}

void agent_log_campaign(struct agent *agent, uint64_t campaign, char *text)
{
    struct agent_effect *effect = agent_add_effect(agent, AGENT_LOG);
    effect->level = LOG_INFO;
    effect->campaign = campaign;
    effect->text = agent_keep_text(agent, text);
}

void agent_log(struct agent *agent, enum log_level level, char *text)
{
    struct agent_effect *effect = agent_add_effect(agent, AGENT_LOG);
    effect->level = level;
    effect->text = agent_keep_text(agent, text);
}

void agent_complain(struct agent *agent, const char *what)
{
    agent->malformed++;
    if (agent->now_ns < agent->complaint_due_ns) {
        return;
    }
    agent->complaint_due_ns = agent->now_ns + COMPLAINT_EVERY_NS;
    agent_log(
        agent, LOG_WARNING,
        memory_format("dropped what the coordinator sent: %s (%" PRIu64 " so far)", what, agent->malformed));
}

void agent_give_command(struct agent *agent, struct agent_campaign *campaign, uint32_t shard,
                        struct command *command)
{
    if (campaign->download != NULL) {
        agent_campaign_hold_command(campaign, shard, command);
        return;
    }
    struct agent_effect *effect = agent_add_effect(agent, AGENT_COMMAND);
    effect->shard = shard;
    effect->command = command;
}

struct command *agent_command(struct agent *agent, struct agent_campaign *campaign, uint32_t shard,
                              enum command_kind kind)
{
    struct command *command = command_new(kind, campaign->campaign);
    agent_give_command(agent, campaign, shard, command);
    return command;
}
