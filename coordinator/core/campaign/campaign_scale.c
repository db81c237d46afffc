/* Changes the number of workers of a running campaign. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/digits.h"
#include "common/memory.h"
#include "coordinator/core/campaign/capacity.h"
#include "proto/message/arrivals.h"
#include "proto/message/limits.h"

#include <assert.h>

uint32_t campaign_room_total(const struct campaign *campaign)
{
    struct campaign_options options = campaign->options;
    options.workers = placement_count(campaign->placement);
    return campaign_room_count(&options);
}

/* How many of the ids from the present number on have no live agent that had them before. */
static uint32_t scale_newcomers(const struct campaign *campaign, uint32_t workers)
{
    uint32_t known = placement_count(campaign->placement);
    uint32_t count = workers > known ? workers - known : 0;
    for (uint32_t id = campaign->options.workers; id < workers && id < known; id++) {
        uint32_t agent = placement_agent(campaign->placement, id);
        count += agent == PLACEMENT_NOBODY || !campaign_agent_is_live(&campaign->agents[agent]) ? 1 : 0;
    }
    return count;
}

/* How many more workers its agents take, in all and (unless NULL) each. One that is lost takes none. */
static uint64_t scale_room_left(const struct campaign *campaign, uint32_t *room_for)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        const struct campaign_agent *agent = &campaign->agents[i];
        uint32_t room = campaign_agent_takes_workers(agent) ? member_room(agent->member) : 0;
        sum += room;
        if (room_for != NULL) {
            room_for[i] = room;
        }
    }
    return sum;
}

static bool scale_fits(const struct campaign *campaign, uint32_t workers, struct error *error)
{
    uint32_t wanted = workers > campaign->options.workers ? scale_newcomers(campaign, workers) : 0;
    uint64_t room = scale_room_left(campaign, NULL);
    uint32_t agents = campaign_live_agents(campaign);
    return wanted <= room ||
           error_set(error,
                     "only %llu of %u more worker%s fit on the %u agent%s of campaign %llu, by what their "
                     "--capacity leaves",
                     (unsigned long long)room, wanted, digits_plural(wanted), agents, digits_plural(agents),
                     (unsigned long long)campaign->id);
}

bool campaign_may_scale(const struct campaign *campaign, uint32_t workers, struct error *error)
{
    if (campaign->goal != NULL) {
        return error_set(error, "campaign %llu has a goal, which its workers follow",
                         (unsigned long long)campaign->id);
    }
    return campaign_can_scale(campaign, workers, error);
}

bool campaign_can_scale(const struct campaign *campaign, uint32_t workers, struct error *error)
{
    unsigned long long id = campaign->id;
    if (campaign->state != CAMPAIGN_RUNNING) {
        return error_set(error, "campaign %llu is %s: only a running campaign can be scaled", id,
                         campaign_state_name(campaign->state));
    }
    if (campaign->is_draining) {
        return error_set(error, "the duration of campaign %llu is over: its workers are finishing", id);
    }
    if (campaign->options.load.size > 0) {
        return error_set(error, "campaign %llu has several loads, each with workers of its own", id);
    }
    if (workers == 0) {
        return error_set(error, "a campaign needs workers; tutti stop %llu ends it", id);
    }
    uint32_t size = campaign->options.room_size;
    bool has_turns = size > 0 && campaign_is_open(&campaign->options);
    if (has_turns && (workers % size != 0 || campaign->options.workers % size != 0)) {
        return error_set(error,
                         "an arrival of campaign %llu is one of a room: only whole rooms of %u come and go",
                         id, size);
    }
    if (workers > LIMIT_WORKERS) {
        return error_set(error, "%u workers are too many: a campaign may have at most %u", workers,
                         LIMIT_WORKERS);
    }
    return scale_fits(campaign, workers, error);
}

/* The synchronising rooms of these ids, with the first step that has another number of workers. */
static struct room_step *scale_changed_rooms(struct campaign *campaign, uint32_t first, uint32_t end,
                                             size_t *count)
{
    uint32_t ids = campaign_room_ids(&campaign->options);
    uint32_t rooms = (end - 1) / ids - first / ids + 1;
    struct room_step *changed = memory_new(rooms, sizeof *changed);
    *count = 0;
    for (uint32_t i = 0; i < rooms; i++) {
        uint32_t room = first / ids + i;
        uint64_t step = rooms_change_step(campaign->rooms, room);
        if (step > 0) {
            changed[(*count)++] = (struct room_step){.room = room, .step = step};
        }
    }
    return changed;
}

/* Tells all agents, including those that have none of the workers concerned. Returns what it told: its rooms
 * are for memory_free. */
static struct scale scale_announce(struct campaign *campaign, uint32_t workers, uint32_t load)
{
    size_t count = 0;
    uint32_t before = campaign->options.workers;
    uint32_t low = before < workers ? before : workers;
    uint32_t high = before < workers ? workers : before;
    struct room_step *changed = scale_changed_rooms(campaign, low, high, &count);
    struct message message = {
        .kind = MESSAGE_SCALE,
        .scale = {.workers = workers, .load = load, .rooms = changed, .room_count = count}};
    campaign_tell_all(campaign, &message);
    campaign->options.workers = workers;
    return message.scale;
}

/* Stages were announced, and take many steps. */
static void scale_log(struct campaign *campaign, uint32_t before)
{
    if (campaign->stage_due.timer.position == TIMER_UNSET) {
        outbox_log(campaign->home.outbox, LOG_INFO, &(struct log_subject){.campaign = campaign->id},
                   "campaign %llu has %u worker%s instead of %u", (unsigned long long)campaign->id,
                   campaign->options.workers, digits_plural(campaign->options.workers), before);
    }
}

/* Workers from `first` on that are about to begin. */
struct newcomers {
    uint32_t first;
    uint32_t known; /* from this id on they have never been */
    struct scale told;
    struct room_starts starts; /* with which step each of their rooms begins */
};

/* Back to the agent that had it before, where it may not be torn down yet, or to another one if that is lost:
 * scale_fits has counted a place for it. */
static void scale_bring_back(struct campaign *campaign, uint32_t worker, uint64_t first_step)
{
    uint32_t agent = placement_agent(campaign->placement, worker);
    if (agent == PLACEMENT_NOBODY || !campaign_agent_is_live(&campaign->agents[agent])) {
        agent = campaign_next_agent(campaign, worker % campaign->agent_count);
        assert(agent != PLACEMENT_NOBODY);
        campaign_hold(campaign, agent);
    }
    campaign_move(campaign, worker, agent, first_step);
}

static void scale_begin_workers(struct campaign *campaign, uint64_t now_ns, const struct newcomers *newcomers)
{
    const struct scale *told = &newcomers->told;
    uint32_t ids = campaign_room_ids(&campaign->options);
    size_t at = 0;
    for (uint32_t worker = newcomers->first; worker < campaign->options.workers; worker++) {
        while (at < told->room_count && told->rooms[at].room < worker / ids) {
            at++;
        }
        bool is_changed = at < told->room_count && told->rooms[at].room == worker / ids;
        uint64_t first_step =
            rooms_join(campaign->rooms, now_ns, worker, is_changed ? told->rooms[at].step : 1);
        newcomers->starts.items[worker / ids - newcomers->first / ids] =
            (struct room_step){.room = worker / ids, .step = first_step};
        if (worker < newcomers->known) {
            scale_bring_back(campaign, worker, first_step);
        } else {
            campaign_move(campaign, worker, placement_agent(campaign->placement, worker), first_step);
        }
    }
}

/* No more than these agents want; the seats of a room are on different ones in any case. */
static uint64_t scale_limit_to_wanted(const struct campaign *campaign, uint32_t *room_for, uint32_t load)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        bool is_for_it = campaign->options.room_size == 0 && campaign->agents[i].wanted_load == load;
        uint32_t wanted = is_for_it ? campaign->agents[i].wanted : 0;
        room_for[i] = room_for[i] < wanted ? room_for[i] : wanted;
        sum += room_for[i];
    }
    return sum;
}

/* How many of these a level of workers on each agent makes room for. */
static uint64_t scale_below_level(const struct campaign *campaign, const uint32_t *room_for, uint64_t level)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        uint64_t held = campaign->agents[i].held;
        uint64_t below = level > held ? level - held : 0;
        sum += below < room_for[i] ? below : room_for[i];
    }
    return sum;
}

/* Agents that have joined later have fewer workers than the others, and are first. Where there are rooms,
 * their seats go to all in turn. */
static void scale_limit_to_level(const struct campaign *campaign, uint32_t more, uint32_t *room_for)
{
    uint64_t low = 0;
    uint64_t high = (uint64_t)placement_count(campaign->placement) + more;
    if (!campaign->has_joined || campaign->options.room_size > 0) {
        return;
    }
    while (low < high) {
        uint64_t level = low + (high - low) / 2;
        bool is_enough = scale_below_level(campaign, room_for, level) >= more;
        low = is_enough ? low : level + 1;
        high = is_enough ? level : high;
    }
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        uint32_t held = campaign->agents[i].held;
        uint32_t below = low > held ? (uint32_t)low - held : 0;
        room_for[i] = room_for[i] < below ? room_for[i] : below;
    }
}

static void scale_place_more(struct campaign *campaign, uint32_t count, uint32_t *room_for)
{
    uint32_t first = placement_extend(campaign->placement, count, room_for, campaign->agent_count);
    for (uint32_t worker = first; worker < first + count; worker++) {
        uint32_t agent = placement_agent(campaign->placement, worker);
        campaign_hold(campaign, agent);
        campaign->agents[agent].ids++;
    }
}

/* To the agents that want some, then to all in turn. */
static void scale_extend_placement(struct campaign *campaign, uint32_t workers, uint32_t load)
{
    uint32_t known = placement_count(campaign->placement);
    if (workers <= known) {
        return;
    }
    uint32_t more = workers - known;
    uint32_t *room_for = memory_new(campaign->agent_count, sizeof *room_for);
    (void)scale_room_left(campaign, room_for);
    uint64_t wanted = scale_limit_to_wanted(campaign, room_for, load);
    uint32_t for_them = wanted < more ? (uint32_t)wanted : more;
    scale_place_more(campaign, for_them, room_for);
    (void)scale_room_left(campaign, room_for);
    scale_limit_to_level(campaign, more - for_them, room_for);
    scale_place_more(campaign, more - for_them, room_for);
    memory_free(room_for);
    rooms_extend(campaign->rooms, workers);
}

void campaign_begin_more(struct campaign *campaign, uint64_t now_ns, uint32_t workers, uint32_t load)
{
    uint32_t ids = campaign_room_ids(&campaign->options);
    struct newcomers newcomers = {.first = campaign->options.workers,
                                  .known = placement_count(campaign->placement)};
    newcomers.starts.count = (workers - 1) / ids - newcomers.first / ids + 1;
    newcomers.starts.items = memory_new(newcomers.starts.count, sizeof *newcomers.starts.items);
    campaign->is_unsettled = true;
    newcomers.told = scale_announce(campaign, workers, load);
    scale_extend_placement(campaign, workers, load);
    campaign_note_growth(campaign, load, workers);
    scale_begin_workers(campaign, now_ns, &newcomers);
    campaign_send_moved(campaign);
    campaign_share_arrivals(campaign, now_ns, load, &newcomers.starts);
    memory_free(newcomers.told.rooms);
    memory_free(newcomers.starts.items);
}

uint32_t campaign_fit_workers(const struct campaign *campaign, uint32_t workers)
{
    uint64_t room = scale_room_left(campaign, NULL);
    while (workers > campaign->options.workers) {
        uint32_t newcomers = scale_newcomers(campaign, workers);
        if (newcomers <= room) {
            break;
        }
        workers -= newcomers - (uint32_t)room;
    }
    return workers;
}

void campaign_grow(struct campaign *campaign, uint64_t now_ns)
{
    struct error error;
    uint32_t first = campaign->options.workers;
    uint32_t workers = campaign->workers_wanted;
    if (!campaign_can_scale(campaign, workers, &error)) {
        campaign->workers_wanted = 0; /* an agent has been lost, or it has stopped, since it was accepted */
        outbox_log(campaign->home.outbox, LOG_WARNING, &(struct log_subject){.campaign = campaign->id}, "%s",
                   error.text);
        return;
    }
    if (!rooms_may_join(campaign->rooms, first, workers)) {
        return;
    }
    campaign->workers_wanted = 0;
    campaign_begin_more(campaign, now_ns, workers, 0);
    scale_log(campaign, first);
}

void campaign_set_workers(struct campaign *campaign, uint64_t now_ns, uint32_t workers)
{
    campaign->workers_wanted = workers > campaign->options.workers ? workers : 0;
    campaign->is_unsettled = true;
    if (workers < campaign->options.workers) {
        uint32_t before = campaign->options.workers;
        struct scale told = scale_announce(campaign, workers, 0);
        memory_free(told.rooms);
        campaign_share_arrivals(campaign, now_ns, 0, &(struct room_starts){0});
        scale_log(campaign, before);
    }
}

void campaign_scale(struct campaign *campaign, uint64_t now_ns, uint32_t workers)
{
    struct error error;
    if (!campaign_may_scale(campaign, workers, &error)) {
        outbox_log(campaign->home.outbox, LOG_WARNING, &(struct log_subject){.campaign = campaign->id}, "%s",
                   error.text);
        return;
    }
    campaign_set_workers(campaign, now_ns, workers);
}
