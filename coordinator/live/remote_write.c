/* The metrics of a campaign for Prometheus' remote write 1.0: WriteRequest { timeseries = 1 }, TimeSeries {
 * labels = 1, samples = 2 }, Label { name = 1, value = 2 }, Sample { value = 1 (double), timestamp = 2 }. */
#include "coordinator/live/remote_write.h"

#include "common/escape.h"
#include "common/memory.h"
#include "coordinator/metrics/campaign_metrics.h"
#include "coordinator/metrics/metrics_text.h"
#include "proto/codec/protobuf_writer.h"

#include <assert.h>
#include <snappy-c.h>
#include <string.h>

#define REMOTE_LABEL_BYTES ((size_t)16 * 1024)
#define US_PER_S 1e6

struct remote_writer {
    struct buffer request;
    struct buffer value; /* of a label, escaped */
    uint64_t wall_ms;
};

static void remote_label(struct remote_writer *writer, const char *name, struct bytes value)
{
    size_t label = protobuf_write_open(&writer->request, 1);
    buffer_clear(&writer->value);
    escape_text(&writer->value, value);
    protobuf_write_bytes(&writer->request, 1, bytes_of_string(name));
    protobuf_write_bytes(&writer->request, 2, buffer_bytes(&writer->value));
    protobuf_write_close(&writer->request, label);
}

static void remote_sample(struct remote_writer *writer, double value)
{
    size_t sample = protobuf_write_open(&writer->request, 2);
    protobuf_write_double(&writer->request, 1, value);
    protobuf_write_number(&writer->request, 2, writer->wall_ms);
    protobuf_write_close(&writer->request, sample);
}

/* Labels have to be sorted by name: __name__ comes before all of ours. `bound` NULL: none. */
static void remote_series(struct remote_writer *writer, const struct metric *metric, const char *suffix,
                          const char *bound, double value)
{
    SCOPED(memory_free_at) char *name = memory_format("%s%s", metric->family->name, suffix);
    struct metric_label labels[METRIC_LABELS + 2] = {{"__name__", bytes_of_string(name)}};
    size_t count = 1;
    for (size_t i = 0; i < metric->label_count; i++) {
        labels[count++] = metric->labels[i];
    }
    if (bound != NULL) {
        labels[count++] = (struct metric_label){"le", bytes_of_string(bound)};
    }
    for (size_t i = 1; i < count; i++) {
        for (size_t j = i; j > 1 && strcmp(labels[j].name, labels[j - 1].name) < 0; j--) {
            struct metric_label label = labels[j];
            labels[j] = labels[j - 1];
            labels[j - 1] = label;
        }
    }
    size_t series = protobuf_write_open(&writer->request, 1);
    for (size_t i = 0; i < count; i++) {
        if (labels[i].value.size > 0) { /* an empty one is as good as none, and not to be sent */
            remote_label(writer, labels[i].name, labels[i].value);
        }
    }
    remote_sample(writer, value);
    protobuf_write_close(&writer->request, series);
}

static void remote_histogram(struct remote_writer *writer, const struct metric *metric)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= LATENCY_BOUNDS; i++) {
        char bound[METRICS_BOUND_BYTES];
        count += metric->buckets->counts[i];
        metrics_text_bound(i, bound);
        remote_series(writer, metric, "_bucket", bound, (double)count);
    }
    remote_series(writer, metric, "_sum", NULL, metric->buckets->sum_us / US_PER_S);
    remote_series(writer, metric, "_count", NULL, (double)count);
}

static void remote_on_family(void *context, const struct metric_family *family)
{
    (void)context;
    (void)family;
}

static void remote_on_metric(void *context, const struct metric *metric)
{
    struct remote_writer *writer = context;
    if (metric->buckets != NULL) {
        remote_histogram(writer, metric);
    } else {
        remote_series(writer, metric, "", NULL, metric->value);
    }
}

static void remote_compress(struct bytes request, struct buffer *into)
{
    size_t size = snappy_max_compressed_length(request.size);
    char *packed = memory_new(size + 1, 1);
    snappy_status status = snappy_compress((const char *)request.data, request.size, packed, &size);
    assert(status == SNAPPY_OK);
    (void)status;
    (void)buffer_append(into, packed, size);
    memory_free(packed);
}

bool remote_write(const struct report_view *report, uint64_t wall_ms, struct buffer *into)
{
    struct remote_writer writer = {.wall_ms = wall_ms};
    const struct metric_sink sink = {&writer, remote_on_family, remote_on_metric};
    buffer_init(&writer.request, REMOTE_WRITE_BYTES);
    buffer_init(&writer.value, REMOTE_LABEL_BYTES);
    campaign_metrics_give(&report, 1, &sink);
    bool is_whole = !writer.request.has_overflowed;
    if (is_whole) {
        remote_compress(buffer_bytes(&writer.request), into);
    }
    buffer_finish(&writer.request);
    buffer_finish(&writer.value);
    return is_whole && !into->has_overflowed;
}
