/* Looks for how many workers the target takes: more and more of them until too many steps fail, or requests
 * take too long, then ever closer to that. The campaign ends with it. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/compose.h"
#include "common/memory.h"
#include "coordinator/core/thresholds/threshold_look.h"

#define SIZING_TICK_MS 1000u
/* After a change the workers have to begin, or end, and agents report each second. */
#define SIZING_SETTLE_MS 2000u
/* A share of fewer steps says little: then it is measured longer, up to so many windows. */
#define SIZING_STEPS 100u
#define SIZING_WINDOWS 6u
#define SIZING_TEXT_BYTES 400u

enum sizing_row { SIZING_FAILED, SIZING_COUNT, SIZING_LATENCY };

/* How near the limit it is: 1 is as much as is allowed. */
static const struct threshold sizing_limit = {
    .statistic = THRESHOLD_SHARE, .comparison = THRESHOLD_AT_MOST, .limit = 1};

static uint64_t sizing_window_ms(const struct campaign *campaign)
{
    uint64_t window_ms = campaign->options.sizing_window_ms;
    return window_ms > 0 ? window_ms : campaign_options_defaults().sizing_window_ms;
}

static uint32_t sizing_unit(const struct campaign *campaign)
{
    return campaign->options.room_size > 0 ? campaign->options.room_size : 1;
}

static const struct threshold_result *sizing_result(const struct campaign_sizing *sizing, enum sizing_row row)
{
    size_t count = 0;
    return &thresholds_results(sizing->thresholds, &count)[row];
}

struct campaign_sizing *campaign_sizing_new(const struct campaign *campaign)
{
    char text[SIZING_TEXT_BYTES];
    const struct campaign_options *options = &campaign->options;
    if (!options->is_sizing) {
        return NULL;
    }
    struct campaign_sizing *sizing = MEMORY_NEW(struct campaign_sizing);
    unsigned long long window_ms = sizing_window_ms(campaign);
    uint32_t unit = sizing_unit(campaign);
    uint32_t most = options->sizing_workers / unit;
    uint32_t workers = options->workers / unit;
    compose(text, sizeof text,
            "steps.failed <= 5%% over %llums; steps.count >= %u over %llums; http.p95 <= 1s over %llums",
            window_ms, SIZING_STEPS, window_ms, window_ms);
    sizing->thresholds = thresholds_new(bytes_of_string(text));
    most = most > 0 ? most : 1;
    workers = workers > 0 ? workers : 1;
    goal_search_init(&sizing->search, &sizing_limit, 1, most, workers < most ? workers : most);
    return sizing;
}

void campaign_sizing_free(struct campaign_sizing **sizing)
{
    if (*sizing != NULL) {
        thresholds_free(&(*sizing)->thresholds);
        memory_free(*sizing);
        *sizing = NULL;
    }
}

void campaign_begin_sizing(struct campaign *campaign)
{
    if (campaign->sizing != NULL) {
        campaign->sizing->not_before_ms = sizing_window_ms(campaign) + SIZING_SETTLE_MS;
        deadline_set(campaign->home.timers, &campaign->stage_due,
                     due_after_ms(campaign->begun_ns, SIZING_TICK_MS));
    }
}

/* A limit of 0 is exceeded by anything. */
static double sizing_share(double value, double limit)
{
    return limit > 0 ? value / limit : value > 0 ? 2 : 0;
}

/* What is measured of the present workers. Without any step that ended, there are too many. */
static double sizing_measure(const struct campaign *campaign, double *failed_percent, double *latency_us)
{
    const struct campaign_options *options = &campaign->options;
    const struct threshold_result *failed = sizing_result(campaign->sizing, SIZING_FAILED);
    const struct threshold_result *latency = sizing_result(campaign->sizing, SIZING_LATENCY);
    *failed_percent = failed->has_latest ? failed->latest : 100;
    *latency_us = latency->has_latest ? latency->latest : 0;
    double share = failed->has_latest ? sizing_share(*failed_percent, options->sizing_tolerance) : 2;
    double limit_us = (double)options->sizing_latency_ms * 1000;
    double slow = limit_us > 0 ? *latency_us / limit_us : 0;
    return share > slow ? share : slow;
}

/* No verdict of its own, unless not even the fewest workers were borne. */
static void sizing_end(struct campaign *campaign, uint64_t now_ns)
{
    const struct campaign_sizing *sizing = campaign->sizing;
    if (sizing->search.state == GOAL_MISSED) {
        judgement_raise(&campaign->judgement, VERDICT_FAILED, "sizing: %u %s too many",
                        sizing->search.workers * sizing_unit(campaign),
                        sizing->search.workers * sizing_unit(campaign) == 1 ? "worker is" : "workers are");
    }
    (void)campaign_happen(campaign, now_ns, CAMPAIGN_LIFECYCLE_STOP);
}

/* As many of them as its agents have room for, in whole rooms; with no more than now, those are all. */
static uint32_t sizing_fit(struct campaign *campaign, uint32_t workers)
{
    struct campaign_sizing *sizing = campaign->sizing;
    uint32_t unit = sizing_unit(campaign);
    uint32_t present = campaign->options.workers / unit;
    uint32_t fitting = campaign_fit_workers(campaign, workers) / unit;
    if (fitting <= present && sizing->search.state == GOAL_SEARCHING) {
        sizing->search.state = GOAL_HELD;
    }
    sizing->search.workers = fitting > present ? fitting : present;
    return sizing->search.workers * unit;
}

static void sizing_change(struct campaign *campaign, uint64_t now_ns)
{
    struct error error;
    struct campaign_sizing *sizing = campaign->sizing;
    double failed_percent = 0;
    double latency_us = 0;
    double share = sizing_measure(campaign, &failed_percent, &latency_us);
    uint32_t before = sizing->search.workers;
    uint32_t workers = goal_search_next(&sizing->search, &sizing_limit, share) * sizing_unit(campaign);
    if (share > 1 || sizing->too_many == 0) {
        sizing->too_many = share > 1 ? before * sizing_unit(campaign) : 0;
        sizing->failed_percent = failed_percent;
        sizing->latency_us = latency_us;
    }
    if (workers > campaign->options.workers) {
        workers = sizing_fit(campaign, workers);
    }
    if (sizing->search.state != GOAL_SEARCHING) {
        sizing_end(campaign, now_ns);
        return;
    }
    sizing->not_before_ms =
        campaign_elapsed_ms(campaign, now_ns) + sizing_window_ms(campaign) + SIZING_SETTLE_MS;
    if (workers != campaign->options.workers && campaign_can_scale(campaign, workers, &error)) {
        campaign_set_workers(campaign, now_ns, workers);
    }
}

void campaign_follow_sizing(struct campaign *campaign, uint64_t now_ns)
{
    struct campaign_sizing *sizing = campaign->sizing;
    if (campaign->state != CAMPAIGN_RUNNING || campaign->is_draining) {
        return;
    }
    deadline_set(campaign->home.timers, &campaign->stage_due, due_after_ms(now_ns, SIZING_TICK_MS));
    struct threshold_inputs inputs SCOPED(threshold_inputs_finish) = campaign_threshold_inputs(campaign);
    const struct threshold_source source = {.look = threshold_look, .context = &inputs};
    uint64_t elapsed_ms = campaign_elapsed_ms(campaign, now_ns);
    uint64_t window_ms = sizing_window_ms(campaign);
    (void)thresholds_judge(sizing->thresholds, elapsed_ms, &source);
    const struct threshold_result *count = sizing_result(sizing, SIZING_COUNT);
    bool are_few = !count->has_latest || count->latest < SIZING_STEPS;
    if (campaign->pace.is_paused || campaign->workers_wanted != 0) {
        sizing->not_before_ms = elapsed_ms + window_ms + SIZING_SETTLE_MS;
    } else if (elapsed_ms >= sizing->not_before_ms + (are_few ? (SIZING_WINDOWS - 1) * window_ms : 0)) {
        sizing_change(campaign, now_ns);
    }
}

void campaign_report_sizing(const struct campaign *campaign, struct sizing_report *report)
{
    const struct campaign_sizing *sizing = campaign->sizing;
    *report = (struct sizing_report){0};
    if (sizing == NULL) {
        return;
    }
    uint32_t unit = sizing_unit(campaign);
    bool is_held = sizing->search.state == GOAL_HELD;
    bool are_all = is_held && sizing->search.bad == 0;
    *report =
        (struct sizing_report){.state = are_all                               ? "all"
                                        : is_held                             ? "found"
                                        : sizing->search.state == GOAL_MISSED ? "none"
                                                                              : "searching",
                               .workers = (is_held ? sizing->search.workers : sizing->search.good) * unit,
                               .too_many = sizing->too_many,
                               .failed_percent = sizing->failed_percent,
                               .latency_us = sizing->latency_us};
}

void campaign_sizing_pack(const struct campaign_sizing *sizing, struct buffer *into)
{
    thresholds_pack(sizing->thresholds, into);
    goal_search_pack(&sizing->search, into);
    pack_number(into, sizing->not_before_ms);
    pack_number(into, sizing->too_many);
    pack_real(into, sizing->failed_percent);
    pack_real(into, sizing->latency_us);
}

void campaign_sizing_unpack(struct campaign_sizing *sizing, struct unpack *from)
{
    thresholds_unpack(sizing->thresholds, from);
    goal_search_unpack(&sizing->search, from);
    sizing->not_before_ms = unpack_number(from);
    sizing->too_many = (uint32_t)unpack_bounded(from, LIMIT_WORKERS);
    sizing->failed_percent = unpack_real(from);
    sizing->latency_us = unpack_real(from);
}
