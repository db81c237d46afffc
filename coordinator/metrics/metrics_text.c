/* The text format of Prometheus. */
#include "coordinator/metrics/metrics_text.h"

#include "common/escape.h"

#define US_PER_S 1e6
#define METRICS_LABEL_BYTES 4096u

void metrics_text_head(struct buffer *text, const char *name, const char *type, const char *help)
{
    buffer_append_format(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_text_label(struct buffer *text, const char *name, struct bytes value)
{
    char kept[METRICS_LABEL_BYTES];
    struct buffer escaped;
    buffer_init_within(&escaped, kept, sizeof kept);
    if (!bytes_is_printable(value)) { /* it is refused whole unless it is UTF-8 */
        escape_text(&escaped, value);
        value = buffer_bytes(&escaped);
    }
    buffer_append_format(text, "%s=\"", name);
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];
        if (byte == '\n') {
            buffer_append_string(text, "\\n");
            continue;
        }
        if (byte == '\\' || byte == '"') {
            buffer_append_string(text, "\\");
        }
        (void)buffer_append(text, &byte, 1);
    }
    buffer_append_string(text, "\"");
}

void metrics_text_bound(size_t bucket, char text[METRICS_BOUND_BYTES])
{
    struct buffer bound;
    buffer_init_within(&bound, text, METRICS_BOUND_BYTES);
    if (bucket < LATENCY_BOUNDS) {
        buffer_append_format(&bound, "%g", (double)LATENCY_BOUNDS_US[bucket] / US_PER_S);
    } else {
        buffer_append_string(&bound, "+Inf");
    }
    (void)buffer_string(&bound);
}

static void metrics_text_begin(struct buffer *text, const struct metric *metric, const char *suffix)
{
    buffer_append_format(text, "%s%s{", metric->family->name, suffix);
    for (size_t i = 0; i < metric->label_count; i++) {
        buffer_append_string(text, i > 0 ? "," : "");
        metrics_text_label(text, metric->labels[i].name, metric->labels[i].value);
    }
}

static void metrics_text_histogram(struct buffer *text, const struct metric *metric)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= LATENCY_BOUNDS; i++) {
        char bound[METRICS_BOUND_BYTES];
        count += metric->buckets->counts[i];
        metrics_text_bound(i, bound);
        metrics_text_begin(text, metric, "_bucket");
        buffer_append_format(text, ",le=\"%s\"} %llu\n", bound, (unsigned long long)count);
    }
    metrics_text_begin(text, metric, "_sum");
    buffer_append_format(text, "} %.15g\n", metric->buckets->sum_us / US_PER_S);
    metrics_text_begin(text, metric, "_count");
    buffer_append_format(text, "} %llu\n", (unsigned long long)count);
}

static void metrics_text_on_family(void *context, const struct metric_family *family)
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    metrics_text_head(context, family->name, types[family->type], family->help);
}

static void metrics_text_on_metric(void *context, const struct metric *metric)
{
    struct buffer *text = context;
    if (metric->buckets != NULL) {
        metrics_text_histogram(text, metric);
        return;
    }
    metrics_text_begin(text, metric, "");
    buffer_append_format(text, "} %.15g\n", metric->value);
}

struct metric_sink metrics_text_sink(struct buffer *text)
{
    return (struct metric_sink){text, metrics_text_on_family, metrics_text_on_metric};
}
