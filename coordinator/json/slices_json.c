/* What is counted by tag, and groups, as JSON and back. */
#include "coordinator/json/slices_json.h"

#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"

static const char *name_of_kind(int kind)
{
    return slice_kind_name((enum slice_kind)kind);
}

static const struct json_names SLICE_KIND_NAMES = {name_of_kind, SLICE_REQUEST, SLICE_KINDS - 1};

/* Left out where it is all requests. */
static void put_slice_name(json_t *object, const char *key, const void *item)
{
    const struct slice_view *slice = item;
    if (slice->name.size > 0) {
        json_put_text(object, key, slice->name);
    }
}

static bool get_slice_name(const json_t *value, void *item, struct report_view *view)
{
    struct slice_view *slice = item;
    slice->name = report_view_text(view, bytes_of(json_string_value(value), json_string_length(value)));
    return json_is_string(value);
}

static const struct json_special special_slice_name = {put_slice_name, get_slice_name};

/* clang-format off */
#define SLICE(field) offsetof(struct slice_view, field)
static const struct json_row TAG_ROWS[] = {
    {.key = "tag", .type = JSON_TABLE_TEXT, .offset = SLICE(tag)},
    {.key = "value", .type = JSON_TABLE_TEXT, .offset = SLICE(value)},
    {.key = "kind", .type = JSON_TABLE_NAME, .offset = SLICE(kind), .names = &SLICE_KIND_NAMES},
    {.key = "name", .type = JSON_TABLE_SPECIAL, .special = &special_slice_name},
};
static const struct json_table TAGS = {JSON_ROWS(TAG_ROWS, struct slice_view)};

static const struct json_row COUNT_ROWS[] = {
    {.key = "count", .type = JSON_TABLE_COUNT, .offset = SLICE(count)},
    {.key = "ok", .type = JSON_TABLE_COUNT, .offset = SLICE(ok)},
    {.key = "failed", .type = JSON_TABLE_COUNT, .offset = SLICE(failed)},
    {.key = "per_s", .type = JSON_TABLE_REAL, .offset = SLICE(per_s)},
};
static const struct json_table COUNTS = {JSON_ROWS(COUNT_ROWS, struct slice_view)};

static const struct json_row TIME_ROWS[] = {
    {.key = "min_ms", .type = JSON_TABLE_US_AS_MS, .offset = SLICE(took.minimum_us)},
    {.key = "mean_ms", .type = JSON_TABLE_US_AS_MS, .offset = SLICE(took.mean_us)},
    {.key = "p50_ms", .type = JSON_TABLE_US_AS_MS, .offset = SLICE(took.p50_us)},
    {.key = "p90_ms", .type = JSON_TABLE_US_AS_MS, .offset = SLICE(took.p90_us)},
    {.key = "p95_ms", .type = JSON_TABLE_US_AS_MS, .offset = SLICE(took.p95_us)},
    {.key = "p99_ms", .type = JSON_TABLE_US_AS_MS, .offset = SLICE(took.p99_us)},
    {.key = "p999_ms", .type = JSON_TABLE_US_AS_MS, .offset = SLICE(took.p999_us)},
    {.key = "max_ms", .type = JSON_TABLE_US_AS_MS, .offset = SLICE(took.maximum_us)},
    {.key = "stddev_ms", .type = JSON_TABLE_US_AS_MS, .offset = SLICE(took.deviation_us)},
};
static const struct json_table TIMES = {JSON_ROWS(TIME_ROWS, struct slice_view)};
/* clang-format on */

static void put_numbers(json_t *object, const struct slice_view *slice)
{
    json_table_put(&COUNTS, object, slice);
    if (slice->kind != SLICE_CHECK) {
        json_table_put(&TIMES, object, slice);
    }
}

static void put_groups(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    json_t *groups = json_object();
    for (size_t i = 0; i < report->slice_count && report->slices[i].tag.size == 0; i++) {
        json_t *inner = json_object();
        put_numbers(inner, &report->slices[i]);
        json_put_by_name(groups, report->slices[i].name, inner);
    }
    json_put(object, key, groups);
}

static void put_tags(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    json_t *tags = json_array();
    for (size_t i = 0; i < report->slice_count; i++) {
        if (report->slices[i].tag.size > 0) {
            json_t *inner = json_object();
            json_table_put(&TAGS, inner, &report->slices[i]);
            put_numbers(inner, &report->slices[i]);
            json_array_append_new(tags, inner);
        }
    }
    json_put(object, key, tags);
}

/* Room for `more` of them after those that are there. */
static struct slice_view *slices_reserve(struct report_view *report, size_t more, struct report_view *view)
{
    struct slice_view *slices = report_view_array(view, report->slice_count + more, sizeof *slices);
    for (size_t i = 0; i < report->slice_count; i++) {
        slices[i] = report->slices[i];
    }
    report->slices = slices;
    return slices;
}

static void get_numbers(const json_t *value, struct slice_view *slice, struct report_view *view)
{
    json_table_get(&COUNTS, value, slice, view);
    json_table_get(&TIMES, value, slice, view);
}

static bool get_groups(const json_t *value, void *item, struct report_view *view)
{
    struct report_view *report = item;
    struct slice_view *slices = slices_reserve(report, json_object_size(value), view);
    const char *name = NULL;
    json_t *inner = NULL;
    json_object_foreach((json_t *)(uintptr_t)value, name, inner)
    {
        struct slice_view *slice = &slices[report->slice_count++];
        slice->kind = SLICE_GROUP;
        slice->name = report_view_text(view, bytes_of_string(name));
        get_numbers(inner, slice, view);
    }
    return json_is_object(value);
}

static bool get_tags(const json_t *value, void *item, struct report_view *view)
{
    struct report_view *report = item;
    struct slice_view *slices = slices_reserve(report, json_array_size(value), view);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *inner = json_array_get(value, i);
        struct slice_view *slice = &slices[report->slice_count++];
        json_table_get(&TAGS, inner, slice, view);
        get_numbers(inner, slice, view);
    }
    return json_is_array(value);
}

const struct json_special json_special_groups = {put_groups, get_groups};
const struct json_special json_special_tags = {put_tags, get_tags};
