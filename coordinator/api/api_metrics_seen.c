/* Metrics of what readers saw of edits. */
#include "coordinator/api/api_inside.h"

#include "coordinator/api/metrics_text.h"

#define US_PER_S 1e6

static void append_labels(struct buffer *text, const struct report_view *report, const struct seen_view *seen)
{
    buffer_append_format(text, "{campaign=\"%llu\",", (unsigned long long)report->campaign);
    metrics_text_label(text, "notifier", seen->name);
}

static void append_quantiles(struct buffer *text, const struct report_view *report,
                             const struct seen_view *seen)
{
    const struct {
        const char *quantile;
        uint64_t us;
    } rows[] = {
        {"0.5", seen->seen.p50_us},
        {"0.95", seen->seen.p95_us},
        {"0.99", seen->seen.p99_us},
        {"1", seen->seen.maximum_us},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && seen->count > 0; i++) {
        buffer_append_string(text, "tutti_campaign_seen_seconds");
        append_labels(text, report, seen);
        buffer_append_format(text, ",quantile=\"%s\"} %.9g\n", rows[i].quantile,
                             (double)rows[i].us / US_PER_S);
    }
}

static void append_sightings(struct buffer *text, const struct report_view *report,
                             const struct seen_view *seen)
{
    buffer_append_string(text, "tutti_campaign_sightings_total");
    append_labels(text, report, seen);
    buffer_append_format(text, "} %llu\n", (unsigned long long)seen->count);
}

static void append_diverged(struct buffer *text, const struct report_view *report,
                            const struct seen_view *seen)
{
    if (seen->steps_compared > 0) {
        buffer_append_string(text, "tutti_campaign_diverged_steps_total");
        append_labels(text, report, seen);
        buffer_append_format(text, "} %llu\n", (unsigned long long)seen->steps_diverged);
    }
}

static const struct seen_metric {
    const char *name;
    const char *type;
    const char *help;
    void (*append)(struct buffer *text, const struct report_view *report, const struct seen_view *seen);
} METRICS[] = {
    {"tutti_campaign_seen_seconds", "gauge", "From an edit until a reader saw it.", append_quantiles},
    {"tutti_campaign_sightings_total", "counter", "Edits times the readers who saw them.", append_sightings},
    {"tutti_campaign_diverged_steps_total", "counter", "Steps whose readers did not all see the same.",
     append_diverged},
};

void api_append_seen(struct buffer *text, const struct report_view *const *reports, size_t count)
{
    for (size_t row = 0; row < sizeof METRICS / sizeof METRICS[0]; row++) {
        metrics_text_head(text, METRICS[row].name, METRICS[row].type, METRICS[row].help);
        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j < reports[i]->seen_count; j++) {
                METRICS[row].append(text, reports[i], &reports[i]->seen[j]);
            }
        }
    }
}
