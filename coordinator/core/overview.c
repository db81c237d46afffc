/* What the coordinator keeps for its overview. */
#include "coordinator/core/overview.h"

#include "common/memory.h"
#include "common/text.h"

#include <assert.h>

/* An agent that is gone, and the texts that its view shows. */
struct lost_agent {
    struct agent_overview view;
    struct text name;
    struct text host;
    struct text labels;
    struct text program;
};

struct overview {
    struct coordinator_overview view;
    struct lost_agent lost[OVERVIEW_LOST_KEPT]; /* oldest first */
    size_t lost_count;
    struct agent_overview *agents;
    size_t agent_capacity;
    struct campaign_overview *campaigns;
    size_t campaign_capacity;
    uint64_t *ids; /* of campaigns, agent by agent */
    size_t id_capacity;
};

struct overview *overview_new(void)
{
    return MEMORY_NEW(struct overview);
}

static void forget_lost(struct overview *overview, size_t index)
{
    text_finish(&overview->lost[index].name);
    text_finish(&overview->lost[index].host);
    text_finish(&overview->lost[index].labels);
    text_finish(&overview->lost[index].program);
    overview->lost_count--;
    for (size_t i = index; i < overview->lost_count; i++) {
        overview->lost[i] = overview->lost[i + 1];
    }
}

void overview_free(struct overview **overview)
{
    if (*overview == NULL) {
        return;
    }
    while ((*overview)->lost_count > 0) {
        forget_lost(*overview, 0);
    }
    memory_free((*overview)->agents);
    memory_free((*overview)->campaigns);
    memory_free((*overview)->ids);
    memory_free(*overview);
    *overview = NULL;
}

static void forget_name(struct overview *overview, struct bytes name)
{
    for (size_t i = overview->lost_count; i-- > 0;) {
        if (bytes_equal(overview->lost[i].view.name, name)) {
            forget_lost(overview, i);
        }
    }
}

void overview_joined(struct overview *overview, const struct member *member)
{
    overview->view.agents_joined++;
    forget_name(overview, member->name.bytes);
}

static struct agent_overview view_of(const struct member *member)
{
    return (struct agent_overview){.name = member->name.bytes,
                                   .host = member->host.bytes,
                                   .pid = member->pid,
                                   .cores = member->cores,
                                   .shards = member->shards,
                                   .memory_bytes = member->memory_bytes,
                                   .labels = member->labels.bytes,
                                   .program = member->program.bytes,
                                   .capacity = member->capacity,
                                   .held = member->held,
                                   .heard_ns = member_heard_ns(member)};
}

/* Copies the texts. */
static struct agent_overview *add_lost(struct overview *overview, struct agent_overview view)
{
    struct lost_agent *lost = &overview->lost[overview->lost_count++];
    *lost = (struct lost_agent){.view = view,
                                .name = text_copy(view.name),
                                .host = text_copy(view.host),
                                .labels = text_copy(view.labels),
                                .program = text_copy(view.program)};
    lost->view.name = lost->name.bytes;
    lost->view.host = lost->host.bytes;
    lost->view.labels = lost->labels.bytes;
    lost->view.program = lost->program.bytes;
    return &lost->view;
}

void overview_lost(struct overview *overview, const struct member *member)
{
    overview->view.agents_lost += member->has_left ? 0 : 1;
    overview->view.agents_left += member->has_left ? 1 : 0;
    if (overview->lost_count == OVERVIEW_LOST_KEPT) {
        forget_lost(overview, 0);
    }
    struct agent_overview *lost = add_lost(overview, view_of(member));
    lost->held = 0;
    lost->is_lost = true;
    lost->has_left = member->has_left;
}

void overview_created(struct overview *overview)
{
    overview->view.campaigns_created++;
}

void overview_received(struct overview *overview)
{
    overview->view.frames_received++;
}

void overview_sent(struct overview *overview, const struct coordinator_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        overview->view.frames_sent += effects->items[i].kind == EFFECT_SEND;
    }
}

void overview_operations(struct overview *overview, const struct message *message)
{
    for (size_t i = 0; message->kind == MESSAGE_OPERATIONS && i < message->operations.count; i++) {
        overview->view.operations += worker_set_count(&message->operations.items[i].workers);
    }
}

static_assert(sizeof(struct agent_overview) == 184 && sizeof(struct coordinator_overview) == 104,
              "every field is packed, or only shown");

void overview_pack(const struct overview *overview, struct buffer *into)
{
    const struct coordinator_overview *view = &overview->view;
    pack_number(into, view->campaigns_created);
    pack_number(into, view->agents_joined);
    pack_number(into, view->agents_lost);
    pack_number(into, view->agents_left);
    pack_number(into, view->frames_received);
    pack_number(into, view->frames_sent);
    pack_number(into, view->operations);
    pack_number(into, overview->lost_count);
    for (size_t i = 0; i < overview->lost_count; i++) {
        const struct agent_overview *lost = &overview->lost[i].view;
        pack_bytes(into, lost->name);
        pack_bytes(into, lost->host);
        pack_number(into, lost->pid);
        pack_number(into, lost->cores);
        pack_number(into, lost->shards);
        pack_number(into, lost->memory_bytes);
        pack_bytes(into, lost->labels);
        pack_bytes(into, lost->program);
        pack_number(into, lost->capacity);
        pack_number(into, lost->heard_ns);
        pack_flag(into, lost->has_left);
    }
}

bool overview_unpack(struct overview *overview, struct unpack *from)
{
    struct coordinator_overview *view = &overview->view;
    view->campaigns_created = unpack_number(from);
    view->agents_joined = unpack_number(from);
    view->agents_lost = unpack_number(from);
    view->agents_left = unpack_number(from);
    view->frames_received = unpack_number(from);
    view->frames_sent = unpack_number(from);
    view->operations = unpack_number(from);
    uint64_t count = unpack_bounded(from, OVERVIEW_LOST_KEPT);
    while (overview->lost_count < count && !from->is_broken) {
        struct agent_overview lost = {.is_lost = true};
        lost.name = unpack_bytes(from);
        lost.host = unpack_bytes(from);
        lost.pid = (uint32_t)unpack_bounded(from, UINT32_MAX);
        lost.cores = (uint32_t)unpack_bounded(from, UINT32_MAX);
        lost.shards = (uint32_t)unpack_bounded(from, UINT32_MAX);
        lost.memory_bytes = unpack_number(from);
        lost.labels = unpack_bytes(from);
        lost.program = unpack_bytes(from);
        lost.capacity = (uint32_t)unpack_bounded(from, UINT32_MAX);
        lost.heard_ns = unpack_number(from);
        lost.has_left = unpack_flag(from);
        (void)add_lost(overview, lost);
    }
    return !from->is_broken;
}

static void look_at_agents(struct overview *overview, const struct members *members)
{
    size_t joined = members_count(members);
    overview->agents = memory_reserve(overview->agents, &overview->agent_capacity,
                                      joined + overview->lost_count, sizeof *overview->agents);
    for (size_t i = 0; i < joined; i++) {
        struct member *member = members_at(members, i);
        member->overview_index = i;
        overview->agents[i] = view_of(member);
        overview->agents[i].gauges = member->gauges.interval_us > 0 ? &member->gauges : NULL;
        overview->agents[i].link_backlog = link_backlog(member->link);
        overview->agents[i].held_bytes = link_held_bytes(member->link);
        overview->agents[i].unread = member->unread;
        overview->agents[i].malformed = member->malformed;
    }
    for (size_t i = 0; i < overview->lost_count; i++) {
        overview->agents[joined + i] = overview->lost[i].view;
    }
    overview->view.agents = overview->agents;
    overview->view.agent_count = joined + overview->lost_count;
    overview->view.lost_count = overview->lost_count;
}

static void look_at_campaigns(struct overview *overview, const struct campaigns *campaigns)
{
    struct coordinator_overview *view = &overview->view;
    overview->campaigns = memory_reserve(overview->campaigns, &overview->campaign_capacity, campaigns->count,
                                         sizeof *overview->campaigns);
    view->live_campaign_count = 0;
    for (size_t i = 0; i < campaigns->count; i++) {
        overview->campaigns[i] =
            (struct campaign_overview){.campaign = campaign_id(campaigns->list[i]),
                                       .state = campaign_state(campaigns->list[i]),
                                       .target_port = campaign_target_port(campaigns->list[i])};
        view->live_campaign_count += !campaign_is_ended(campaigns->list[i]);
    }
    view->campaigns = overview->campaigns;
    view->campaign_count = campaigns->count;
}

static void count_part(struct overview *overview, const struct campaign *campaign, bool is_listed)
{
    for (uint32_t index = 0; !campaign_is_ended(campaign) && index < campaign_agent_count(campaign);
         index++) {
        uint32_t workers_running = 0;
        const struct member *member = campaign_agent(campaign, index, &workers_running);
        if (member == NULL) {
            continue;
        }
        struct agent_overview *agent = &overview->agents[member->overview_index];
        if (is_listed) {
            size_t first = (size_t)(agent->campaigns - overview->ids);
            overview->ids[first + agent->campaign_count] = campaign_id(campaign);
            agent->workers_running += workers_running;
        }
        agent->campaign_count++;
    }
}

/* In two passes: how many campaigns each agent runs, then which. */
static void look_at_parts(struct overview *overview, const struct campaigns *campaigns)
{
    size_t total = 0;
    for (size_t i = 0; i < campaigns->count; i++) {
        count_part(overview, campaigns->list[i], false);
    }
    for (size_t i = 0; i < overview->view.agent_count; i++) {
        total += overview->agents[i].campaign_count;
    }
    overview->ids =
        (uint64_t *)memory_reserve(overview->ids, &overview->id_capacity, total + 1, sizeof *overview->ids);
    const uint64_t *next = overview->ids;
    for (size_t i = 0; i < overview->view.agent_count; i++) {
        overview->agents[i].campaigns = next;
        next += overview->agents[i].campaign_count;
        overview->agents[i].campaign_count = 0;
    }
    for (size_t i = 0; i < campaigns->count; i++) {
        count_part(overview, campaigns->list[i], true);
    }
}

const struct coordinator_overview *overview_look(struct overview *overview, const struct members *members,
                                                 const struct campaigns *campaigns)
{
    look_at_agents(overview, members);
    look_at_campaigns(overview, campaigns);
    look_at_parts(overview, campaigns);
    return &overview->view;
}
