/* Metrics of checks and thresholds. */
#include "coordinator/api/api_inside.h"

#include "coordinator/api/metrics_text.h"

#define MS_PER_S 1e3

static void judge_append_check(struct buffer *text, const struct report_view *report,
                               const struct check_view *check, const char *result, uint64_t count)
{
    buffer_append_format(text, "tutti_campaign_checks_total{campaign=\"%llu\",",
                         (unsigned long long)report->campaign);
    metrics_text_label(text, "name", check->name);
    buffer_append_format(text, ",result=\"%s\"} %llu\n", result, (unsigned long long)count);
}

static void judge_append_checks(struct buffer *text, const struct report_view *report)
{
    for (size_t i = 0; i < report->check_count; i++) {
        judge_append_check(text, report, &report->checks[i], "passed", report->checks[i].passed);
        judge_append_check(text, report, &report->checks[i], "failed", report->checks[i].failed);
    }
}

static void judge_append_threshold(struct buffer *text, const char *metric, const struct report_view *report,
                                   const struct threshold_view *threshold, double value)
{
    buffer_append_format(text, "%s{campaign=\"%llu\",", metric, (unsigned long long)report->campaign);
    metrics_text_label(text, "threshold", threshold->text);
    buffer_append_format(text, "} %.9g\n", value);
}

static void judge_append_missed(struct buffer *text, const struct report_view *report)
{
    for (size_t i = 0; i < report->threshold_count; i++) {
        judge_append_threshold(text, "tutti_campaign_threshold_missed", report, &report->thresholds[i],
                               report->thresholds[i].outcome == THRESHOLD_MISSED ? 1 : 0);
    }
}

static void judge_append_values(struct buffer *text, const struct report_view *report)
{
    for (size_t i = 0; i < report->threshold_count; i++) {
        const struct threshold_view *threshold = &report->thresholds[i];
        bool is_time = bytes_equal_string(threshold->unit, "ms");
        if (threshold->has_value) {
            judge_append_threshold(text, "tutti_campaign_threshold_value", report, threshold,
                                   is_time ? threshold->value / MS_PER_S : threshold->value);
        }
    }
}

static const struct judge_metric {
    const char *name;
    const char *type;
    const char *help;
    void (*append)(struct buffer *text, const struct report_view *report);
} METRICS[] = {
    {"tutti_campaign_checks_total", "counter", "What scripts have judged, by name.", judge_append_checks},
    {"tutti_campaign_threshold_missed", "gauge", "1 if the threshold does not hold.", judge_append_missed},
    {"tutti_campaign_threshold_value", "gauge",
     "What a threshold is compared with: seconds, percent, a number, or a rate.", judge_append_values},
};

void api_append_judged(struct buffer *text, const struct report_view *const *reports, size_t count)
{
    for (size_t row = 0; row < sizeof METRICS / sizeof METRICS[0]; row++) {
        metrics_text_head(text, METRICS[row].name, METRICS[row].type, METRICS[row].help);
        for (size_t i = 0; i < count; i++) {
            METRICS[row].append(text, reports[i]);
        }
    }
}
