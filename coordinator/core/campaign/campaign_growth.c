/* A campaign that grows: agents whose arrivals find no free worker want more, up to the max_workers of their
 * load. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/memory.h"
#include "proto/message/load.h"

/* Where its loads end that it began with. */
static uint32_t growth_first_worker(const struct campaign *campaign)
{
    size_t count = campaign->growth_count;
    return count > 0 ? campaign->growths[count - 1].end : campaign->first_workers;
}

void campaign_note_growth(struct campaign *campaign, uint32_t load, uint32_t end)
{
    size_t count = campaign->growth_count;
    uint32_t first = growth_first_worker(campaign);
    if (campaign->options.load.size == 0 || end <= first) {
        return;
    }
    if (count > 0 && campaign->growths[count - 1].load == load) {
        campaign->growths[count - 1].end = end;
        return;
    }
    campaign->growths =
        memory_reserve(campaign->growths, &campaign->growth_capacity, count + 1, sizeof *campaign->growths);
    campaign->growths[campaign->growth_count++] =
        (struct load_growth){.first_worker = first, .end = end, .load = load};
}

uint32_t campaign_load_workers(const struct campaign *campaign, uint32_t load)
{
    struct loads loads;
    loads_of(&campaign->options, &loads);
    uint32_t workers = load < loads.count ? loads.items[load].workers : 0;
    for (size_t i = 0; i < campaign->growth_count; i++) {
        const struct load_growth *growth = &campaign->growths[i];
        workers += growth->load == load ? growth->end - growth->first_worker : 0;
    }
    return workers;
}

static uint64_t growth_wanted(const struct campaign *campaign, uint32_t load)
{
    uint64_t wanted = 0;
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        const struct campaign_agent *agent = &campaign->agents[i];
        wanted += agent->wanted_load == load && campaign_agent_is_live(agent) ? agent->wanted : 0;
    }
    return wanted;
}

/* Whole rooms, and no more than the load may have and fit on the agents: how many there are then. */
static uint32_t growth_workers(const struct campaign *campaign, const struct load *load, uint32_t nth,
                               uint64_t wanted)
{
    uint32_t before = campaign->options.workers;
    uint32_t size = campaign->options.room_size > 0 ? campaign->options.room_size : 1;
    uint32_t present = campaign_load_workers(campaign, nth);
    uint32_t more = load->max_workers > present ? load->max_workers - present : 0;
    more = wanted < more ? (uint32_t)wanted : more;
    more = campaign_fit_workers(campaign, before + more) - before;
    return before + more / size * size;
}

/* It follows the workers themselves. */
static void growth_answer(struct campaign *campaign, uint32_t load)
{
    struct message message = {.kind = MESSAGE_ASSIGN, .assign.is_answer = true};
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        struct campaign_agent *agent = &campaign->agents[i];
        if (agent->wanted_load != load) {
            continue;
        }
        if (agent->wanted > 0 && campaign_agent_is_live(agent)) {
            campaign_tell(campaign, agent, &message);
        }
        agent->wanted = 0;
    }
}

static void growth_of_load(struct campaign *campaign, uint64_t now_ns, const struct load *load, uint32_t nth)
{
    uint64_t wanted = growth_wanted(campaign, nth);
    if (wanted == 0) {
        return;
    }
    uint32_t before = campaign->options.workers;
    bool may_grow = campaign->state == CAMPAIGN_RUNNING && !campaign->is_draining;
    uint32_t workers = may_grow ? growth_workers(campaign, load, nth, wanted) : before;
    if (workers > before) {
        if (!rooms_may_join(campaign->rooms, before, workers)) {
            return; /* until they may */
        }
        campaign_begin_more(campaign, now_ns, workers, nth);
        campaign->grown += workers - before;
    }
    growth_answer(campaign, nth);
}

void campaign_answer_wants(struct campaign *campaign, uint64_t now_ns)
{
    static const struct load NONE = {0};
    bool is_wanted = false;
    struct loads loads;
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        is_wanted = is_wanted || campaign->agents[i].wanted > 0;
    }
    if (!is_wanted) {
        return;
    }
    loads_of(&campaign->options, &loads);
    for (uint32_t nth = 0; nth < LOADS_MAX; nth++) {
        growth_of_load(campaign, now_ns, nth < loads.count ? &loads.items[nth] : &NONE, nth);
    }
}
