/* Metrics of groups, and of what is counted by tag. */
#include "coordinator/metrics/metrics_inside.h"

/* Whether the row `slice` is one of those that are shown: the first ones, of groups and of tags each. */
static bool slice_is_shown(const struct slice_view *slice, bool is_tagged, size_t *count)
{
    return (slice->tag.size > 0) == is_tagged && (*count)++ < METRICS_NAMES;
}

static void slice_give(const struct metric_giver *giver, const struct slice_view *slice, double value,
                       struct metric_label last)
{
    const struct metric_label labels[] = {
        metric_label_text("kind", slice_kind_name(slice->kind)),
        metric_label_bytes("name", slice->name),
        metric_label_bytes("tag", slice->tag),
        metric_label_bytes("value", slice->value),
        last,
    };
    if (slice->tag.size > 0) {
        metric_give_labels(giver, value, labels, sizeof labels / sizeof labels[0]);
    } else {
        metric_give(giver, value, labels[1], last);
    }
}

static void slices_give_counts(const struct metric_giver *giver, bool is_tagged)
{
    size_t count = 0;
    for (size_t i = 0; i < giver->report->slice_count; i++) {
        const struct slice_view *slice = &giver->report->slices[i];
        if (slice_is_shown(slice, is_tagged, &count)) {
            slice_give(giver, slice, (double)slice->ok, metric_label_text("result", "ok"));
            slice_give(giver, slice, (double)slice->failed, metric_label_text("result", "failed"));
        }
    }
}

static void slices_give_times(const struct metric_giver *giver, bool is_tagged)
{
    size_t count = 0;
    for (size_t i = 0; i < giver->report->slice_count; i++) {
        const struct slice_view *slice = &giver->report->slices[i];
        const struct {
            const char *quantile;
            uint64_t us;
        } rows[] = {
            {"0.5", slice->took.p50_us},
            {"0.95", slice->took.p95_us},
            {"0.99", slice->took.p99_us},
            {"1", slice->took.maximum_us},
        };
        bool is_shown = slice_is_shown(slice, is_tagged, &count) && slice->kind != SLICE_CHECK;
        for (size_t row = 0; is_shown && row < sizeof rows / sizeof rows[0]; row++) {
            slice_give(giver, slice, (double)rows[row].us / METRICS_US_PER_S,
                       metric_label_text("quantile", rows[row].quantile));
        }
    }
}

static void slices_of_groups(const struct metric_giver *giver)
{
    slices_give_counts(giver, false);
}

static void slices_group_times(const struct metric_giver *giver)
{
    slices_give_times(giver, false);
}

static void slices_of_tags(const struct metric_giver *giver)
{
    slices_give_counts(giver, true);
}

static void slices_tag_times(const struct metric_giver *giver)
{
    slices_give_times(giver, true);
}

size_t metrics_slices_left_out(const struct report_view *report)
{
    size_t counts[2] = {0};
    for (size_t i = 0; i < report->slice_count; i++) {
        counts[report->slices[i].tag.size > 0]++;
    }
    return counts[0] - metric_shown(counts[0]) + counts[1] - metric_shown(counts[1]);
}

static const struct campaign_family ROWS[] = {
    {{"tutti_campaign_groups_total", METRIC_COUNTER, "Groups that have ended, by name."}, slices_of_groups},
    {{"tutti_campaign_group_seconds", METRIC_GAUGE, "How long groups took."}, slices_group_times},
    {{"tutti_campaign_tagged_total", METRIC_COUNTER,
      "What is counted by tag: requests, timings, checks and groups; without a name all requests."},
     slices_of_tags},
    {{"tutti_campaign_tagged_seconds", METRIC_GAUGE, "How long it took."}, slices_tag_times},
};

const struct campaign_families METRICS_OF_SLICES = {ROWS, sizeof ROWS / sizeof ROWS[0]};
