/* A campaign that grows: agents whose arrivals find no free worker want more, up to its max_workers. */
#include "coordinator/core/campaign/campaign_inside.h"

static uint64_t growth_wanted(const struct campaign *campaign)
{
    uint64_t wanted = 0;
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        const struct campaign_agent *agent = &campaign->agents[i];
        wanted += campaign_agent_is_live(agent) ? agent->wanted : 0;
    }
    return wanted;
}

/* Whole rooms, and no more than fit on the agents. */
static uint32_t growth_workers(const struct campaign *campaign, uint64_t wanted)
{
    uint32_t before = campaign->options.workers;
    uint32_t size = campaign->options.room_size > 0 ? campaign->options.room_size : 1;
    uint64_t most = campaign->options.max_workers;
    if (most <= before || campaign->options.load.size > 0) {
        return before;
    }
    uint64_t workers = before + wanted < most ? before + wanted : most;
    uint32_t fit = campaign_fit_workers(campaign, (uint32_t)workers);
    uint32_t whole = fit / size * size;
    return whole > before ? whole : before;
}

/* It follows the workers themselves. */
static void growth_answer(struct campaign *campaign)
{
    struct message message = {.kind = MESSAGE_ASSIGN, .assign.is_answer = true};
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        struct campaign_agent *agent = &campaign->agents[i];
        if (agent->wanted > 0 && campaign_agent_is_live(agent)) {
            campaign_tell(campaign, agent, &message);
        }
        agent->wanted = 0;
    }
}

void campaign_answer_wants(struct campaign *campaign, uint64_t now_ns)
{
    uint64_t wanted = growth_wanted(campaign);
    if (wanted == 0) {
        return;
    }
    uint32_t before = campaign->options.workers;
    bool may_grow = campaign->state == CAMPAIGN_RUNNING && !campaign->is_draining;
    uint32_t workers = may_grow ? growth_workers(campaign, wanted) : before;
    if (workers > before) {
        if (!rooms_may_join(campaign->rooms, before, workers)) {
            return; /* until they may */
        }
        campaign_begin_more(campaign, now_ns, workers);
        campaign->grown += workers - before;
    }
    growth_answer(campaign);
}
