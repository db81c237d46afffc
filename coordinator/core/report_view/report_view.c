/* The report of a campaign as plain numbers and texts of its own. */
#include "coordinator/core/report_view/report_view.h"

#include "common/memory.h"
#include "common/time_units.h"
#include "coordinator/core/report/report.h"
#include "coordinator/core/report_view/last_view.h"
#include "proto/codec/arena.h"
#include "proto/message/arrivals.h"
#include "proto/message/load.h"
#include "proto/message/tag_combinations.h"
#include "proto/message/tags.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define US_PER_MS 1e3

/* The view stands first, so that one is found from the other. */
struct owned_view {
    struct report_view view;
    struct arena arena;
};
static_assert(offsetof(struct owned_view, view) == 0, "a view is where its owner is");

static struct owned_view *owner_of_view(struct report_view *view)
{
    return (struct owned_view *)view;
}

const char *report_view_outcome(const struct report_view *view)
{
    return view->verdict != VERDICT_NONE ? verdict_name(view->verdict) : campaign_state_name(view->state);
}

struct report_view *report_view_new(void)
{
    struct owned_view *owned = MEMORY_NEW(struct owned_view);
    arena_init(&owned->arena, NULL, 0, 0);
    return &owned->view;
}

void report_view_free(struct report_view **view)
{
    if (*view != NULL) {
        arena_finish(&owner_of_view(*view)->arena);
        memory_free(owner_of_view(*view));
        *view = NULL;
    }
}

void *report_view_array(struct report_view *view, size_t count, size_t size)
{
    return arena_array(&owner_of_view(view)->arena, count, size);
}

struct bytes report_view_text(struct report_view *view, struct bytes text)
{
    char *copy = report_view_array(view, text.size + 1, 1);
    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    return bytes_of(copy, text.size);
}

/* `histogram` NULL is as good as an empty one. */
static struct quantiles quantiles_of(const struct histogram *histogram)
{
    static const double wanted[] = {0.5, 0.95, 0.99};
    uint64_t values[3] = {0};
    if (histogram == NULL) {
        return (struct quantiles){0};
    }
    histogram_quantiles(histogram, wanted, values, 3);
    return (struct quantiles){.p50_us = values[0],
                              .p95_us = values[1],
                              .p99_us = values[2],
                              .maximum_us = histogram_maximum(histogram)};
}

/* With all that is known of them. */
static struct quantiles all_quantiles_of(const struct histogram *histogram)
{
    static const double wanted[] = {0.5, 0.9, 0.95, 0.99, 0.999};
    uint64_t values[5] = {0};
    if (histogram == NULL || histogram_count(histogram) == 0) {
        return (struct quantiles){0};
    }
    struct histogram_moments moments = histogram_moments(histogram);
    histogram_quantiles(histogram, wanted, values, 5);
    return (struct quantiles){.p50_us = values[0],
                              .p90_us = values[1],
                              .p95_us = values[2],
                              .p99_us = values[3],
                              .p999_us = values[4],
                              .maximum_us = histogram_maximum(histogram),
                              .minimum_us = moments.minimum,
                              .mean_us = (uint64_t)(moments.mean + 0.5),
                              .deviation_us = (uint64_t)(moments.deviation + 0.5)};
}

const uint64_t LATENCY_BOUNDS_US[LATENCY_BOUNDS] = {1000,    2500,    5000,     10000,    25000,
                                                    50000,   100000,  250000,   500000,   1000000,
                                                    2500000, 5000000, 10000000, 30000000, 60000000};

/* `histogram` NULL is as good as an empty one. */
static struct latency_buckets buckets_of(const struct histogram *histogram)
{
    struct latency_buckets buckets = {0};
    if (histogram != NULL) {
        histogram_count_within(histogram, LATENCY_BOUNDS_US, buckets.counts, LATENCY_BOUNDS);
        buckets.sum_us = histogram_mean(histogram) * (double)histogram_count(histogram);
    }
    return buckets;
}

static double per_second(uint64_t count, uint64_t running_ns)
{
    return running_ns > 0 ? (double)count * (double)NS_PER_S / (double)running_ns : 0;
}

/* Of the worst clock: no spread is known better. */
static void view_worst_clock(struct report_view *view)
{
    view->has_clock_uncertainty = view->agent_count > 0;
    for (size_t i = 0; i < view->agent_count; i++) {
        const struct agent_report *agent = &view->agents[i];
        if (!agent->has_clock) {
            view->has_clock_uncertainty = view->has_clock_uncertainty && agent->workers == 0;
        } else if (agent->clock_uncertainty_ns > view->clock_uncertainty_ns) {
            view->clock_uncertainty_ns = agent->clock_uncertainty_ns;
        }
    }
}

static void view_agents(struct report_view *view, const struct campaign_report *report)
{
    struct agent_report *agents = report_view_array(view, report->agent_count, sizeof *agents);
    for (size_t i = 0; i < report->agent_count; i++) {
        agents[i] = report->agents[i];
        agents[i].name = report_view_text(view, agents[i].name);
        agents[i].host = report_view_text(view, agents[i].host);
        agents[i].labels = report_view_text(view, agents[i].labels);
    }
    view->agents = agents;
    view->agent_count = report->agent_count;
    view_worst_clock(view);
}

static void view_bottlenecks(struct report_view *view, const struct campaign_report *report)
{
    struct bottleneck_report *bottlenecks =
        report_view_array(view, report->bottleneck_count, sizeof *bottlenecks);
    for (size_t i = 0; i < report->bottleneck_count; i++) {
        bottlenecks[i] = report->bottlenecks[i];
        bottlenecks[i].agent = report_view_text(view, bottlenecks[i].agent);
    }
    view->bottlenecks = bottlenecks;
    view->bottleneck_count = report->bottleneck_count;
}

static void view_phases(struct request_view *view, const struct request_report *request)
{
    for (size_t phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        view->has_phases = view->has_phases || request->phase_us[phase] != NULL;
        view->phases[phase] = quantiles_of(request->phase_us[phase]);
    }
}

static struct slow_traces view_traces(struct report_view *view, const struct slow_traces *from)
{
    struct slow_traces traces = {.size = from->size};
    if (from->size > 0) {
        traces.items = report_view_array(view, from->size, sizeof *traces.items);
        memcpy(traces.items, from->items, from->size * sizeof *traces.items);
    }
    return traces;
}

static void view_requests(struct report_view *view, const struct campaign_report *report)
{
    struct request_view *requests = report_view_array(view, report->request_count, sizeof *requests);
    for (size_t i = 0; i < report->request_count; i++) {
        const struct request_report *request = &report->requests[i];
        requests[i] = (struct request_view){.name = report_view_text(view, request->name),
                                            .is_timing = request->is_timing,
                                            .ordinal = request->ordinal,
                                            .count = request->count,
                                            .ok = request->count - request->failed,
                                            .failed = request->failed,
                                            .per_s = per_second(request->count, report->running_ns),
                                            .received_bytes = request->received_bytes,
                                            .sent_bytes = request->sent_bytes,
                                            .statuses = request->statuses,
                                            .slowest = view_traces(view, &request->slowest),
                                            .latency = all_quantiles_of(request->latency_us),
                                            .buckets = buckets_of(request->latency_us)};
        requests[i].has_response = request->response_us != NULL;
        requests[i].response = quantiles_of(request->response_us);
        view_phases(&requests[i], request);
    }
    view->requests = requests;
    view->request_count = report->request_count;
}

static void view_scenarios(struct report_view *view, const struct campaign_report *report)
{
    struct scenario_view *scenarios = report_view_array(view, report->scenario_count, sizeof *scenarios);
    double steps = 0;
    double weights = 0;
    for (size_t i = 0; i < report->scenario_count; i++) {
        const struct scenario_report *scenario = &report->scenarios[i];
        uint64_t own = scenario->steps_ok + scenario->steps_failed;
        scenarios[i] = (struct scenario_view){.name = report_view_text(view, scenario->name),
                                              .ok = scenario->steps_ok,
                                              .failed = scenario->steps_failed,
                                              .stopped = scenario->steps_stopped,
                                              .per_s = per_second(own, report->running_ns),
                                              .share = (double)(own + scenario->steps_stopped),
                                              .weight_share = (double)scenario->weight_milli,
                                              .step = all_quantiles_of(scenario->step_us),
                                              .buckets = buckets_of(scenario->step_us)};
        steps += scenarios[i].share;
        weights += scenarios[i].weight_share;
    }
    for (size_t i = 0; i < report->scenario_count; i++) {
        scenarios[i].share = steps > 0 ? scenarios[i].share / steps : 0;
        scenarios[i].weight_share = weights > 0 ? scenarios[i].weight_share / weights : 0;
    }
    view->scenarios = scenarios;
    view->scenario_count = report->scenario_count;
}

const char *slice_view_equals(const struct slice_view *slice)
{
    return slice->value.size > 0 ? "=" : "";
}

bool slice_view_is_other(const struct slice_view *slice)
{
    return bytes_equal_string(slice->value, TAG_OTHER);
}

static void view_slices(struct report_view *view, const struct campaign_report *report)
{
    struct slice_view *slices = report_view_array(view, report->slice_count, sizeof *slices);
    for (size_t i = 0; i < report->slice_count; i++) {
        const struct slice_report *slice = &report->slices[i];
        slices[i] = (struct slice_view){.kind = slice->kind,
                                        .name = report_view_text(view, slice->name),
                                        .count = slice->count,
                                        .ok = slice->count - slice->failed,
                                        .failed = slice->failed,
                                        .per_s = per_second(slice->count, report->running_ns),
                                        .took = all_quantiles_of(slice->us)};
        struct bytes tag = report_view_text(view, slice->tag);
        if (tag_text_is_combination(tag)) {
            slices[i].tag = tag;
        } else {
            (void)!tag_split(tag, &slices[i].tag, &slices[i].value);
        }
    }
    view->slices = slices;
    view->slice_count = report->slice_count;
}

static void view_waits(struct report_view *view, const struct campaign_report *report)
{
    struct wait_view *waits = report_view_array(view, report->wait_count, sizeof *waits);
    for (size_t i = 0; i < report->wait_count; i++) {
        const struct wait_report *wait = &report->waits[i];
        waits[i] = (struct wait_view){.name = report_view_text(view, wait->name),
                                      .kind = wait->kind,
                                      .waited = quantiles_of(wait->waited_us),
                                      .buckets = buckets_of(wait->waited_us)};
        for (size_t outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            waits[i].outcomes[outcome] = wait->outcomes[outcome];
            waits[i].count += wait->outcomes[outcome];
        }
    }
    view->waits = waits;
    view->wait_count = report->wait_count;
}

static void view_checks(struct report_view *view, const struct campaign_report *report)
{
    struct check_view *checks = report_view_array(view, report->check_count, sizeof *checks);
    for (size_t i = 0; i < report->check_count; i++) {
        const struct check_report *check = &report->checks[i];
        checks[i] = (struct check_view){.name = report_view_text(view, check->name),
                                        .passed = check->passed,
                                        .failed = check->failed,
                                        .text = report_view_text(view, check->text),
                                        .worker = check->worker,
                                        .step = check->step};
    }
    view->checks = checks;
    view->check_count = report->check_count;
}

/* Times are shown as milliseconds, as in all of the report. */
static void view_threshold_value(struct report_view *view, const struct threshold_result *result,
                                 struct threshold_view *threshold)
{
    char reached[THRESHOLD_VALUE_BYTES];
    bool is_time = threshold_is_time(&result->threshold);
    const char *unit = is_time                                          ? "ms"
                       : result->threshold.statistic == THRESHOLD_SHARE ? "%"
                       : result->threshold.statistic == THRESHOLD_RATE  ? "/s"
                                                                        : "";
    threshold->has_value = result->has_value;
    threshold->unit = bytes_of_string(unit);
    if (result->has_value) {
        threshold->value = is_time ? result->value / US_PER_MS : result->value;
        threshold_describe(&result->threshold, result->value, reached);
        threshold->reached = report_view_text(view, bytes_of_string(reached));
    }
}

static void view_goal(struct report_view *view, const struct goal_report *report)
{
    struct threshold_view threshold = {0};
    if (report->threshold == NULL) {
        return;
    }
    struct threshold_result result = {
        .threshold = *report->threshold, .has_value = report->has_value, .value = report->value};
    view_threshold_value(view, &result, &threshold);
    view->goal = (struct goal_view){.text = report_view_text(view, report->threshold->text),
                                    .state = bytes_of_string(report->state),
                                    .workers = report->workers,
                                    .has_value = threshold.has_value,
                                    .value = threshold.value,
                                    .unit = threshold.unit,
                                    .reached = threshold.reached};
}

static void view_sizing(struct report_view *view, const struct sizing_report *report)
{
    view->sizing = (struct sizing_view){.state = bytes_of_string(report->state),
                                        .workers = report->workers,
                                        .too_many = report->too_many,
                                        .failed_percent = report->failed_percent,
                                        .p95_ms = report->latency_us / US_PER_MS};
}

static void view_thresholds(struct report_view *view, const struct campaign_report *report)
{
    struct threshold_view *thresholds = report_view_array(view, report->threshold_count, sizeof *thresholds);
    for (size_t i = 0; i < report->threshold_count; i++) {
        const struct threshold_result *result = &report->thresholds[i];
        thresholds[i] = (struct threshold_view){.text = report_view_text(view, result->threshold.text),
                                                .outcome = result->outcome,
                                                .has_moment = threshold_result_has_moment(result),
                                                .missed_ns = result->missed_ms * NS_PER_MS};
        view_threshold_value(view, result, &thresholds[i]);
    }
    view->thresholds = thresholds;
    view->threshold_count = report->threshold_count;
}

static void view_errors(struct report_view *view, const struct campaign_report *report)
{
    struct error_report *errors = report_view_array(view, report->error_count, sizeof *errors);
    for (size_t i = 0; i < report->error_count; i++) {
        errors[i] = report->errors[i];
        errors[i].text = report_view_text(view, errors[i].text);
        errors[i].scenario = report_view_text(view, errors[i].scenario);
        errors[i].agent = report_view_text(view, errors[i].agent);
    }
    view->errors = errors;
    view->error_count = report->error_count;
}

static void view_crowds(struct report_view *view, const struct campaign_report *report)
{
    struct wait_crowd *crowds = report_view_array(view, report->crowd_count, sizeof *crowds);
    for (size_t i = 0; i < report->crowd_count; i++) {
        crowds[i] = report->crowds[i];
        crowds[i].name = report_view_text(view, crowds[i].name);
    }
    view->crowds = crowds;
    view->crowd_count = report->crowd_count;
}

uint64_t websocket_view_open(const struct websocket_view *websocket)
{
    const uint64_t *counts = websocket->counts;
    uint64_t ended = counts[WEBSOCKET_COUNT_CLOSED_BY_US] + counts[WEBSOCKET_COUNT_CLOSED_BY_PEER] +
                     counts[WEBSOCKET_COUNT_LOST];
    return counts[WEBSOCKET_COUNT_OPENED] > ended ? counts[WEBSOCKET_COUNT_OPENED] - ended : 0;
}

static void view_websockets(struct report_view *view, const struct campaign_report *report)
{
    struct websocket_view *websockets = report_view_array(view, report->websocket_count, sizeof *websockets);
    for (size_t i = 0; i < report->websocket_count; i++) {
        const struct websocket_report *websocket = &report->websockets[i];
        websockets[i] = (struct websocket_view){.name = report_view_text(view, websocket->name),
                                                .codes = websocket->codes,
                                                .handshake = quantiles_of(websocket->handshake_us),
                                                .ping = quantiles_of(websocket->ping_us),
                                                .queued = quantiles_of(websocket->queued_us)};
        memcpy(websockets[i].counts, websocket->counts, sizeof websocket->counts);
    }
    view->websockets = websockets;
    view->websocket_count = report->websocket_count;
}

static void view_last(struct report_view *view, struct seen_view *seen, const struct seen_report *report)
{
    seen->last_count = report->last_count < REPORT_VIEW_LAST ? report->last_count : REPORT_VIEW_LAST;
    seen->last_others = report->last_others;
    struct last_seen *last = report_view_array(view, seen->last_count, sizeof *last);
    for (size_t i = 0; i < report->last_count; i++) {
        if (i < seen->last_count) {
            last[i] = report->last[i];
        } else {
            seen->last_others += report->last[i].times;
        }
    }
    seen->last = last;
}

static void view_examples(struct report_view *view, struct seen_view *seen, const struct seen_report *report)
{
    struct divergence *examples = report_view_array(view, report->example_count, sizeof *examples);
    for (size_t i = 0; i < report->example_count; i++) {
        examples[i] = report->examples[i];
    }
    seen->examples = examples;
    seen->example_count = report->example_count;
}

static void view_parts(struct report_view *view, struct seen_view *seen, const struct seen_report *report)
{
    struct seen_part_view *parts = report_view_array(view, report->part_count, sizeof *parts);
    for (size_t i = 0; i < report->part_count; i++) {
        const struct seen_part_report *part = &report->parts[i];
        parts[i] = (struct seen_part_view){.browser = report_view_text(view, part->browser),
                                           .count = part->seen_count,
                                           .at_once = part->at_once,
                                           .seen = quantiles_of(part->seen_us)};
    }
    seen->parts = parts;
    seen->part_count = report->part_count;
}

static void view_seen(struct report_view *view, const struct campaign_report *report)
{
    struct seen_view *all = report_view_array(view, report->seen_count, sizeof *all);
    for (size_t i = 0; i < report->seen_count; i++) {
        const struct seen_report *seen = &report->seen[i];
        all[i] = (struct seen_view){.name = report_view_text(view, seen->name),
                                    .count = seen->seen_count,
                                    .seen = quantiles_of(seen->seen_us),
                                    .spread = quantiles_of(seen->spread_us),
                                    .uncertainty_us = seen->uncertainty_us,
                                    .before_edit = seen->before_edit,
                                    .at_once = seen->at_once,
                                    .steps_compared = seen->steps_compared,
                                    .steps_diverged = seen->steps_diverged,
                                    .reads_compared = seen->reads_compared,
                                    .reads_differed = seen->reads_differed};
        view_last(view, &all[i], seen);
        view_examples(view, &all[i], seen);
        view_parts(view, &all[i], seen);
    }
    view->seen = all;
    view->seen_count = report->seen_count;
}

static void view_artifacts(struct report_view *view, const struct campaign_report *report)
{
    struct artifact_view *artifacts = report_view_array(view, report->artifact_count, sizeof *artifacts);
    for (size_t i = 0; i < report->artifact_count; i++) {
        const struct artifact *artifact = &report->artifacts[i];
        char name[ARTIFACT_NAME_BYTES];
        artifact_name(artifact, i + 1, name);
        artifacts[i] = (struct artifact_view){.number = i + 1,
                                              .name = report_view_text(view, bytes_of_string(name)),
                                              .kind = bytes_of_string(artifact_kind_name(artifact->kind)),
                                              .worker = artifact->worker,
                                              .step = artifact->step,
                                              .size_bytes = artifact->content.size};
    }
    view->artifacts = artifacts;
    view->artifact_count = report->artifact_count;
}

static void view_present(struct report_view *view, const struct campaign_report *report)
{
    uint64_t requests = report->recent.requests;
    uint64_t failed = report->recent.failed;
    uint64_t messages = report->recent.messages;
    view->window_ns = report->recent.seconds * NS_PER_S;
    view->recent = (struct quantiles){
        .p50_us = report->recent.p50_us, .p95_us = report->recent.p95_us, .p99_us = report->recent.p99_us};
    if (view->has_ended) {
        view->window_ns = report->running_ns;
        view->recent = view->request;
        requests = report->requests_total;
        failed = view->requests_failed;
        messages = 0;
        for (size_t i = 0; i < report->websocket_count; i++) {
            messages += report->websockets[i].counts[WEBSOCKET_COUNT_MESSAGES_IN] +
                        report->websockets[i].counts[WEBSOCKET_COUNT_MESSAGES_OUT];
        }
    }
    if (view->window_ns > 0) {
        view->requests_per_s = (double)requests * (double)NS_PER_S / (double)view->window_ns;
        view->failed_per_s = (double)failed * (double)NS_PER_S / (double)view->window_ns;
        view->messages_per_s = (double)messages * (double)NS_PER_S / (double)view->window_ns;
    }
}

static void view_numbers(struct report_view *view, const struct campaign_report *report)
{
    view->campaign = report->campaign;
    view->script = report_view_text(view, report->script);
    view->name = report_view_text(view, report->options->name);
    view->labels = report_view_text(view, report->options->campaign_labels);
    view->key = report_view_text(view, report->key);
    view->state = report->state;
    view->has_ended = report->state == CAMPAIGN_ENDED;
    view->verdict = report->verdict;
    view->reason = report_view_text(view, report->reason);
    view->running_ns = report->running_ns;
    view->seed = report->options->seed;
    view->workers = report->options->workers;
    view->workers_running = report->workers_running;
    view->workers_ran = report->workers_ran;
    view->steps_ok = report->steps_ok;
    view->steps_failed = report->steps_failed;
    view->steps_failed_by_loss = report->steps_failed_by_loss;
    view->steps_stopped = report->steps_stopped;
    view->steps_lost = report->steps_lost;
    view->step = quantiles_of(report->step_us);
    view->requests_total = report->requests_total;
    view->request = quantiles_of(report->request_latency_us);
    for (size_t i = 0; i < report->request_count; i++) {
        view->requests_failed += report->requests[i].is_timing ? 0 : report->requests[i].failed;
    }
    view_present(view, report);
    view->has_plan = campaign_has_plan(report->options);
    view->has_rate = campaign_is_open(report->options);
    view->arrivals = report->arrivals;
    view->dropped = report->dropped;
    view->may_grow = view->has_rate && loads_may_grow(report->options);
    view->workers_grown = report->workers_grown;
    view_goal(view, &report->goal);
    view_sizing(view, &report->sizing);
    view->late = quantiles_of(report->late_us);
    view->response = quantiles_of(report->response_us);
    view->request_response = quantiles_of(report->request_response_us);
    view->has_start_spread = report->has_start_spread;
    view->start_spread_us = report->start_spread_us;
    view->has_release_spread =
        report->release_spread_us != NULL && histogram_count(report->release_spread_us) > 0;
    view->release_spread = quantiles_of(report->release_spread_us);
    view->waiting = report_view_text(view, report->waiting);
    view->live_notifiers = report->live_notifiers;
    view->live_barriers = report->live_barriers;
    view->live_variables = report->live_variables;
    view->live_waits = report->live_waits;
}

struct report_view *report_view_of(const struct campaign_report *report, uint64_t wall_ns)
{
    struct report_view *view = report_view_new();
    view_numbers(view, report);
    if (report->begun_ns > 0) {
        view->begun_wall_ns = wall_ns - (report->made_ns - report->begun_ns);
    }
    view_agents(view, report);
    view_bottlenecks(view, report);
    view_requests(view, report);
    view_scenarios(view, report);
    view_slices(view, report);
    view_waits(view, report);
    view_checks(view, report);
    view_thresholds(view, report);
    view_errors(view, report);
    view_crowds(view, report);
    view_websockets(view, report);
    view_seen(view, report);
    last_view_fill(view, report);
    view_artifacts(view, report);
    return view;
}
