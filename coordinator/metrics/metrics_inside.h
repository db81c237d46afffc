/* The families of metrics, for the files that they are spread over. */
#pragma once
#include "coordinator/metrics/campaign_metrics.h"

#define METRICS_CAMPAIGN_BYTES 24u
#define METRICS_US_PER_S 1e6

/* Where the metrics of one family of one campaign go. */
struct metric_giver {
    const struct metric_sink *sink;
    const struct metric_family *family;
    const struct report_view *report;
    char campaign[METRICS_CAMPAIGN_BYTES]; /* its id: the label that all have */
};

struct campaign_family {
    struct metric_family family;
    void (*give)(const struct metric_giver *giver);
};

struct campaign_families {
    const struct campaign_family *rows;
    size_t count;
};

/* metrics_latency.c, metrics_load.c, metrics_seen.c, metrics_judge.c, metrics_slices.c,
 * metrics_websocket.c */
extern const struct campaign_families METRICS_OF_LATENCY;
extern const struct campaign_families METRICS_OF_LOAD;
extern const struct campaign_families METRICS_OF_SEEN;
extern const struct campaign_families METRICS_OF_JUDGE;
extern const struct campaign_families METRICS_OF_SLICES;
extern const struct campaign_families METRICS_OF_WEBSOCKETS;

/* At most two labels besides that of the campaign; one without a name is left out. */
void metric_give(const struct metric_giver *giver, double value, struct metric_label first,
                 struct metric_label second);
/* With as many as METRIC_LABELS allows besides that of the campaign. */
void metric_give_labelled(const struct metric_giver *giver, double value, const struct metric_label *labels,
                          size_t count);
void metric_give_histogram(const struct metric_giver *giver, const struct latency_buckets *buckets,
                           struct metric_label first, struct metric_label second);
/* Four values with the label `quantile`, in seconds. */
void metric_give_quantiles(const struct metric_giver *giver, const struct quantiles *quantiles,
                           struct metric_label label);

struct metric_label metric_label_none(void);
struct metric_label metric_label_text(const char *name, const char *value);
struct metric_label metric_label_bytes(const char *name, struct bytes value);
/* `count`, or as many as are shown. */
size_t metric_shown(size_t count);
/* Groups and rows by tag that are not shown. */
uint64_t metrics_slices_left_out(const struct report_view *report);
