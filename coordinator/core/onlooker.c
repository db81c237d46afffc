/* What the coordinator keeps for its overview. */
#include "coordinator/core/onlooker.h"

#include "common/memory.h"

#include <assert.h>

struct onlooker {
    struct coordinator_overview overview;
    struct agent_overview lost[OVERVIEW_LOST_KEPT]; /* oldest first; they own name and host */
    size_t lost_count;
    struct agent_overview *agents;
    size_t agent_capacity;
    struct campaign_overview *campaigns;
    size_t campaign_capacity;
    uint64_t *ids; /* of campaigns, agent by agent */
    size_t id_capacity;
};

struct onlooker *onlooker_new(void)
{
    return MEMORY_NEW(struct onlooker);
}

static void forget_lost(struct onlooker *onlooker, size_t index)
{
    memory_free((void *)onlooker->lost[index].name.data);
    memory_free((void *)onlooker->lost[index].host.data);
    memory_free((void *)onlooker->lost[index].labels.data);
    onlooker->lost_count--;
    for (size_t i = index; i < onlooker->lost_count; i++) {
        onlooker->lost[i] = onlooker->lost[i + 1];
    }
}

void onlooker_free(struct onlooker **onlooker)
{
    if (*onlooker == NULL) {
        return;
    }
    while ((*onlooker)->lost_count > 0) {
        forget_lost(*onlooker, 0);
    }
    memory_free((*onlooker)->agents);
    memory_free((*onlooker)->campaigns);
    memory_free((*onlooker)->ids);
    memory_free(*onlooker);
    *onlooker = NULL;
}

static void forget_name(struct onlooker *onlooker, struct bytes name)
{
    for (size_t i = onlooker->lost_count; i-- > 0;) {
        if (bytes_equal(onlooker->lost[i].name, name)) {
            forget_lost(onlooker, i);
        }
    }
}

void onlooker_joined(struct onlooker *onlooker, const struct member *member)
{
    onlooker->overview.agents_joined++;
    forget_name(onlooker, member->name);
}

static struct agent_overview view_of(const struct member *member)
{
    return (struct agent_overview){.name = member->name,
                                   .host = member->host,
                                   .pid = member->pid,
                                   .cores = member->cores,
                                   .shards = member->shards,
                                   .memory_bytes = member->memory_bytes,
                                   .labels = member->labels,
                                   .capacity = member->capacity,
                                   .held = member->held,
                                   .heard_ns = members_heard_ns(member)};
}

void onlooker_lost(struct onlooker *onlooker, const struct member *member)
{
    onlooker->overview.agents_lost += member->has_left ? 0 : 1;
    onlooker->overview.agents_left += member->has_left ? 1 : 0;
    if (onlooker->lost_count == OVERVIEW_LOST_KEPT) {
        forget_lost(onlooker, 0);
    }
    struct agent_overview *lost = &onlooker->lost[onlooker->lost_count++];
    *lost = view_of(member);
    lost->name = bytes_copy_new(member->name);
    lost->host = bytes_copy_new(member->host);
    lost->labels = bytes_copy_new(member->labels);
    lost->held = 0;
    lost->is_lost = true;
    lost->has_left = member->has_left;
}

void onlooker_created(struct onlooker *onlooker)
{
    onlooker->overview.campaigns_created++;
}

void onlooker_received(struct onlooker *onlooker)
{
    onlooker->overview.frames_received++;
}

void onlooker_sent(struct onlooker *onlooker, const struct coordinator_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        onlooker->overview.frames_sent += effects->items[i].kind == EFFECT_SEND;
    }
}

void onlooker_operations(struct onlooker *onlooker, const struct message *message)
{
    for (size_t i = 0; message->kind == MESSAGE_OPERATIONS && i < message->operations.count; i++) {
        onlooker->overview.operations += worker_set_count(&message->operations.items[i].workers);
    }
}

static_assert(sizeof(struct agent_overview) == 168 && sizeof(struct coordinator_overview) == 104,
              "onlooker_pack and onlooker_unpack have to know each field");

void onlooker_pack(const struct onlooker *onlooker, struct buffer *into)
{
    const struct coordinator_overview *overview = &onlooker->overview;
    pack_number(into, overview->campaigns_created);
    pack_number(into, overview->agents_joined);
    pack_number(into, overview->agents_lost);
    pack_number(into, overview->agents_left);
    pack_number(into, overview->frames_received);
    pack_number(into, overview->frames_sent);
    pack_number(into, overview->operations);
    pack_number(into, onlooker->lost_count);
    for (size_t i = 0; i < onlooker->lost_count; i++) {
        const struct agent_overview *lost = &onlooker->lost[i];
        pack_bytes(into, lost->name);
        pack_bytes(into, lost->host);
        pack_number(into, lost->pid);
        pack_number(into, lost->cores);
        pack_number(into, lost->shards);
        pack_number(into, lost->memory_bytes);
        pack_bytes(into, lost->labels);
        pack_number(into, lost->capacity);
        pack_number(into, lost->heard_ns);
        pack_flag(into, lost->has_left);
    }
}

bool onlooker_unpack(struct onlooker *onlooker, struct unpack *from)
{
    struct coordinator_overview *overview = &onlooker->overview;
    overview->campaigns_created = unpack_number(from);
    overview->agents_joined = unpack_number(from);
    overview->agents_lost = unpack_number(from);
    overview->agents_left = unpack_number(from);
    overview->frames_received = unpack_number(from);
    overview->frames_sent = unpack_number(from);
    overview->operations = unpack_number(from);
    uint64_t count = unpack_bounded(from, OVERVIEW_LOST_KEPT);
    while (onlooker->lost_count < count && !from->is_broken) {
        struct agent_overview *lost = &onlooker->lost[onlooker->lost_count++];
        lost->name = bytes_copy_new(unpack_bytes(from));
        lost->host = bytes_copy_new(unpack_bytes(from));
        lost->pid = (uint32_t)unpack_bounded(from, UINT32_MAX);
        lost->cores = (uint32_t)unpack_bounded(from, UINT32_MAX);
        lost->shards = (uint32_t)unpack_bounded(from, UINT32_MAX);
        lost->memory_bytes = unpack_number(from);
        lost->labels = bytes_copy_new(unpack_bytes(from));
        lost->capacity = (uint32_t)unpack_bounded(from, UINT32_MAX);
        lost->heard_ns = unpack_number(from);
        lost->has_left = unpack_flag(from);
        lost->is_lost = true;
    }
    return !from->is_broken;
}

static void look_at_agents(struct onlooker *onlooker, const struct members *members)
{
    size_t joined = members_count(members);
    onlooker->agents = memory_reserve(onlooker->agents, &onlooker->agent_capacity,
                                      joined + onlooker->lost_count, sizeof *onlooker->agents);
    for (size_t i = 0; i < joined; i++) {
        struct member *member = members_at(members, i);
        member->overview_index = i;
        onlooker->agents[i] = view_of(member);
        onlooker->agents[i].gauges = member->gauges.interval_us > 0 ? &member->gauges : NULL;
        onlooker->agents[i].link_backlog = link_backlog(member->link);
        onlooker->agents[i].held_bytes = link_held_bytes(member->link);
        onlooker->agents[i].unread = member->unread;
        onlooker->agents[i].malformed = member->malformed;
    }
    for (size_t i = 0; i < onlooker->lost_count; i++) {
        onlooker->agents[joined + i] = onlooker->lost[i];
    }
    onlooker->overview.agents = onlooker->agents;
    onlooker->overview.agent_count = joined + onlooker->lost_count;
    onlooker->overview.lost_count = onlooker->lost_count;
}

static void look_at_campaigns(struct onlooker *onlooker, const struct campaigns *campaigns)
{
    struct coordinator_overview *overview = &onlooker->overview;
    onlooker->campaigns = memory_reserve(onlooker->campaigns, &onlooker->campaign_capacity, campaigns->count,
                                         sizeof *onlooker->campaigns);
    overview->live_campaign_count = 0;
    for (size_t i = 0; i < campaigns->count; i++) {
        onlooker->campaigns[i] =
            (struct campaign_overview){.campaign = campaign_id(campaigns->list[i]),
                                       .state = campaign_state(campaigns->list[i]),
                                       .target_port = campaign_target_port(campaigns->list[i])};
        overview->live_campaign_count += !campaign_is_ended(campaigns->list[i]);
    }
    overview->campaigns = onlooker->campaigns;
    overview->campaign_count = campaigns->count;
}

static void count_part(struct onlooker *onlooker, const struct campaign *campaign, bool is_listed)
{
    for (uint32_t index = 0; !campaign_is_ended(campaign) && index < campaign_agent_count(campaign);
         index++) {
        uint32_t workers_running = 0;
        const struct member *member = campaign_agent(campaign, index, &workers_running);
        if (member == NULL) {
            continue;
        }
        struct agent_overview *agent = &onlooker->agents[member->overview_index];
        if (is_listed) {
            size_t first = (size_t)(agent->campaigns - onlooker->ids);
            onlooker->ids[first + agent->campaign_count] = campaign_id(campaign);
            agent->workers_running += workers_running;
        }
        agent->campaign_count++;
    }
}

/* Once to know how many there are for each agent, and once more to note which. */
static void look_at_parts(struct onlooker *onlooker, const struct campaigns *campaigns)
{
    size_t total = 0;
    for (size_t i = 0; i < campaigns->count; i++) {
        count_part(onlooker, campaigns->list[i], false);
    }
    for (size_t i = 0; i < onlooker->overview.agent_count; i++) {
        total += onlooker->agents[i].campaign_count;
    }
    onlooker->ids =
        (uint64_t *)memory_reserve(onlooker->ids, &onlooker->id_capacity, total + 1, sizeof *onlooker->ids);
    const uint64_t *next = onlooker->ids;
    for (size_t i = 0; i < onlooker->overview.agent_count; i++) {
        onlooker->agents[i].campaigns = next;
        next += onlooker->agents[i].campaign_count;
        onlooker->agents[i].campaign_count = 0;
    }
    for (size_t i = 0; i < campaigns->count; i++) {
        count_part(onlooker, campaigns->list[i], true);
    }
}

const struct coordinator_overview *onlooker_look(struct onlooker *onlooker, const struct members *members,
                                                 const struct campaigns *campaigns)
{
    look_at_agents(onlooker, members);
    look_at_campaigns(onlooker, campaigns);
    look_at_parts(onlooker, campaigns);
    return &onlooker->overview;
}
