/* Metrics of groups, and of what is counted by tag: so many rows of a campaign that a scrape stays small. */
#include "coordinator/metrics/metrics_inside.h"

/* Of each of the two. With a line for each outcome and quantile. */
#define SLICE_ROWS_MAX 500u
#define SLICE_LABELS 5u

static bool slice_is_tagged(const struct slice_view *slice)
{
    return slice->tag.size > 0;
}

static void slice_give(const struct metric_giver *giver, const struct slice_view *slice, double value,
                       struct metric_label last)
{
    struct metric_label labels[SLICE_LABELS];
    size_t count = 0;
    if (slice_is_tagged(slice)) {
        labels[count++] = metric_label_text("kind", slice_kind_name(slice->kind));
    }
    labels[count++] = metric_label_bytes("name", slice->name);
    if (slice_is_tagged(slice)) {
        labels[count++] = metric_label_bytes("tag", slice->tag);
        labels[count++] = metric_label_bytes("value", slice->value);
    }
    labels[count++] = last;
    metric_give_labelled(giver, value, labels, count);
}

static void slice_give_counts(const struct metric_giver *giver, const struct slice_view *slice)
{
    slice_give(giver, slice, (double)slice->ok, metric_label_text("result", "ok"));
    slice_give(giver, slice, (double)slice->failed, metric_label_text("result", "failed"));
}

static void slice_give_times(const struct metric_giver *giver, const struct slice_view *slice)
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
        slice_give(giver, slice, (double)rows[i].us / METRICS_US_PER_S,
                   metric_label_text("quantile", rows[i].quantile));
    }
}

static void slices_give(const struct metric_giver *giver, bool are_tagged,
                        void (*give)(const struct metric_giver *giver, const struct slice_view *slice))
{
    size_t count = 0;
    for (size_t i = 0; i < giver->report->slice_count && count < SLICE_ROWS_MAX; i++) {
        if (slice_is_tagged(&giver->report->slices[i]) == are_tagged) {
            give(giver, &giver->report->slices[i]);
            count++;
        }
    }
}

static void slices_group_counts(const struct metric_giver *giver)
{
    slices_give(giver, false, slice_give_counts);
}

static void slices_group_times(const struct metric_giver *giver)
{
    slices_give(giver, false, slice_give_times);
}

static void slices_tagged_counts(const struct metric_giver *giver)
{
    slices_give(giver, true, slice_give_counts);
}

static void slices_tagged_times(const struct metric_giver *giver)
{
    slices_give(giver, true, slice_give_times);
}

uint64_t metrics_slices_left_out(const struct report_view *report)
{
    size_t counts[2] = {0};
    uint64_t left_out = 0;
    for (size_t i = 0; i < report->slice_count; i++) {
        left_out += ++counts[slice_is_tagged(&report->slices[i])] > SLICE_ROWS_MAX;
    }
    return left_out;
}

static const struct campaign_family ROWS[] = {
    {{"tutti_campaign_groups_total", METRIC_COUNTER, "Groups that have ended, by name."},
     slices_group_counts},
    {{"tutti_campaign_group_seconds", METRIC_GAUGE, "How long groups took."}, slices_group_times},
    {{"tutti_campaign_tagged_total", METRIC_COUNTER,
      "What is counted by tag: requests, timings, checks and groups; without a name all requests."},
     slices_tagged_counts},
    {{"tutti_campaign_tagged_seconds", METRIC_GAUGE, "How long it took."}, slices_tagged_times},
};

const struct campaign_families METRICS_OF_SLICES = {ROWS, sizeof ROWS / sizeof ROWS[0]};
