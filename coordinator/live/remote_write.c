/* The metrics of a campaign for Prometheus' remote write 1.0. The message has three kinds of fields, which
 * are written here: prompb.WriteRequest { timeseries = 1 }, TimeSeries { labels = 1, samples = 2 }, Label {
 * name = 1, value = 2 }, Sample { value = 1 (double), timestamp = 2 (int64) }. */
#include "coordinator/live/remote_write.h"

#include "common/escape.h"
#include "common/memory.h"
#include "coordinator/metrics/campaign_metrics.h"
#include "coordinator/metrics/metrics_text.h"

#include <assert.h>
#include <snappy-c.h>
#include <string.h>

#define REMOTE_SERIES_BYTES ((size_t)16 * 1024)
#define US_PER_S 1e6
#define FIELD_BYTES(number) ((uint8_t)((number) << 3 | 2))
#define FIELD_VARINT(number) ((uint8_t)((number) << 3))
#define FIELD_DOUBLE(number) ((uint8_t)((number) << 3 | 1))

struct remote_writer {
    struct buffer request;
    struct buffer series;
    struct buffer label;
    struct buffer value;
    uint64_t wall_ms;
};

static void remote_varint(struct buffer *into, uint64_t number)
{
    while (number >= 0x80) {
        uint8_t byte = (uint8_t)(number | 0x80);
        (void)buffer_append(into, &byte, 1);
        number >>= 7;
    }
    uint8_t last = (uint8_t)number;
    (void)buffer_append(into, &last, 1);
}

static void remote_bytes(struct buffer *into, uint8_t field, struct bytes bytes)
{
    (void)buffer_append(into, &field, 1);
    remote_varint(into, bytes.size);
    (void)buffer_append(into, bytes.data, bytes.size);
}

static void remote_label(struct remote_writer *writer, const char *name, struct bytes value)
{
    buffer_clear(&writer->label);
    buffer_clear(&writer->value);
    escape_text(&writer->value, value);
    remote_bytes(&writer->label, FIELD_BYTES(1), bytes_of_string(name));
    remote_bytes(&writer->label, FIELD_BYTES(2), buffer_bytes(&writer->value));
    remote_bytes(&writer->series, FIELD_BYTES(1), buffer_bytes(&writer->label));
}

static void remote_sample(struct remote_writer *writer, double value)
{
    uint8_t field = FIELD_DOUBLE(1);
    uint64_t bits = 0;
    static_assert(sizeof bits == sizeof value, "a double has 64 bits");
    memcpy(&bits, &value, sizeof bits);
    buffer_clear(&writer->label);
    (void)buffer_append(&writer->label, &field, 1);
    for (unsigned shift = 0; shift < 64; shift += 8) {
        uint8_t byte = (uint8_t)(bits >> shift);
        (void)buffer_append(&writer->label, &byte, 1);
    }
    field = FIELD_VARINT(2);
    (void)buffer_append(&writer->label, &field, 1);
    remote_varint(&writer->label, writer->wall_ms);
    remote_bytes(&writer->series, FIELD_BYTES(2), buffer_bytes(&writer->label));
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
    buffer_clear(&writer->series);
    for (size_t i = 0; i < count; i++) {
        remote_label(writer, labels[i].name, labels[i].value);
    }
    remote_sample(writer, value);
    remote_bytes(&writer->request, FIELD_BYTES(1), buffer_bytes(&writer->series));
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
    buffer_init(&writer.series, REMOTE_SERIES_BYTES);
    buffer_init(&writer.label, REMOTE_SERIES_BYTES);
    buffer_init(&writer.value, REMOTE_SERIES_BYTES);
    campaign_metrics_give(&report, 1, &sink);
    bool is_whole = !writer.request.has_overflowed;
    if (is_whole) {
        remote_compress(buffer_bytes(&writer.request), into);
    }
    buffer_finish(&writer.request);
    buffer_finish(&writer.series);
    buffer_finish(&writer.label);
    buffer_finish(&writer.value);
    return is_whole && !into->has_overflowed;
}
