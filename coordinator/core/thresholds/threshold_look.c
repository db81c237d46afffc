/* Where thresholds find their numbers. */
#include "coordinator/core/thresholds/threshold_look.h"

#include "coordinator/core/report/slices.h"

void threshold_inputs_finish(struct threshold_inputs *inputs)
{
    histogram_free(&inputs->merged);
}

/* Those of one name are taken as they are. */
static void look_add_times(struct threshold_inputs *inputs, struct threshold_totals *totals,
                           const struct histogram *us)
{
    if (totals->numbers.us == NULL) {
        totals->numbers.us = us;
        return;
    }
    if (inputs->merged == NULL) {
        inputs->merged = histogram_new();
    }
    if (totals->numbers.us != inputs->merged) {
        histogram_clear(inputs->merged);
        histogram_merge(inputs->merged, totals->numbers.us);
        totals->numbers.us = inputs->merged;
    }
    histogram_merge(inputs->merged, us);
}

static void look_add_request(struct threshold_inputs *inputs, struct threshold_totals *totals,
                             const struct request_report *request)
{
    uint64_t *counts = totals->numbers.counts;
    totals->is_known = true;
    counts[THRESHOLD_ALL] += request->count;
    counts[THRESHOLD_FAILED] += request->failed;
    counts[THRESHOLD_OK] += request->count - request->failed;
    look_add_times(inputs, totals, request->latency_us);
}

static void look_at_requests(struct threshold_inputs *inputs, const struct threshold *about,
                             struct threshold_totals *totals)
{
    bool is_timing = about->metric == THRESHOLD_RECORD;
    const struct request_report *request;
    struct map_cursor cursor = {0};
    if (!about->is_pattern) {
        request = campaign_statistics_request(inputs->statistics, about->name, is_timing);
        if (request != NULL) {
            look_add_request(inputs, totals, request);
        }
        return;
    }
    while ((request = campaign_statistics_next_request(inputs->statistics, &cursor)) != NULL) {
        if (request->is_timing == is_timing && threshold_matches(about, request->name)) {
            look_add_request(inputs, totals, request);
        }
    }
}

/* From the intended start; there are none where requests have no such instant. */
static void look_at_responses(struct threshold_inputs *inputs, const struct threshold *about,
                              struct threshold_totals *totals)
{
    struct campaign_report report = {0};
    const struct request_report *request;
    struct map_cursor cursor = {0};
    while ((request = campaign_statistics_next_request(inputs->statistics, &cursor)) != NULL) {
        if (!request->is_timing && request->response_us != NULL && threshold_matches(about, request->name)) {
            totals->is_known = true;
            totals->numbers.counts[THRESHOLD_ALL] += histogram_count(request->response_us);
            if (about->name.size > 0) {
                look_add_times(inputs, totals, request->response_us);
            }
        }
    }
    if (about->name.size == 0) {
        campaign_statistics_totals(inputs->statistics, &report);
        totals->numbers.us = report.request_response_us;
    }
}

static void look_at_dropped(const struct threshold_inputs *inputs, struct threshold_totals *totals)
{
    struct campaign_report report = {0};
    campaign_statistics_totals(inputs->statistics, &report);
    totals->numbers.counts[THRESHOLD_ALL] = report.arrivals + report.dropped;
    totals->numbers.counts[THRESHOLD_OK] = report.arrivals;
    totals->numbers.counts[THRESHOLD_FAILED] = report.dropped;
}

static void look_at_http(const struct threshold_inputs *inputs, struct threshold_totals *totals)
{
    uint64_t *counts = totals->numbers.counts;
    const struct request_report *request;
    struct map_cursor cursor = {0};
    while ((request = campaign_statistics_next_request(inputs->statistics, &cursor)) != NULL) {
        if (!request->is_timing) {
            counts[THRESHOLD_ALL] += request->count;
            counts[THRESHOLD_FAILED] += request->failed;
        }
    }
    counts[THRESHOLD_OK] = counts[THRESHOLD_ALL] - counts[THRESHOLD_FAILED];
    struct campaign_report report = {0};
    campaign_statistics_totals(inputs->statistics, &report);
    totals->numbers.us = report.request_latency_us;
}

static void look_at_steps(const struct threshold_inputs *inputs, struct threshold_totals *totals)
{
    uint64_t *counts = totals->numbers.counts;
    struct campaign_report report = {0};
    campaign_statistics_totals(inputs->statistics, &report);
    counts[THRESHOLD_OK] = report.steps_ok;
    counts[THRESHOLD_FAILED] = report.steps_failed;
    counts[THRESHOLD_ALL] = report.steps_ok + report.steps_failed;
    counts[THRESHOLD_STOPPED] = report.steps_stopped;
    counts[THRESHOLD_LOST] = report.steps_lost;
    totals->numbers.us = report.step_us;
}

/* A wait that the end of the campaign has stopped has neither succeeded nor failed. */
static void look_at_waits(struct threshold_inputs *inputs, const struct threshold *about,
                          struct threshold_totals *totals)
{
    uint64_t *counts = totals->numbers.counts;
    const struct wait_report *wait;
    struct map_cursor cursor = {0};
    while ((wait = campaign_statistics_next_wait(inputs->statistics, &cursor)) != NULL) {
        if (!threshold_matches(about, wait->name)) {
            continue;
        }
        totals->is_known = true;
        for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            counts[THRESHOLD_ALL] += wait->outcomes[outcome];
        }
        counts[THRESHOLD_OK] += wait->outcomes[OUTCOME_OK];
        counts[THRESHOLD_STOPPED] += wait->outcomes[OUTCOME_STOPPED];
        counts[THRESHOLD_TIMEOUT] += wait->outcomes[OUTCOME_TIMEOUT];
        counts[THRESHOLD_SHORT] += wait->outcomes[OUTCOME_SHORT];
        counts[THRESHOLD_DEADLOCK] += wait->outcomes[OUTCOME_DEADLOCK];
        look_add_times(inputs, totals, wait->waited_us);
    }
    counts[THRESHOLD_FAILED] = counts[THRESHOLD_ALL] - counts[THRESHOLD_OK] - counts[THRESHOLD_STOPPED];
}

static void look_at_seen(struct threshold_inputs *inputs, const struct threshold *about,
                         struct threshold_totals *totals)
{
    for (size_t i = 0; i < inputs->seen_count; i++) {
        const struct seen_report *seen = &inputs->seen[i];
        if (threshold_matches(about, seen->name)) {
            totals->is_known = true;
            totals->numbers.counts[THRESHOLD_ALL] += seen->seen_count;
            totals->numbers.counts[THRESHOLD_DIVERGED] += seen->steps_diverged;
            look_add_times(inputs, totals, seen->seen_us);
        }
    }
}

static void look_at_checks(const struct threshold_inputs *inputs, const struct threshold *about,
                           struct threshold_totals *totals)
{
    uint64_t *counts = totals->numbers.counts;
    const struct check_report *check;
    struct map_cursor cursor = {0};
    while ((check = campaign_statistics_next_check(inputs->statistics, &cursor)) != NULL) {
        if (threshold_matches(about, check->name)) {
            totals->is_known = true;
            counts[THRESHOLD_OK] += check->passed;
            counts[THRESHOLD_FAILED] += check->failed;
        }
    }
    counts[THRESHOLD_ALL] = counts[THRESHOLD_OK] + counts[THRESHOLD_FAILED];
}

static void look_add_slice(struct threshold_inputs *inputs, struct threshold_totals *totals,
                           const struct slice_report *slice)
{
    uint64_t *counts = totals->numbers.counts;
    totals->is_known = true;
    counts[THRESHOLD_ALL] += slice->count;
    counts[THRESHOLD_FAILED] += slice->failed;
    counts[THRESHOLD_OK] += slice->count - slice->failed;
    look_add_times(inputs, totals, slice->us);
}

/* The kind of what is counted by tag. */
static enum slice_kind look_slice_kind(enum threshold_metric metric)
{
    static const enum slice_kind kinds[THRESHOLD_METRICS] = {[THRESHOLD_HTTP] = SLICE_REQUEST,
                                                             [THRESHOLD_REQUEST] = SLICE_REQUEST,
                                                             [THRESHOLD_RECORD] = SLICE_TIMING,
                                                             [THRESHOLD_CHECKS] = SLICE_CHECK,
                                                             [THRESHOLD_GROUP] = SLICE_GROUP};
    return kinds[metric];
}

/* All requests with a tag have a row without a name. */
static void look_at_one_slice(struct threshold_inputs *inputs, const struct threshold *about,
                              struct threshold_totals *totals)
{
    char tag[THRESHOLD_TAGS_BYTES];
    const struct slice_report like = {
        .kind = look_slice_kind(about->metric), .name = about->name, .tag = threshold_tags_text(about, tag)};
    const struct slice_report *slice =
        slice_totals_find(campaign_statistics_slices(inputs->statistics), &like);
    if (slice != NULL) {
        look_add_slice(inputs, totals, slice);
    }
}

/* What is counted by tag, and groups. */
static void look_at_slices(struct threshold_inputs *inputs, const struct threshold *about,
                           struct threshold_totals *totals)
{
    const struct slice_totals *slices = campaign_statistics_slices(inputs->statistics);
    enum slice_kind kind = look_slice_kind(about->metric);
    char tag[THRESHOLD_TAGS_BYTES];
    struct bytes wanted = threshold_tags_text(about, tag);
    const struct slice_report *slice;
    struct map_cursor cursor = {0};
    if (about->metric == THRESHOLD_HTTP || (about->name.size > 0 && !about->is_pattern)) {
        look_at_one_slice(inputs, about, totals);
        return;
    }
    while ((slice = slice_totals_next(slices, &cursor)) != NULL) {
        if (slice->kind == kind && slice->name.size > 0 && threshold_matches(about, slice->name) &&
            bytes_equal(slice->tag, wanted)) {
            look_add_slice(inputs, totals, slice);
        }
    }
}

void threshold_look(void *context, const struct threshold *about, struct threshold_totals *totals)
{
    struct threshold_inputs *inputs = context;
    if (about->tag_count > 0) {
        look_at_slices(inputs, about, totals);
        return;
    }
    switch (about->metric) {
    case THRESHOLD_HTTP:
        look_at_http(inputs, totals);
        return;
    case THRESHOLD_REQUEST:
    case THRESHOLD_RECORD:
        look_at_requests(inputs, about, totals);
        return;
    case THRESHOLD_STEPS:
        look_at_steps(inputs, totals);
        return;
    case THRESHOLD_CHECKS:
        look_at_checks(inputs, about, totals);
        return;
    case THRESHOLD_WAITS:
        look_at_waits(inputs, about, totals);
        return;
    case THRESHOLD_RESPONSE:
        look_at_responses(inputs, about, totals);
        return;
    case THRESHOLD_DROPPED:
        look_at_dropped(inputs, totals);
        return;
    case THRESHOLD_SEEN:
        look_at_seen(inputs, about, totals);
        return;
    case THRESHOLD_GROUP:
        look_at_slices(inputs, about, totals);
        return;
    case THRESHOLD_METRICS:
        return;
    }
}
