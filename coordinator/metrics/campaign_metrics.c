/* The metrics of campaigns, by one table of families. */
#include "coordinator/metrics/metrics_inside.h"

#include "common/buffer.h"

uint64_t latency_buckets_count(const struct latency_buckets *buckets)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= LATENCY_BOUNDS; i++) {
        count += buckets->counts[i];
    }
    return count;
}

struct metric_label metric_label_none(void)
{
    return (struct metric_label){0};
}

struct metric_label metric_label_text(const char *name, const char *value)
{
    return (struct metric_label){name, bytes_of_string(value)};
}

struct metric_label metric_label_bytes(const char *name, struct bytes value)
{
    return (struct metric_label){name, value};
}

size_t metric_shown(size_t count)
{
    return count < METRICS_NAMES ? count : METRICS_NAMES;
}

static void metric_label_add(struct metric *metric, struct metric_label label)
{
    if (label.name != NULL) {
        metric->labels[metric->label_count++] = label;
    }
}

static struct metric metric_begin(const struct metric_giver *giver, struct metric_label first,
                                  struct metric_label second)
{
    struct metric metric = {.family = giver->family};
    metric_label_add(&metric, metric_label_text("campaign", giver->campaign));
    metric_label_add(&metric, first);
    metric_label_add(&metric, second);
    return metric;
}

void metric_give(const struct metric_giver *giver, double value, struct metric_label first,
                 struct metric_label second)
{
    struct metric metric = metric_begin(giver, first, second);
    metric.value = value;
    giver->sink->on_metric(giver->sink->context, &metric);
}

void metric_give_labelled(const struct metric_giver *giver, double value, const struct metric_label *labels,
                          size_t count)
{
    struct metric metric = metric_begin(giver, metric_label_none(), metric_label_none());
    metric.value = value;
    for (size_t i = 0; i < count; i++) {
        metric_label_add(&metric, labels[i]);
    }
    giver->sink->on_metric(giver->sink->context, &metric);
}

void metric_give_histogram(const struct metric_giver *giver, const struct latency_buckets *buckets,
                           struct metric_label first, struct metric_label second)
{
    struct metric metric = metric_begin(giver, first, second);
    metric.buckets = buckets;
    giver->sink->on_metric(giver->sink->context, &metric);
}

void metric_give_quantiles(const struct metric_giver *giver, const struct quantiles *quantiles,
                           struct metric_label label)
{
    const struct {
        const char *quantile;
        uint64_t us;
    } rows[] = {
        {"0.5", quantiles->p50_us},
        {"0.95", quantiles->p95_us},
        {"0.99", quantiles->p99_us},
        {"1", quantiles->maximum_us},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        metric_give(giver, (double)rows[i].us / METRICS_US_PER_S, label,
                    metric_label_text("quantile", rows[i].quantile));
    }
}

static void give_info(const struct metric_giver *giver)
{
    metric_give(giver, 1, metric_label_bytes("name", giver->report->name),
                metric_label_bytes("script", giver->report->script));
}

static void give_steps(const struct metric_giver *giver)
{
    const struct report_view *report = giver->report;
    const struct {
        const char *result;
        uint64_t count;
    } rows[] = {
        {"ok", report->steps_ok},
        {"failed", report->steps_failed},
        {"stopped", report->steps_stopped},
        {"lost", report->steps_lost},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        metric_give(giver, (double)rows[i].count, metric_label_text("result", rows[i].result),
                    metric_label_none());
    }
}

static void give_requests(const struct metric_giver *giver)
{
    metric_give(giver, (double)giver->report->requests_total, metric_label_none(), metric_label_none());
}

static void give_workers(const struct metric_giver *giver)
{
    metric_give(giver, (double)giver->report->workers_running, metric_label_none(), metric_label_none());
}

static void give_left_out(const struct metric_giver *giver)
{
    metric_give(giver, (double)campaign_metrics_left_out(giver->report), metric_label_none(),
                metric_label_none());
}

static const struct campaign_family ROWS[] = {
    {{"tutti_campaign_info", METRIC_GAUGE, "The name and the script of a campaign, as labels."}, give_info},
    {{"tutti_campaign_steps_total", METRIC_COUNTER, "Steps of a campaign by how they ended."}, give_steps},
    {{"tutti_campaign_requests_total", METRIC_COUNTER, "Requests of a campaign."}, give_requests},
    {{"tutti_campaign_workers_running", METRIC_GAUGE, "Workers of a campaign that run now."}, give_workers},
    {{"tutti_metrics_dropped_series", METRIC_GAUGE,
      "Names of a campaign that its metrics do not show by themselves."},
     give_left_out},
};

static const struct campaign_families METRICS_OF_CAMPAIGN = {ROWS, sizeof ROWS / sizeof ROWS[0]};

static void give_families(const struct campaign_families *families, const struct report_view *const *reports,
                          size_t count, const struct metric_sink *sink)
{
    for (size_t row = 0; row < families->count; row++) {
        struct metric_giver giver = {.sink = sink, .family = &families->rows[row].family};
        sink->on_family(sink->context, giver.family);
        for (size_t i = 0; i < count; i++) {
            struct buffer text;
            giver.report = reports[i];
            buffer_init_within(&text, giver.campaign, sizeof giver.campaign);
            buffer_append_format(&text, "%llu", (unsigned long long)reports[i]->campaign);
            (void)buffer_string(&text);
            families->rows[row].give(&giver);
        }
    }
}

void campaign_metrics_give(const struct report_view *const *reports, size_t count,
                           const struct metric_sink *sink)
{
    const struct campaign_families *all[] = {&METRICS_OF_CAMPAIGN,  &METRICS_OF_LATENCY, &METRICS_OF_LOAD,
                                             &METRICS_OF_SEEN,      &METRICS_OF_JUDGE,   &METRICS_OF_SLICES,
                                             &METRICS_OF_WEBSOCKETS};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        give_families(all[i], reports, count, sink);
    }
}

uint64_t campaign_metrics_left_out(const struct report_view *report)
{
    const size_t counts[] = {report->request_count,  report->scenario_count, report->wait_count,
                             report->check_count,    report->seen_count,     report->websocket_count,
                             report->threshold_count};
    uint64_t left_out = metrics_slices_left_out(report);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        left_out += counts[i] - metric_shown(counts[i]);
    }
    return left_out;
}
