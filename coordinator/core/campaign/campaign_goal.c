/* A campaign with a goal: the number of its workers follows what is measured. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/memory.h"
#include "coordinator/core/thresholds/threshold_look.h"
#include "proto/message/goal.h"

#define GOAL_TICK_MS 1000u
/* After a change the workers have to begin, or end, and agents report each second. */
#define GOAL_SETTLE_MS 2000u

/* The workers of a room come and go together. */
static uint32_t goal_unit(const struct campaign *campaign)
{
    return campaign->options.room_size > 0 ? campaign->options.room_size : 1;
}

static const struct threshold_result *goal_result(const struct campaign *campaign)
{
    size_t count = 0;
    return thresholds_results(campaign->goal->thresholds, &count);
}

struct campaign_goal *campaign_goal_new(const struct campaign *campaign)
{
    struct goal words;
    const struct campaign_options *options = &campaign->options;
    if (options->goal.size == 0 || !goal_parse(options->goal, &words, NULL)) {
        return NULL;
    }
    struct campaign_goal *goal = MEMORY_NEW(struct campaign_goal);
    size_t count = 0;
    uint32_t unit = goal_unit(campaign);
    uint32_t least = (words.least + unit - 1) / unit;
    uint32_t most = words.most / unit > 0 ? words.most / unit : 1;
    least = least == 0 ? 1 : least > most ? most : least;
    uint32_t workers = options->workers / unit;
    goal->thresholds = thresholds_new(bytes_of_string(words.text));
    goal_search_init(&goal->search, &thresholds_results(goal->thresholds, &count)->threshold, least, most,
                     workers < least  ? least
                     : workers > most ? most
                                      : workers);
    return goal;
}

void campaign_goal_free(struct campaign_goal **goal)
{
    if (*goal != NULL) {
        thresholds_free(&(*goal)->thresholds);
        memory_free(*goal);
        *goal = NULL;
    }
}

void campaign_begin_goal(struct campaign *campaign)
{
    if (campaign->goal != NULL) {
        campaign->goal->not_before_ms = goal_result(campaign)->threshold.over_ms + GOAL_SETTLE_MS;
        deadline_set(campaign->home.timers, &campaign->stage_due,
                     due_after_ms(campaign->begun_ns, GOAL_TICK_MS));
    }
}

static void goal_change(struct campaign *campaign, uint64_t now_ns, uint64_t elapsed_ms, double value)
{
    struct error error;
    struct campaign_goal *goal = campaign->goal;
    const struct threshold *threshold = &goal_result(campaign)->threshold;
    uint32_t workers = goal_search_next(&goal->search, threshold, value) * goal_unit(campaign);
    goal->not_before_ms = elapsed_ms + threshold->over_ms;
    if (workers != campaign->options.workers && campaign_can_scale(campaign, workers, &error)) {
        goal->not_before_ms += GOAL_SETTLE_MS;
        campaign_set_workers(campaign, now_ns, workers);
    }
}

void campaign_follow_goal(struct campaign *campaign, uint64_t now_ns)
{
    struct campaign_goal *goal = campaign->goal;
    if (campaign->state != CAMPAIGN_RUNNING || campaign->is_draining) {
        return;
    }
    deadline_set(campaign->home.timers, &campaign->stage_due, due_after_ms(now_ns, GOAL_TICK_MS));
    struct threshold_inputs inputs SCOPED(threshold_inputs_finish) = campaign_threshold_inputs(campaign);
    const struct threshold_source source = {.look = threshold_look, .context = &inputs};
    uint64_t elapsed_ms = campaign_elapsed_ms(campaign, now_ns);
    (void)thresholds_judge(goal->thresholds, elapsed_ms, &source);
    const struct threshold_result *result = goal_result(campaign);
    if (result->has_latest) {
        goal->has_value = true;
        goal->value = result->latest;
    }
    if (campaign->pace.is_paused || campaign->workers_wanted != 0) {
        goal->not_before_ms = elapsed_ms + result->threshold.over_ms + GOAL_SETTLE_MS;
    } else if (result->has_latest && elapsed_ms >= goal->not_before_ms) {
        goal_change(campaign, now_ns, elapsed_ms, result->latest);
    }
}

void campaign_report_goal(const struct campaign *campaign, struct goal_report *report)
{
    const struct campaign_goal *goal = campaign->goal;
    *report = (struct goal_report){0};
    if (goal == NULL) {
        return;
    }
    *report = (struct goal_report){.threshold = &goal_result(campaign)->threshold,
                                   .state = goal_state_name(goal->search.state),
                                   .workers = goal->search.workers * goal_unit(campaign),
                                   .has_value = goal->has_value,
                                   .value = goal->value};
}

void campaign_goal_pack(const struct campaign_goal *goal, struct buffer *into)
{
    thresholds_pack(goal->thresholds, into);
    goal_search_pack(&goal->search, into);
    pack_number(into, goal->not_before_ms);
    pack_flag(into, goal->has_value);
    pack_real(into, goal->value);
}

void campaign_goal_unpack(struct campaign_goal *goal, struct unpack *from)
{
    thresholds_unpack(goal->thresholds, from);
    goal_search_unpack(&goal->search, from);
    goal->not_before_ms = unpack_number(from);
    goal->has_value = unpack_flag(from);
    goal->value = unpack_real(from);
}
