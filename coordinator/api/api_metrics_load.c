/* Metrics of campaigns whose steps begin by a plan. */
#include "coordinator/api/api_inside.h"

#include "coordinator/api/metrics_text.h"

struct load_metric {
    const char *name;
    const char *type;
    const char *help;
    double (*value)(const struct report_view *report);
};

static double load_arrivals(const struct report_view *report)
{
    return (double)report->arrivals;
}

static double load_dropped(const struct report_view *report)
{
    return (double)report->dropped;
}

static double load_workers_grown(const struct report_view *report)
{
    return (double)report->workers_grown;
}

static double load_late_p99_s(const struct report_view *report)
{
    return (double)report->late.p99_us / 1e6;
}

static double load_response_p99_s(const struct report_view *report)
{
    return (double)report->response.p99_us / 1e6;
}

static double load_service_p99_s(const struct report_view *report)
{
    return (double)report->step.p99_us / 1e6;
}

static const struct load_metric LOAD_METRICS[] = {
    {"tutti_campaign_arrivals_total", "counter", "Arrivals of a campaign's plan that have begun.",
     load_arrivals},
    {"tutti_campaign_dropped_total", "counter", "Arrivals of a campaign's plan that have found no worker.",
     load_dropped},
    {"tutti_campaign_workers_grown_total", "counter",
     "Workers of a campaign that began since arrivals found none that was free.", load_workers_grown},
    {"tutti_campaign_late_p99_seconds", "gauge", "How late the steps of a campaign begin, 99th percentile.",
     load_late_p99_s},
    {"tutti_campaign_response_p99_seconds", "gauge",
     "Time of steps since their intended start, 99th percentile.", load_response_p99_s},
    {"tutti_campaign_service_p99_seconds", "gauge", "Time of steps since they began, 99th percentile.",
     load_service_p99_s},
};

void api_append_load(struct buffer *text, const struct report_view *const *reports, size_t count)
{
    for (size_t i = 0; i < sizeof LOAD_METRICS / sizeof *LOAD_METRICS; i++) {
        const struct load_metric *metric = &LOAD_METRICS[i];
        metrics_text_head(text, metric->name, metric->type, metric->help);
        for (size_t j = 0; j < count; j++) {
            if (reports[j]->has_plan) {
                buffer_append_format(text, "%s{campaign=\"%llu\"} %.15g\n", metric->name,
                                     (unsigned long long)reports[j]->campaign, metric->value(reports[j]));
            }
        }
    }
}
