/* Metrics of campaigns whose steps begin by a plan. */
#include "coordinator/metrics/metrics_inside.h"

static void load_give(const struct metric_giver *giver, double value)
{
    if (giver->report->has_plan) {
        metric_give(giver, value, metric_label_none(), metric_label_none());
    }
}

static void load_arrivals(const struct metric_giver *giver)
{
    load_give(giver, (double)giver->report->arrivals);
}

static void load_dropped(const struct metric_giver *giver)
{
    load_give(giver, (double)giver->report->dropped);
}

static void load_workers_grown(const struct metric_giver *giver)
{
    load_give(giver, (double)giver->report->workers_grown);
}

static void load_late_p99_s(const struct metric_giver *giver)
{
    load_give(giver, (double)giver->report->late.p99_us / METRICS_US_PER_S);
}

static void load_response_p99_s(const struct metric_giver *giver)
{
    load_give(giver, (double)giver->report->response.p99_us / METRICS_US_PER_S);
}

static void load_service_p99_s(const struct metric_giver *giver)
{
    load_give(giver, (double)giver->report->step.p99_us / METRICS_US_PER_S);
}

static const struct campaign_family ROWS[] = {
    {{"tutti_campaign_arrivals_total", METRIC_COUNTER, "Arrivals of a campaign's plan that have begun."},
     load_arrivals},
    {{"tutti_campaign_dropped_total", METRIC_COUNTER,
      "Arrivals of a campaign's plan that have found no worker."},
     load_dropped},
    {{"tutti_campaign_workers_grown_total", METRIC_COUNTER,
      "Workers of a campaign that began since arrivals found none that was free."},
     load_workers_grown},
    {{"tutti_campaign_late_p99_seconds", METRIC_GAUGE,
      "How late the steps of a campaign begin, 99th percentile."},
     load_late_p99_s},
    {{"tutti_campaign_response_p99_seconds", METRIC_GAUGE,
      "Time of steps since their intended start, 99th percentile."},
     load_response_p99_s},
    {{"tutti_campaign_service_p99_seconds", METRIC_GAUGE, "Time of steps since they began, 99th percentile."},
     load_service_p99_s},
};

const struct campaign_families METRICS_OF_LOAD = {ROWS, sizeof ROWS / sizeof ROWS[0]};
