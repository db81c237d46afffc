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
    {{"tutti_campaign_diverged_steps_total", METRIC_COUNTER, "Steps whose readers did not all see the same."},
     seen_diverged},
};

const struct campaign_families METRICS_OF_SEEN = {ROWS, sizeof ROWS / sizeof ROWS[0]};
