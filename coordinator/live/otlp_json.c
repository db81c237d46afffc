/* The metrics of a campaign for OTLP over HTTP, as JSON. */
#include "coordinator/live/otlp_json.h"

#include "common/buffer.h"
#include "common/text.h"
#include "coordinator/json/json_put.h"
#include "coordinator/metrics/campaign_metrics.h"

#include <string.h>

#define NAME_BYTES 128u
#define CUMULATIVE 2
#define US_PER_S 1e6

struct otlp_metrics {
    json_t *metrics;
    json_t *points; /* of the family that is being given; NULL: its first point has not come */
    char begun[24]; /* nanoseconds since 1970: numbers of 64 bits are texts in this format */
    char now[24];
};

/* What follows a name for Prometheus; a receiver that makes it a name for Prometheus again adds the same. */
static const struct otlp_ending {
    const char *ending;
    const char *unit;
} ENDINGS[] = {{"_seconds", "s"}, {"_bytes", "By"}};

/* "tutti_campaign_request_duration_seconds" is "tutti.campaign.request.duration" in seconds. */
static const char *otlp_name(const struct metric_family *family, char name[NAME_BYTES])
{
    const char *unit = "1";
    bytes_to_text(bytes_of_string(family->name), name, NAME_BYTES);
    size_t size = strlen(name);
    if (family->type == METRIC_COUNTER && size > strlen("_total")) {
        size -= strlen("_total");
        name[size] = '\0';
    }
    for (size_t i = 0; i < sizeof ENDINGS / sizeof ENDINGS[0]; i++) {
        size_t length = strlen(ENDINGS[i].ending);
        if (size > length && strcmp(name + size - length, ENDINGS[i].ending) == 0) {
            size -= length;
            name[size] = '\0';
            unit = ENDINGS[i].unit;
        }
    }
    for (size_t i = 0; i < size; i++) {
        name[i] = name[i] == '_' ? '.' : name[i];
    }
    return unit;
}

static json_t *otlp_attribute(const char *key, struct bytes value)
{
    json_t *attribute = json_object();
    json_t *inner = json_object();
    json_put_text(inner, "stringValue", value);
    json_put_text(attribute, "key", bytes_of_string(key));
    json_put(attribute, "value", inner);
    return attribute;
}

static void otlp_put_number(json_t *object, const char *key, uint64_t number)
{
    json_put(object, key, json_sprintf("%llu", (unsigned long long)number));
}

static void otlp_put_buckets(json_t *point, const struct latency_buckets *buckets)
{
    json_t *counts = json_array();
    json_t *bounds = json_array();
    for (size_t i = 0; i <= LATENCY_BOUNDS; i++) {
        json_array_append_new(counts, json_sprintf("%llu", (unsigned long long)buckets->counts[i]));
        if (i < LATENCY_BOUNDS) {
            json_array_append_new(bounds, json_real((double)LATENCY_BOUNDS_US[i] / US_PER_S));
        }
    }
    otlp_put_number(point, "count", latency_buckets_count(buckets));
    json_put(point, "sum", json_real(buckets->sum_us / US_PER_S));
    json_put(point, "bucketCounts", counts);
    json_put(point, "explicitBounds", bounds);
}

static json_t *otlp_point(const struct otlp_metrics *otlp, const struct metric *metric)
{
    json_t *point = json_object();
    json_t *attributes = json_array();
    for (size_t i = 0; i < metric->label_count; i++) {
        json_array_append_new(attributes, otlp_attribute(metric->labels[i].name, metric->labels[i].value));
    }
    json_put(point, "attributes", attributes);
    if (metric->family->type != METRIC_GAUGE) {
        json_put_text(point, "startTimeUnixNano", bytes_of_string(otlp->begun));
    }
    json_put_text(point, "timeUnixNano", bytes_of_string(otlp->now));
    if (metric->buckets != NULL) {
        otlp_put_buckets(point, metric->buckets);
    } else if (metric->family->type == METRIC_COUNTER) {
        otlp_put_number(point, "asInt", (uint64_t)metric->value);
    } else {
        json_put(point, "asDouble", json_real(metric->value));
    }
    return point;
}

static void otlp_on_family(void *context, const struct metric_family *family)
{
    struct otlp_metrics *otlp = context;
    (void)family;
    otlp->points = NULL;
}

static void otlp_begin(struct otlp_metrics *otlp, const struct metric_family *family)
{
    static const char *const keys[] = {
        [METRIC_COUNTER] = "sum", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    char name[NAME_BYTES];
    const char *unit = otlp_name(family, name);
    json_t *metric = json_object();
    json_t *data = json_object();
    otlp->points = json_array();
    json_put_text(metric, "name", bytes_of_string(name));
    json_put_text(metric, "description", bytes_of_string(family->help));
    json_put_text(metric, "unit", bytes_of_string(unit));
    if (family->type != METRIC_GAUGE) {
        json_put(data, "aggregationTemporality", json_integer(CUMULATIVE));
    }
    if (family->type == METRIC_COUNTER) {
        json_put(data, "isMonotonic", json_true());
    }
    json_put(data, "dataPoints", otlp->points);
    json_put(metric, keys[family->type], data);
    json_array_append_new(otlp->metrics, metric);
}

static void otlp_on_metric(void *context, const struct metric *metric)
{
    struct otlp_metrics *otlp = context;
    if (otlp->points == NULL) {
        otlp_begin(otlp, metric->family);
    }
    json_array_append_new(otlp->points, otlp_point(otlp, metric));
}

static json_t *otlp_list_of(json_t *only)
{
    json_t *list = json_array();
    json_array_append_new(list, only);
    return list;
}

/* Takes `metrics`. */
static json_t *otlp_resource(const struct report_view *report, json_t *metrics)
{
    json_t *resource = json_object();
    json_t *attributes = json_array();
    json_t *scope = json_object();
    json_t *scoped = json_object();
    json_t *whole = json_object();
    json_array_append_new(attributes, otlp_attribute("service.name", bytes_of_string("tutti")));
    json_array_append_new(attributes, otlp_attribute("service.version", bytes_of_string(TUTTI_VERSION)));
    json_array_append_new(attributes, otlp_attribute("tutti.script", report->script));
    json_put(resource, "attributes", attributes);
    json_put_text(scope, "name", bytes_of_string("tutti"));
    json_put_text(scope, "version", bytes_of_string(TUTTI_VERSION));
    json_put(scoped, "scope", scope);
    json_put(scoped, "metrics", metrics);
    json_put(whole, "resource", resource);
    json_put(whole, "scopeMetrics", otlp_list_of(scoped));
    return whole;
}

static void otlp_time(char text[24], uint64_t wall_ns)
{
    struct buffer buffer;
    buffer_init_within(&buffer, text, 24);
    buffer_append_format(&buffer, "%llu", (unsigned long long)wall_ns);
    (void)buffer_string(&buffer);
}

char *otlp_json(const struct report_view *report, uint64_t wall_ns)
{
    struct otlp_metrics otlp = {.metrics = json_array()};
    const struct metric_sink sink = {&otlp, otlp_on_family, otlp_on_metric};
    json_t *root = json_object();
    otlp_time(otlp.begun, report->begun_wall_ns > 0 ? report->begun_wall_ns : wall_ns);
    otlp_time(otlp.now, wall_ns);
    campaign_metrics_give(&report, 1, &sink);
    json_put(root, "resourceMetrics", otlp_list_of(otlp_resource(report, otlp.metrics)));
    char *text = json_to_text(root, false);
    json_decref(root);
    return text;
}
