/* Metrics of what readers saw of edits. */
#include "coordinator/api/api_inside.h"

#define US_PER_S 1e6

static void append_labels(struct buffer *text, const struct campaign_report *report,
                          const struct seen_report *seen)
{
    buffer_append_format(text, "{campaign=\"%llu\",notifier=\"", (unsigned long long)report->campaign);
    for (size_t i = 0; i < seen->name.size; i++) {
        char character = (char)seen->name.data[i];
        if (character == '"' || character == '\\') {
            buffer_append_string(text, "\\");
        }
        buffer_append(text, &character, 1);
    }
    buffer_append_string(text, "\"");
}

static void append_quantiles(struct buffer *text, const struct campaign_report *report,
                             const struct seen_report *seen)
{
    static const double quantiles[] = {0.5, 0.95, 0.99, 1};
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0] && seen->seen_count > 0; i++) {
        buffer_append_string(text, "tutti_campaign_seen_seconds");
        append_labels(text, report, seen);
        buffer_append_format(text, ",quantile=\"%g\"} %.9g\n", quantiles[i],
                             (double)histogram_quantile(seen->seen_us, quantiles[i]) / US_PER_S);
    }
}

static void append_sightings(struct buffer *text, const struct campaign_report *report,
                             const struct seen_report *seen)
{
    buffer_append_string(text, "tutti_campaign_sightings_total");
    append_labels(text, report, seen);
    buffer_append_format(text, "} %llu\n", (unsigned long long)seen->seen_count);
}

static void append_diverged(struct buffer *text, const struct campaign_report *report,
                            const struct seen_report *seen)
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
    void (*append)(struct buffer *text, const struct campaign_report *report, const struct seen_report *seen);
} METRICS[] = {
    {"tutti_campaign_seen_seconds", "gauge", "From an edit until a reader saw it.", append_quantiles},
    {"tutti_campaign_sightings_total", "counter", "Edits times the readers who saw them.", append_sightings},
    {"tutti_campaign_diverged_steps_total", "counter", "Steps whose readers did not all see the same.",
     append_diverged},
};

void api_append_seen(struct buffer *text, struct api *api, const struct coordinator_overview *overview)
{
    for (size_t row = 0; row < sizeof METRICS / sizeof METRICS[0]; row++) {
        buffer_append_format(text, "# HELP %s %s\n# TYPE %s %s\n", METRICS[row].name, METRICS[row].help,
                             METRICS[row].name, METRICS[row].type);
        for (size_t i = 0; i < overview->campaign_count; i++) {
            if (overview->campaigns[i].state == CAMPAIGN_ENDED) {
                continue;
            }
            const struct campaign_report *report =
                server_report(api->server, overview->campaigns[i].campaign);
            for (size_t j = 0; j < report->seen_count; j++) {
                METRICS[row].append(text, report, &report->seen[j]);
            }
        }
    }
}
