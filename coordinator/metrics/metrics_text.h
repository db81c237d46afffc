/* The text format of Prometheus. */
#pragma once
#include "common/buffer.h"
#include "coordinator/metrics/metric.h"

/* The two lines above the values of a metric. */
void metrics_text_head(struct buffer *text, const char *name, const char *type, const char *help);
/* name="value", escaped. */
void metrics_text_label(struct buffer *text, const char *name, struct bytes value);
/* Appends all that it is given to `text`. */
struct metric_sink metrics_text_sink(struct buffer *text);
/* An upper bound of a bucket in seconds, as the label `le` has it; "+Inf" for the last. */
#define METRICS_BOUND_BYTES 16u
void metrics_text_bound(size_t bucket, char text[METRICS_BOUND_BYTES]);
