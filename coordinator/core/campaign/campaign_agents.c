/* The agents of a campaign: which ones it takes, what is sent to them, and how workers move between them. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/memory.h"
#include "common/time_units.h"
#include "coordinator/core/base/bitset.h"
#include "coordinator/core/campaign/capacity.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ASSIGNMENTS_PER_MESSAGE 4096u
static_assert(ASSIGNMENTS_PER_MESSAGE <= LIMIT_BATCH_ITEMS, "the codec accepts them");

/* An instant is announced this many round trips of the slowest agent ahead, but no more than the maximum: the
 * others do not wait longer for an agent that hardly answers. */
#define LEAD_ROUND_TRIPS 4u
#define LEAD_MOST_NS 2000000000u

struct campaign_agent *campaign_agent_of(struct campaign *campaign, const struct member *member)
{
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        if (campaign->agents[i].member == member) {
            return &campaign->agents[i];
        }
    }
    return NULL;
}

bool campaign_agent_is_live(const struct campaign_agent *agent)
{
    return agent->member != NULL && !agent->is_given_up;
}

bool campaign_has_agent(const struct campaign *campaign, const struct member *member)
{
    for (uint32_t i = 0; campaign->state != CAMPAIGN_ENDED && i < campaign->agent_count; i++) {
        if (campaign->agents[i].member == member) {
            return campaign_agent_is_live(&campaign->agents[i]);
        }
    }
    return false;
}

bool campaign_is_deserted(const struct campaign *campaign)
{
    bool is_deserted = false;
    for (uint32_t i = 0; campaign->state != CAMPAIGN_ENDED && i < campaign->agent_count; i++) {
        const struct campaign_agent *agent = &campaign->agents[i];
        if (campaign_agent_is_live(agent) && agent->member->leaving_ns == 0) {
            return false;
        }
        is_deserted = is_deserted || campaign_agent_is_live(agent);
    }
    return is_deserted;
}

bool campaign_agent_takes_workers(const struct campaign_agent *agent)
{
    return campaign_agent_is_live(agent) && !agent->is_joining;
}

uint32_t campaign_live_agents(const struct campaign *campaign)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        count += campaign_agent_is_live(&campaign->agents[i]);
    }
    return count;
}

void campaign_tell(struct campaign *campaign, const struct campaign_agent *agent, struct message *message)
{
    assert(campaign_agent_is_live(agent));
    message->campaign = campaign->id;
    members_send(campaign->home.members, agent->member, message);
}

void campaign_tell_some(struct campaign *campaign, const uint64_t *agents, struct message *message)
{
    message->campaign = campaign->id;
    SCOPED(shared_release) struct shared *encoded = members_encode(message);
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        if (campaign_agent_is_live(&campaign->agents[i]) && (agents == NULL || bitset_has(agents, i))) {
            members_send_encoded(campaign->home.members, campaign->agents[i].member, encoded);
        }
    }
}

void campaign_tell_all(struct campaign *campaign, struct message *message)
{
    campaign_tell_some(campaign, NULL, message);
}

uint64_t campaign_lead_ns(const struct campaign *campaign)
{
    uint64_t longest_ns = 0;
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        if (campaign_agent_is_live(&campaign->agents[i])) {
            uint64_t round_trip_ns = member_round_trip_ns(campaign->agents[i].member);
            longest_ns = round_trip_ns > longest_ns ? round_trip_ns : longest_ns;
        }
    }
    uint64_t least_ns = campaign->home.settings->start_delay_ms * NS_PER_MS;
    uint64_t lead_ns =
        longest_ns < LEAD_MOST_NS / LEAD_ROUND_TRIPS ? longest_ns * LEAD_ROUND_TRIPS : LEAD_MOST_NS;
    return lead_ns > least_ns ? lead_ns : least_ns;
}

/* agent-2 before agent-10. The order is fixed so that a worker is on the same agent in every run. */
static int member_compare_names(const void *left, const void *right)
{
    struct bytes a = (*(struct member *const *)left)->name.bytes;
    struct bytes b = (*(struct member *const *)right)->name.bytes;
    if (a.size != b.size) {
        return a.size < b.size ? -1 : 1;
    }
    return bytes_compare(a, b);
}

static void campaign_agent_init(struct campaign_agent *agent, struct member *member)
{
    agent->member = member;
    agent->name = text_copy(member->name.bytes);
    agent->host = text_copy(member->host.bytes);
    agent->labels = text_copy(member->labels.bytes);
    agent->pid = member->pid;
    agent->cores = member->cores;
}

struct campaign_agent *campaign_add_agent(struct campaign *campaign, struct member *member)
{
    struct campaign_agent *agents = memory_new(campaign->agent_count + 1, sizeof *agents);
    memcpy(agents, campaign->agents, campaign->agent_count * sizeof *agents);
    memory_free(campaign->agents);
    memory_free(campaign->agent_reports);
    memory_free(campaign->bottleneck_reports);
    campaign->agent_reports = NULL;
    campaign->bottleneck_reports = NULL;
    campaign->agents = agents;
    struct campaign_agent *agent = &agents[campaign->agent_count++];
    campaign_agent_init(agent, member);
    return agent;
}

void campaign_hold(struct campaign *campaign, uint32_t agent)
{
    assert(agent < campaign->agent_count && campaign_agent_is_live(&campaign->agents[agent]));
    campaign->agents[agent].held++;
    campaign->agents[agent].member->held++;
}

void campaign_unburden(struct campaign *campaign)
{
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        struct campaign_agent *agent = &campaign->agents[i];
        if (agent->member != NULL) {
            agent->member->held -= agent->held;
        }
        agent->held = 0;
    }
}

/* The members that are suitable, for memory_free. */
static struct member **campaign_choose_members(const struct campaign *campaign, uint32_t *count)
{
    const struct members *members = campaign->home.members;
    struct member **chosen = memory_new(members_count(members), sizeof *chosen);
    *count = 0;
    for (size_t i = 0; i < members_count(members); i++) {
        struct member *member = members_at(members, i);
        if (capacity_is_suitable(member, &campaign->options)) {
            chosen[(*count)++] = member;
        }
    }
    qsort(chosen, *count, sizeof *chosen, member_compare_names);
    return chosen;
}

void campaign_take_agents(struct campaign *campaign)
{
    uint32_t count = 0;
    struct member **chosen = campaign_choose_members(campaign, &count);
    assert(count > 0 && count >= campaign->agents_wanted);
    campaign->agents = memory_new(count, sizeof *campaign->agents);
    campaign->agent_count = count;
    uint32_t *room_for = memory_new(count, sizeof *room_for);
    for (uint32_t i = 0; i < count; i++) {
        campaign_agent_init(&campaign->agents[i], chosen[i]);
        room_for[i] = member_room(chosen[i]);
    }
    campaign->placement = placement_new(campaign->options.workers, room_for, count);
    for (uint32_t i = 0; i < campaign->options.workers; i++) {
        uint32_t agent = placement_agent(campaign->placement, i);
        campaign_hold(campaign, agent);
        campaign->agents[agent].workers++;
        campaign->agents[agent].ids++;
    }
    memory_free(room_for);
    memory_free(chosen);
}

void campaign_deploy(struct campaign *campaign)
{
    /* In one pass over the workers: there may be a million of them, and thousands of agents. */
    struct worker_set *sets = memory_new(campaign->agent_count, sizeof *sets);
    for (uint32_t i = 0; i < campaign->options.workers; i++) {
        worker_set_add(&sets[placement_agent(campaign->placement, i)], i);
    }
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        if (campaign_agent_is_live(&campaign->agents[i])) {
            struct message message = {.kind = MESSAGE_DEPLOY,
                                      .deploy = {.options = campaign->options,
                                                 .bundle = campaign->bundle.owned.listing,
                                                 .workers = sets[i],
                                                 .is_seed_fixed = campaign->options.seed != 0}};
            campaign_tell(campaign, &campaign->agents[i], &message);
        }
        worker_set_finish(&sets[i]);
    }
    memory_free(sets);
}

void campaign_run_global(struct campaign *campaign, enum global_phase phase)
{
    uint32_t i = 0;
    while (!campaign_agent_is_live(&campaign->agents[i])) {
        i++;
        assert(i < campaign->agent_count);
    }
    campaign->global_agent = i;
    struct message message = {.kind = MESSAGE_GLOBAL, .global.phase = phase};
    campaign_tell(campaign, &campaign->agents[i], &message);
}

uint32_t campaign_next_agent(const struct campaign *campaign, uint32_t index)
{
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        index = (index + 1) % campaign->agent_count;
        const struct campaign_agent *agent = &campaign->agents[index];
        if (campaign_agent_takes_workers(agent) && member_room(agent->member) > 0) {
            return index;
        }
    }
    return PLACEMENT_NOBODY;
}

void campaign_move(struct campaign *campaign, uint32_t worker, uint32_t agent, uint64_t first_step)
{
    assert(agent < campaign->agent_count);
    campaign->agents[agent].ids += placement_agent(campaign->placement, worker) == agent ? 0 : 1;
    placement_give(campaign->placement, worker, agent);
    campaign->agents[agent].workers++;
    campaign->agents[agent].is_finished = false;
    campaign->moved = memory_reserve(campaign->moved, &campaign->moved_capacity, campaign->moved_count + 1,
                                     sizeof *campaign->moved);
    campaign->moved[campaign->moved_count++] =
        (struct moved){.worker = worker, .agent = agent, .first_step = first_step};
}

static int moved_compare(const void *left, const void *right)
{
    const struct moved *a = left;
    const struct moved *b = right;
    if (a->agent != b->agent) {
        return a->agent < b->agent ? -1 : 1;
    }
    if (a->first_step != b->first_step) {
        return a->first_step < b->first_step ? -1 : 1;
    }
    return a->worker < b->worker ? -1 : a->worker > b->worker;
}

/* Those of one agent from `moved[0]` on, as many as fit into one message. Returns how many. */
static size_t moved_send(struct campaign *campaign, const struct moved *moved, size_t count)
{
    struct assignment *items = memory_new(ASSIGNMENTS_PER_MESSAGE, sizeof *items);
    size_t used = 0;
    size_t taken = 0;
    for (; taken < count && moved[taken].agent == moved[0].agent; taken++) {
        struct assignment *last = used > 0 ? &items[used - 1] : NULL;
        if (last == NULL || last->first_step != moved[taken].first_step ||
            last->workers.run_count >= CAMPAIGN_SET_RUNS) {
            if (used == ASSIGNMENTS_PER_MESSAGE) {
                break;
            }
            last = &items[used++];
            last->first_step = moved[taken].first_step;
        }
        worker_set_add(&last->workers, moved[taken].worker);
    }
    struct message message = {.kind = MESSAGE_ASSIGN, .assign = {.items = items, .count = used}};
    campaign_tell(campaign, &campaign->agents[moved[0].agent], &message);
    for (size_t i = 0; i < used; i++) {
        worker_set_finish(&items[i].workers);
    }
    memory_free(items);
    return taken;
}

void campaign_send_moved(struct campaign *campaign)
{
    struct moved *moved = campaign->moved;
    size_t count = 0;
    for (size_t i = 0; i < campaign->moved_count; i++) {
        /* It may have moved again before that was announced. */
        if (placement_agent(campaign->placement, moved[i].worker) == moved[i].agent) {
            moved[count++] = moved[i];
        }
    }
    if (count > 0) {
        qsort(moved, count, sizeof *moved, moved_compare);
    }
    for (size_t done = 0; done < count;) {
        done += moved_send(campaign, moved + done, count - done);
    }
    campaign->moved_count = 0;
}

struct bytes campaign_agent_name(const struct campaign *campaign, uint32_t worker)
{
    bool is_placed = campaign->placement != NULL && worker < placement_count(campaign->placement);
    uint32_t agent = is_placed ? placement_agent(campaign->placement, worker) : PLACEMENT_NOBODY;
    return agent != PLACEMENT_NOBODY ? campaign->agents[agent].name.bytes : bytes_of(NULL, 0);
}
