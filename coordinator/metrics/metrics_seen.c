/* Metrics of what readers saw of edits. */
#include "coordinator/metrics/metrics_inside.h"

static void seen_quantiles(const struct metric_giver *giver)
{
    for (size_t i = 0; i < metric_shown(giver->report->seen_count); i++) {
        const struct seen_view *seen = &giver->report->seen[i];
        if (seen->count > 0) {
            metric_give_quantiles(giver, &seen->seen, metric_label_bytes("notifier", seen->name));
        }
    }
}

static void seen_sightings(const struct metric_giver *giver)
{
    for (size_t i = 0; i < metric_shown(giver->report->seen_count); i++) {
        const struct seen_view *seen = &giver->report->seen[i];
        metric_give(giver, (double)seen->count, metric_label_bytes("notifier", seen->name),
                    metric_label_none());
    }
}

static void seen_at_once(const struct metric_giver *giver)
{
    for (size_t i = 0; i < metric_shown(giver->report->seen_count); i++) {
        const struct seen_view *seen = &giver->report->seen[i];
        metric_give(giver, (double)seen->at_once, metric_label_bytes("notifier", seen->name),
                    metric_label_none());
    }
}

/* Of each kind of browser, where there is more than one. */
static void seen_parts(const struct metric_giver *giver,
                       void (*give)(const struct metric_giver *giver, struct metric_label notifier,
                                    const struct seen_part_view *part))
{
    for (size_t i = 0; i < metric_shown(giver->report->seen_count); i++) {
        const struct seen_view *seen = &giver->report->seen[i];
        for (size_t j = 0; j < seen->part_count; j++) {
            give(giver, metric_label_bytes("notifier", seen->name), &seen->parts[j]);
        }
    }
}

static void seen_give_part_times(const struct metric_giver *giver, struct metric_label notifier,
                                 const struct seen_part_view *part)
{
    const struct {
        const char *quantile;
        uint64_t us;
    } values[] = {{"0.5", part->seen.p50_us},
                  {"0.95", part->seen.p95_us},
                  {"0.99", part->seen.p99_us},
                  {"1", part->seen.maximum_us}};
    for (size_t i = 0; part->count > 0 && i < sizeof values / sizeof *values; i++) {
        const struct metric_label labels[] = {notifier, metric_label_bytes("browser", part->browser),
                                              metric_label_text("quantile", values[i].quantile)};
        metric_give_labelled(giver, (double)values[i].us / METRICS_US_PER_S, labels,
                             sizeof labels / sizeof *labels);
    }
}

static void seen_give_part_count(const struct metric_giver *giver, struct metric_label notifier,
                                 const struct seen_part_view *part)
{
    metric_give(giver, (double)part->count, notifier, metric_label_bytes("browser", part->browser));
}

static void seen_part_quantiles(const struct metric_giver *giver)
{
    seen_parts(giver, seen_give_part_times);
}

static void seen_part_counts(const struct metric_giver *giver)
{
    seen_parts(giver, seen_give_part_count);
}

static void seen_diverged(const struct metric_giver *giver)
{
    for (size_t i = 0; i < metric_shown(giver->report->seen_count); i++) {
        const struct seen_view *seen = &giver->report->seen[i];
        if (seen->steps_compared > 0) {
            metric_give(giver, (double)seen->steps_diverged, metric_label_bytes("notifier", seen->name),
                        metric_label_none());
        }
    }
}

static const struct campaign_family ROWS[] = {
    {{"tutti_campaign_seen_seconds", METRIC_GAUGE, "From an edit until a reader saw it."}, seen_quantiles},
    {{"tutti_campaign_sightings_total", METRIC_COUNTER, "Edits times the readers who saw them."},
     seen_sightings},
    {{"tutti_campaign_sightings_at_once_total", METRIC_COUNTER,
      "Texts that were already there when a reader began to look, and are in no time."},
     seen_at_once},
    {{"tutti_campaign_browser_seen_seconds", METRIC_GAUGE,
      "From an edit until a reader with this browser saw it."},
     seen_part_quantiles},
    {{"tutti_campaign_browser_sightings_total", METRIC_COUNTER,
      "Edits times the readers with this browser who saw them."},
     seen_part_counts},
    {{"tutti_campaign_diverged_steps_total", METRIC_COUNTER, "Steps whose readers did not all see the same."},
     seen_diverged},
};

const struct campaign_families METRICS_OF_SEEN = {ROWS, sizeof ROWS / sizeof ROWS[0]};
