/* One number with its labels, and who is given it: text, remote write and OTLP are made from the same ones.
 */
#pragma once
#include "common/bytes.h"
#include "coordinator/core/report_view/report_view.h"

#define METRIC_LABELS 6u

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* As in the text format of Prometheus: "tutti_campaign_requests_total". */
struct metric_family {
    const char *name;
    enum metric_type type;
    const char *help;
};

struct metric_label {
    const char *name;
    struct bytes value;
};

/* Borrowed for the duration of the call. */
struct metric {
    const struct metric_family *family;
    struct metric_label labels[METRIC_LABELS];
    size_t label_count;
    double value;
    const struct latency_buckets *buckets; /* of a histogram, in place of the value */
};

struct metric_sink {
    void *context;
    /* Before the metrics of a family, and where there are none. */
    void (*on_family)(void *context, const struct metric_family *family);
    void (*on_metric)(void *context, const struct metric *metric);
};

/* The values of a histogram: the sum of its buckets. */
uint64_t latency_buckets_count(const struct latency_buckets *buckets);
