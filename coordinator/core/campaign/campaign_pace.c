/* The plan of a campaign's load as the coordinator follows it: stages of workers, and what nobody has begun.
 */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/memory.h"
#include "common/time_units.h"
#include "proto/message/arrivals.h"
#include "proto/message/load_text.h"

#include <math.h>

/* How often the number of workers follows its stages. */
#define STAGE_TICK_MS 100u

/* False where it has none, or they are of a rate, which the agents follow. */
static bool pace_has_stages(const struct campaign *campaign, struct load_stages *stages)
{
    return campaign->options.stages.size > 0 && load_parse_stages(campaign->options.stages, stages, NULL) &&
           !stages->are_rates;
}

uint64_t campaign_plan_ns(const struct campaign *campaign, uint64_t now_ns)
{
    const struct pace *pace = &campaign->pace;
    uint64_t begun_ns = campaign->begun_ns + pace->shift_ns;
    uint64_t plan_ns = now_ns > begun_ns ? now_ns - begun_ns : 0;
    return pace->is_paused && plan_ns > pace->paused_at_ns ? pace->paused_at_ns : plan_ns;
}

static void pace_plan_arrivals(const struct campaign *campaign, const struct load *load,
                               struct arrivals *arrivals)
{
    const struct pace *pace = &campaign->pace;
    arrivals_init(arrivals, &campaign->options, load);
    if (pace->has_rate) {
        arrivals_change(arrivals, pace->rate_at_ns, pace->rate_per_s, pace->before);
    }
}

/* Between two stages; the last value after them. */
static double pace_workers_at(const struct campaign *campaign, const struct load_stages *stages, double at_ms)
{
    double before = campaign->first_workers;
    for (size_t i = 0; i < stages->count; i++) {
        const struct load_stage *stage = &stages->items[i];
        double length_ms = (double)stage->length_ms;
        if (at_ms < length_ms) {
            return before + (stage->target - before) * at_ms / length_ms;
        }
        at_ms -= length_ms;
        before = stage->target;
    }
    return before;
}

/* Whole rooms, and one worker, or one room, at least: without any the campaign would end. */
static uint32_t pace_round(const struct campaign *campaign, double workers)
{
    uint32_t size = campaign->options.room_size > 0 ? campaign->options.room_size : 1;
    uint32_t whole = (uint32_t)(workers + 0.5) / size * size;
    return whole > size ? whole : size;
}

void campaign_begin_stages(struct campaign *campaign)
{
    struct load_stages stages;
    campaign->first_workers = campaign->options.workers;
    if (pace_has_stages(campaign, &stages)) {
        deadline_set(campaign->home.timers, &campaign->stage_due,
                     due_after_ms(campaign->begun_ns, STAGE_TICK_MS));
    }
}

void campaign_follow_stages(struct campaign *campaign, uint64_t now_ns)
{
    struct load_stages stages;
    struct error error;
    if (campaign->state != CAMPAIGN_RUNNING || campaign->is_draining || !pace_has_stages(campaign, &stages)) {
        return;
    }
    double at_ms = (double)campaign_plan_ns(campaign, now_ns) / (double)NS_PER_MS;
    if (at_ms <= (double)stages.length_ms) {
        deadline_set(campaign->home.timers, &campaign->stage_due, due_after_ms(now_ns, STAGE_TICK_MS));
    }
    uint32_t workers = pace_round(campaign, pace_workers_at(campaign, &stages, at_ms));
    bool is_change = workers != campaign->options.workers || campaign->workers_wanted != 0;
    if (is_change && campaign_can_scale(campaign, workers, &error)) {
        campaign_set_workers(campaign, now_ns, workers);
    }
}

uint64_t campaign_unbegun(const struct campaign *campaign)
{
    struct arrivals arrivals;
    struct loads loads;
    uint64_t planned = 0;
    bool has_lost = false;
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        has_lost = has_lost || campaign->agents[i].is_lost;
    }
    if ((!has_lost && campaign->pace.slots == 0) || campaign->begun_ns == 0 ||
        !campaign_is_open(&campaign->options)) {
        return 0;
    }
    uint64_t until_ns = campaign->was_stopped ? campaign_plan_ns(campaign, campaign->ended_ns) : RATE_NEVER;
    loads_of(&campaign->options, &loads);
    for (size_t i = 0; i < loads.count; i++) {
        uint64_t start_ns = load_start_ns(&loads.items[i]);
        if (load_is_open(&loads.items[i]) && until_ns > start_ns) {
            pace_plan_arrivals(campaign, &loads.items[i], &arrivals);
            planned += arrivals_before(&arrivals, until_ns == RATE_NEVER ? RATE_NEVER : until_ns - start_ns);
        }
    }
    uint64_t told = campaign_statistics_arrivals(campaign->statistics);
    return planned > told ? planned - told : 0;
}

bool campaign_may_pace(const struct campaign *campaign, enum pace_change change, struct error *error)
{
    unsigned long long id = campaign->id;
    if (campaign->state != CAMPAIGN_RUNNING) {
        return error_set(error, "campaign %llu is %s: only a running campaign can be paused or paced", id,
                         campaign_state_name(campaign->state));
    }
    if (campaign->is_draining) {
        return error_set(error, "the duration of campaign %llu is over: its workers are finishing", id);
    }
    if (change == PACE_RATE && !campaign_is_open(&campaign->options)) {
        return error_set(error, "campaign %llu has no rate: its steps begin when the last ones have ended",
                         id);
    }
    if (change == PACE_RATE && campaign->options.load.size > 0) {
        return error_set(error, "campaign %llu has several loads, each with a rate of its own", id);
    }
    if (change == PACE_PAUSE && campaign->pace.is_paused) {
        return error_set(error, "campaign %llu is paused already", id);
    }
    return change != PACE_RESUME || campaign->pace.is_paused ||
           error_set(error, "campaign %llu is not paused", id);
}

/* Where workers meet, a room pauses before a step that none of them has begun. */
static void pace_tell(struct campaign *campaign, bool has_rooms)
{
    struct message message = {.kind = MESSAGE_PACE, .pace = campaign->pace};
    uint32_t rooms = has_rooms ? campaign_room_total(campaign) : 0;
    message.pace.rooms = memory_new(rooms + 1, sizeof *message.pace.rooms);
    for (uint32_t room = 0; room < rooms; room++) {
        uint64_t step = rooms_change_step(campaign->rooms, room);
        if (step > 0) {
            message.pace.rooms[message.pace.room_count++] = (struct room_step){.room = room, .step = step};
        }
    }
    campaign_tell_all(campaign, &message);
    memory_free(message.pace.rooms);
}

static void pace_do_pause(struct campaign *campaign, uint64_t at_ns)
{
    campaign->pace.paused_at_ns = campaign_plan_ns(campaign, at_ns);
    campaign->pace.is_paused = true;
    if (campaign->options.duration_ms > 0) {
        deadline_set(campaign->home.timers, &campaign->lifecycle_due, TIMERS_NEVER);
    }
}

static void pace_do_resume(struct campaign *campaign, uint64_t at_ns)
{
    struct pace *pace = &campaign->pace;
    uint64_t since_ns = campaign->begun_ns + pace->paused_at_ns;
    pace->shift_ns = at_ns > since_ns + pace->shift_ns ? at_ns - since_ns : pace->shift_ns;
    pace->is_paused = false;
    if (campaign->options.duration_ms > 0) {
        deadline_set(campaign->home.timers, &campaign->lifecycle_due,
                     due_after_ms(campaign->begun_ns + pace->shift_ns, campaign->options.duration_ms));
    }
}

static void pace_do_rate(struct campaign *campaign, uint64_t at_ns, double rate_per_s)
{
    struct arrivals arrivals;
    struct loads loads;
    struct pace *pace = &campaign->pace;
    uint64_t plan_ns = campaign_plan_ns(campaign, at_ns);
    plan_ns = pace->has_rate && plan_ns < pace->rate_at_ns ? pace->rate_at_ns : plan_ns;
    loads_of(&campaign->options, &loads);
    pace_plan_arrivals(campaign, &loads.items[0], &arrivals);
    pace->before = rate_profile_count(&arrivals.profile, plan_ns);
    pace->rate_at_ns = plan_ns;
    pace->rate_per_s = rate_per_s;
    pace->has_rate = true;
}

void campaign_pace(struct campaign *campaign, uint64_t now_ns, enum pace_change change, double rate_per_s)
{
    static const char *const DONE[PACE_CHANGES] = {
        [PACE_PAUSE] = "pauses", [PACE_RESUME] = "goes on", [PACE_RATE] = "has another rate"};
    struct log_subject subject = {.campaign = campaign->id};
    struct error error;
    if (!campaign_may_pace(campaign, change, &error)) {
        outbox_log(campaign->home.outbox, LOG_WARNING, &subject, "%s", error.text);
        return;
    }
    uint64_t at_ns = now_ns + campaign_lead_ns(campaign);
    if (change == PACE_PAUSE) {
        pace_do_pause(campaign, at_ns);
    } else if (change == PACE_RESUME) {
        pace_do_resume(campaign, at_ns);
    } else {
        pace_do_rate(campaign, at_ns, rate_per_s);
    }
    pace_tell(campaign, change == PACE_PAUSE);
    outbox_log(campaign->home.outbox, LOG_INFO, &subject, "campaign %llu %s",
               (unsigned long long)campaign->id, DONE[change]);
}
