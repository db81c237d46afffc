/* Agents that join while a campaign runs. They load its script first; then new workers and workers of lost
 * agents may go to them. Workers that run stay where they are: their sessions are there. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "coordinator/core/campaign/capacity.h"
#include "proto/message/arrivals.h"
#include "proto/message/limits.h"

/* So long after it is announced the arrivals are split another way: by then each agent has heard of it. */
#define SHARE_LEAD_NS 2000000000u

static bool join_is_open(const struct campaign *campaign)
{
    return campaign->options.may_join && campaign->state == CAMPAIGN_RUNNING && !campaign->is_draining;
}

/* As the others were told at the beginning. */
static void join_deploy(struct campaign *campaign, const struct campaign_agent *agent)
{
    struct message message = {.kind = MESSAGE_DEPLOY,
                              .deploy = {.options = campaign->options,
                                         .bundle = campaign->bundle.owned.listing,
                                         .is_seed_fixed = campaign->options.seed != 0}};
    message.deploy.options.workers = campaign->first_workers;
    campaign_tell(campaign, agent, &message);
}

void campaign_take_joined(struct campaign *campaign)
{
    const struct members *members = campaign->home.members;
    for (size_t i = 0; join_is_open(campaign) && i < members_count(members); i++) {
        struct member *member = members_at(members, i);
        bool is_new = campaign_agent_of(campaign, member) == NULL && campaign->agent_count < LIMIT_AGENTS;
        if (is_new && capacity_is_suitable(member, &campaign->options)) {
            struct campaign_agent *agent = campaign_add_agent(campaign, member);
            agent->is_joining = true;
            join_deploy(campaign, agent);
        }
    }
}

/* What it has missed. Arrivals that come before now are the others'. */
static void join_begin(struct campaign *campaign, uint64_t now_ns, const struct campaign_agent *agent)
{
    struct worker_set rooms SCOPED(worker_set_finish) = {0};
    struct message scale = {.kind = MESSAGE_SCALE};
    struct message pace = {.kind = MESSAGE_PACE, .pace = campaign->pace};
    struct message begin = {
        .kind = MESSAGE_BEGIN,
        .begin = {.at_ns = (int64_t)campaign->begun_ns, .from_plan_ns = campaign_plan_ns(campaign, now_ns)}};
    for (size_t i = 0; i < campaign->growth_count; i++) {
        scale.scale = (struct scale){.workers = campaign->growths[i].end, .load = campaign->growths[i].load};
        campaign_tell(campaign, agent, &scale);
    }
    if (campaign->growth_count == 0) {
        scale.scale.workers = campaign->options.workers;
        campaign_tell(campaign, agent, &scale);
    }
    campaign_tell(campaign, agent, &pace);
    for (uint32_t room = 0; room < campaign_room_total(campaign); room++) {
        if (rooms_is_synchronising(campaign->rooms, room)) {
            worker_set_add(&rooms, room);
        }
    }
    campaign_tell_rooms(campaign, agent, MESSAGE_SYNCHRONISE, &rooms);
    campaign_tell(campaign, agent, &begin);
}

void campaign_joined(struct campaign *campaign, uint64_t now_ns, struct campaign_agent *agent,
                     const struct done *done)
{
    struct log_subject subject = {.campaign = campaign->id, .agent = agent->name.bytes};
    struct message forget = {.kind = MESSAGE_FORGET};
    agent->is_joining = false;
    if (!done->is_ok) {
        campaign_tell(campaign, agent, &forget);
        agent->is_given_up = true;
        outbox_log(campaign->home.outbox, LOG_WARNING, &subject,
                   "campaign %llu: agent %.*s cannot take part: %.*s", (unsigned long long)campaign->id,
                   BYTES_FORMAT(agent->name.bytes), BYTES_FORMAT(done->text));
        return;
    }
    agent->is_deployed = true;
    agent->is_late = campaign->pace.slots > 0 && campaign->options.room_size > 0;
    campaign->has_joined = true;
    if (campaign->state == CAMPAIGN_RUNNING && !campaign->is_draining) {
        join_begin(campaign, now_ns, agent);
        outbox_log(campaign->home.outbox, LOG_INFO, &subject, "campaign %llu: agent %.*s takes part",
                   (unsigned long long)campaign->id, BYTES_FORMAT(agent->name.bytes));
    }
}

void campaign_share_arrivals(struct campaign *campaign, uint64_t now_ns, uint32_t load,
                             const struct room_starts *starts)
{
    struct pace *pace = &campaign->pace;
    uint32_t size = campaign->options.room_size;
    bool is_split =
        campaign->has_joined || pace->slots > 0 || campaign->options.workers < campaign->first_workers;
    bool is_of_anyone = size == 0 && campaign->options.load.size == 0;
    if (!campaign_is_open(&campaign->options) || (size == 0 && !(is_split && is_of_anyone))) {
        return;
    }
    uint64_t at_ns = campaign_plan_ns(campaign, now_ns + campaign_lead_ns(campaign) + SHARE_LEAD_NS);
    pace->slots_at_ns = at_ns > pace->slots_at_ns ? at_ns : pace->slots_at_ns;
    pace->slots = campaign_load_workers(campaign, load) / (size > 0 ? size : 1);
    pace->load = load;
    struct message message = {.kind = MESSAGE_PACE, .pace = *pace};
    if (size > 0) {
        message.pace.starts = starts->items;
        message.pace.start_count = starts->count;
    }
    campaign_tell_all(campaign, &message);
}
