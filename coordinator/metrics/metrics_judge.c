/* Metrics of checks and thresholds. */
#include "coordinator/metrics/metrics_inside.h"

#define MS_PER_S 1e3

static void judge_checks(const struct metric_giver *giver)
{
    for (size_t i = 0; i < metric_shown(giver->report->check_count); i++) {
        const struct check_view *check = &giver->report->checks[i];
        struct metric_label name = metric_label_bytes("name", check->name);
        metric_give(giver, (double)check->passed, name, metric_label_text("result", "passed"));
        metric_give(giver, (double)check->failed, name, metric_label_text("result", "failed"));
    }
}

static void judge_missed(const struct metric_giver *giver)
{
    for (size_t i = 0; i < metric_shown(giver->report->threshold_count); i++) {
        const struct threshold_view *threshold = &giver->report->thresholds[i];
        metric_give(giver, threshold->outcome == THRESHOLD_MISSED ? 1 : 0,
                    metric_label_bytes("threshold", threshold->text), metric_label_none());
    }
}

static void judge_values(const struct metric_giver *giver)
{
    for (size_t i = 0; i < metric_shown(giver->report->threshold_count); i++) {
        const struct threshold_view *threshold = &giver->report->thresholds[i];
        bool is_time = bytes_equal_string(threshold->unit, "ms");
        if (threshold->has_value) {
            metric_give(giver, is_time ? threshold->value / MS_PER_S : threshold->value,
                        metric_label_bytes("threshold", threshold->text), metric_label_none());
        }
    }
}

static const struct campaign_family ROWS[] = {
    {{"tutti_campaign_checks_total", METRIC_COUNTER, "What scripts have judged, by name."}, judge_checks},
    {{"tutti_campaign_threshold_missed", METRIC_GAUGE, "1 if the threshold does not hold."}, judge_missed},
    {{"tutti_campaign_threshold_value", METRIC_GAUGE,
      "What a threshold is compared with: seconds, percent, a number, or a rate."},
     judge_values},
};

const struct campaign_families METRICS_OF_JUDGE = {ROWS, sizeof ROWS / sizeof ROWS[0]};
