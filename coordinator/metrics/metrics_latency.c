/* How long requests, steps and waits of a campaign took, by name. */
#include "coordinator/metrics/metrics_inside.h"

static struct metric_label latency_name(struct bytes name)
{
    return metric_label_bytes("name", name);
}

static void buckets_add(struct latency_buckets *into, const struct latency_buckets *from)
{
    for (size_t i = 0; i <= LATENCY_BOUNDS; i++) {
        into->counts[i] += from->counts[i];
    }
    into->sum_us += from->sum_us;
}

/* The names that came first have metrics of their own, so that a later one changes none of them. */
static void latency_give_requests(const struct metric_giver *giver, bool is_timing)
{
    struct latency_buckets others = {0};
    bool has_others = false;
    for (size_t i = 0; i < giver->report->request_count; i++) {
        const struct request_view *request = &giver->report->requests[i];
        if (request->is_timing != is_timing) {
            continue;
        }
        if (request->ordinal < METRICS_NAMES) {
            metric_give_histogram(giver, &request->buckets, latency_name(request->name), metric_label_none());
        } else {
            buckets_add(&others, &request->buckets);
            has_others = true;
        }
    }
    if (has_others) {
        metric_give_histogram(giver, &others, latency_name(bytes_of_string(METRICS_OTHER)),
                              metric_label_none());
    }
}

static void latency_of_requests(const struct metric_giver *giver)
{
    latency_give_requests(giver, false);
}

static void latency_of_timings(const struct metric_giver *giver)
{
    latency_give_requests(giver, true);
}

static void latency_failures(const struct metric_giver *giver)
{
    uint64_t others = 0;
    bool has_others = false;
    for (size_t i = 0; i < giver->report->request_count; i++) {
        const struct request_view *request = &giver->report->requests[i];
        if (!request->is_timing && request->ordinal < METRICS_NAMES) {
            metric_give(giver, (double)request->failed, latency_name(request->name), metric_label_none());
        } else if (!request->is_timing) {
            others += request->failed;
            has_others = true;
        }
    }
    if (has_others) {
        metric_give(giver, (double)others, latency_name(bytes_of_string(METRICS_OTHER)), metric_label_none());
    }
}

static void latency_of_steps(const struct metric_giver *giver)
{
    for (size_t i = 0; i < metric_shown(giver->report->scenario_count); i++) {
        const struct scenario_view *scenario = &giver->report->scenarios[i];
        metric_give_histogram(giver, &scenario->buckets, metric_label_bytes("scenario", scenario->name),
                              metric_label_none());
    }
}

static void latency_of_waits(const struct metric_giver *giver)
{
    for (size_t i = 0; i < metric_shown(giver->report->wait_count); i++) {
        const struct wait_view *wait = &giver->report->waits[i];
        metric_give_histogram(giver, &wait->buckets, latency_name(wait->name),
                              metric_label_text("kind", operation_name(wait->kind)));
    }
}

static const struct campaign_family ROWS[] = {
    {{"tutti_campaign_request_duration_seconds", METRIC_HISTOGRAM,
      "Time of requests that left, by name of the request."},
     latency_of_requests},
    {{"tutti_campaign_request_failures_total", METRIC_COUNTER,
      "Requests that have failed, by name of the request."},
     latency_failures},
    {{"tutti_campaign_timing_duration_seconds", METRIC_HISTOGRAM, "Times that scripts recorded, by name."},
     latency_of_timings},
    {{"tutti_campaign_step_duration_seconds", METRIC_HISTOGRAM, "Time of steps, by scenario."},
     latency_of_steps},
    {{"tutti_campaign_wait_duration_seconds", METRIC_HISTOGRAM,
      "Time that workers waited for each other, by name and kind of the wait."},
     latency_of_waits},
};

const struct campaign_families METRICS_OF_LATENCY = {ROWS, sizeof ROWS / sizeof ROWS[0]};
