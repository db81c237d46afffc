/* Metrics of groups, and of what is counted by tag: so many rows of a campaign that a scrape stays small. */
#include "coordinator/api/api_inside.h"

#include "coordinator/api/metrics_text.h"

#define US_PER_S 1e6
/* With a line for each outcome and quantile. */
#define SLICE_ROWS_MAX 500u

static void slice_append_labels(struct buffer *text, const char *metric, const struct report_view *report,
                                const struct slice_view *slice)
{
    buffer_append_format(text, "%s{campaign=\"%llu\",", metric, (unsigned long long)report->campaign);
    if (slice->tag.size > 0) {
        buffer_append_format(text, "kind=\"%s\",", slice_kind_name(slice->kind));
    }
    metrics_text_label(text, "name", slice->name);
    if (slice->tag.size > 0) {
        buffer_append_string(text, ",");
        metrics_text_label(text, "tag", slice->tag);
        buffer_append_string(text, ",");
        metrics_text_label(text, "value", slice->value);
    }
}

static void slice_append_counts(struct buffer *text, const char *metric, const struct report_view *report,
                                const struct slice_view *slice)
{
    slice_append_labels(text, metric, report, slice);
    buffer_append_format(text, ",result=\"ok\"} %llu\n", (unsigned long long)slice->ok);
    slice_append_labels(text, metric, report, slice);
    buffer_append_format(text, ",result=\"failed\"} %llu\n", (unsigned long long)slice->failed);
}

static void slice_append_times(struct buffer *text, const char *metric, const struct report_view *report,
                               const struct slice_view *slice)
{
    const struct {
        const char *quantile;
        uint64_t us;
    } rows[] = {
        {"0.5", slice->took.p50_us},
        {"0.95", slice->took.p95_us},
        {"0.99", slice->took.p99_us},
        {"1", slice->took.maximum_us},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && slice->kind != SLICE_CHECK; i++) {
        slice_append_labels(text, metric, report, slice);
        buffer_append_format(text, ",quantile=\"%s\"} %.9g\n", rows[i].quantile,
                             (double)rows[i].us / US_PER_S);
    }
}

static const struct slice_metric {
    const char *name;
    const char *type;
    const char *help;
    bool is_tagged;
    void (*append)(struct buffer *text, const char *metric, const struct report_view *report,
                   const struct slice_view *slice);
} METRICS[] = {
    {"tutti_campaign_groups_total", "counter", "Groups that have ended, by name.", false,
     slice_append_counts},
    {"tutti_campaign_group_seconds", "gauge", "How long groups took.", false, slice_append_times},
    {"tutti_campaign_tagged_total", "counter",
     "What is counted by tag: requests, timings, checks and groups; without a name all requests.", true,
     slice_append_counts},
    {"tutti_campaign_tagged_seconds", "gauge", "How long it took.", true, slice_append_times},
};

static void slices_append(struct buffer *text, const struct slice_metric *metric,
                          const struct report_view *report)
{
    size_t count = 0;
    for (size_t i = 0; i < report->slice_count && count < SLICE_ROWS_MAX; i++) {
        const struct slice_view *slice = &report->slices[i];
        if ((slice->tag.size > 0) == metric->is_tagged) {
            metric->append(text, metric->name, report, slice);
            count++;
        }
    }
}

static void slices_append_left_out(struct buffer *text, const struct report_view *report)
{
    size_t counts[2] = {0};
    size_t left_out = 0;
    for (size_t i = 0; i < report->slice_count; i++) {
        left_out += ++counts[report->slices[i].tag.size > 0] > SLICE_ROWS_MAX;
    }
    buffer_append_format(text, "tutti_campaign_tagged_left_out{campaign=\"%llu\"} %zu\n",
                         (unsigned long long)report->campaign, left_out);
}

void api_append_slices(struct buffer *text, const struct report_view *const *reports, size_t count)
{
    for (size_t row = 0; row < sizeof METRICS / sizeof METRICS[0]; row++) {
        metrics_text_head(text, METRICS[row].name, METRICS[row].type, METRICS[row].help);
        for (size_t i = 0; i < count; i++) {
            slices_append(text, &METRICS[row], reports[i]);
        }
    }
    metrics_text_head(text, "tutti_campaign_tagged_left_out", "gauge",
                      "Groups and rows by tag beyond the first 500 of each, which only the report has.");
    for (size_t i = 0; i < count; i++) {
        slices_append_left_out(text, reports[i]);
    }
}
