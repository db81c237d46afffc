/* The numbers of a campaign second by second as JSON, and back. */
#include "coordinator/json/series_json.h"

#include "common/buffer.h"
#include "common/memory.h"
#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SERIES_JSON_BYTES ((size_t)512 * 1024 * 1024)
#define US_PER_MS 1000u
#define US_PER_S 1000000u

/* 3200 as 3.2: a number of thousandths or millionths without trailing zeros. */
static void append_fraction(struct buffer *text, uint64_t value, uint64_t unit)
{
    buffer_append_format(text, "%" PRIu64, value / unit);
    uint64_t rest = value % unit;
    if (rest == 0) {
        return;
    }
    buffer_append_string(text, ".");
    while (rest > 0) {
        unit /= 10;
        buffer_append_format(text, "%" PRIu64, rest / unit);
        rest %= unit;
    }
}

static uint64_t unit_size(enum series_unit unit)
{
    switch (unit) {
    case SERIES_US_AS_MS:
        return US_PER_MS;
    case SERIES_US_AS_S:
        return US_PER_S;
    default:
        return 1;
    }
}

static void append_column(struct buffer *text, const struct series_view *view,
                          const struct series_row_view *row, size_t index)
{
    struct series_column column = series_column(row->group, index);
    const uint64_t *values = row->values + index * view->points;
    uint64_t unit = unit_size(column.unit);
    buffer_append_format(text, "\"%s\":[", column.key);
    for (size_t i = 0; i < view->points; i++) {
        buffer_append_string(text, i > 0 ? "," : "");
        if (values[i] == SERIES_NONE) {
            buffer_append_string(text, "null");
        } else {
            append_fraction(text, values[i], unit);
        }
    }
    buffer_append_string(text, "]");
}

static void append_row(struct buffer *text, const struct series_view *view, const struct series_row_view *row)
{
    buffer_append_string(text, "{");
    for (size_t i = 0; i < series_column_count(row->group); i++) {
        buffer_append_string(text, i > 0 ? "," : "");
        append_column(text, view, row, i);
    }
    buffer_append_string(text, "}");
}

static void append_name(struct buffer *text, struct bytes name)
{
    json_t *string = json_text(name);
    SCOPED(memory_free_at) char *quoted = json_to_text(string, false);
    buffer_append_string(text, quoted);
    json_decref(string);
}

/* ,"requests":{"login":{…},…} */
static void append_group(struct buffer *text, const struct series_view *view, enum series_group group,
                         bool is_sparse)
{
    bool is_first = true;
    buffer_append_format(text, ",\"%s\":{", SERIES_GROUP_COLUMNS[group].key_by_name);
    for (size_t i = 0; i < view->row_count; i++) {
        const struct series_row_view *row = &view->rows[i];
        if (row->group == group && !row->is_total && !(is_sparse && series_row_view_is_empty(view, row))) {
            buffer_append_string(text, is_first ? "" : ",");
            append_name(text, row->name.bytes);
            buffer_append_string(text, ":");
            append_row(text, view, row);
            is_first = false;
        }
    }
    buffer_append_string(text, "}");
}

static char *series_json_text(const struct series_view *view, bool is_sparse)
{
    struct buffer text;
    size_t size;
    bool is_first = true;
    buffer_init(&text, SERIES_JSON_BYTES);
    buffer_append_string(&text, "{");
    if (view->since_s > 0) {
        buffer_append_format(&text, "\"since\":%" PRIu64 ",", view->since_s);
    }
    buffer_append_format(&text, "\"point_s\":%" PRIu64 ",\"points\":%zu,\"total\":{", view->point_s,
                         view->points);
    for (size_t i = 0; i < view->row_count; i++) {
        if (view->rows[i].is_total) {
            buffer_append_format(&text, "%s\"%s\":", is_first ? "" : ",",
                                 SERIES_GROUP_COLUMNS[view->rows[i].group].key);
            append_row(&text, view, &view->rows[i]);
            is_first = false;
        }
    }
    buffer_append_string(&text, "}");
    for (int group = 0; group < SERIES_GROUP_COUNT; group++) {
        if (SERIES_GROUP_COLUMNS[group].key_by_name != NULL) {
            append_group(&text, view, (enum series_group)group, is_sparse);
        }
    }
    buffer_append_string(&text, "}");
    return (char *)buffer_take(&text, &size);
}

char *series_json(const struct series_view *view)
{
    return series_json_text(view, false);
}

char *series_json_of_counted(const struct series_view *view)
{
    return series_json_text(view, true);
}

static uint64_t read_value(const json_t *value, uint64_t unit)
{
    if (json_is_null(value)) {
        return SERIES_NONE;
    }
    double number = json_number_value(value);
    return number > 0 && number < 1e15 ? (uint64_t)llround(number * (double)unit) : 0;
}

static void series_read_row(struct series_view *view, enum series_group group, const char *name,
                            const json_t *object)
{
    struct series_row_view *row = &view->rows[view->row_count++];
    *row = (struct series_row_view){
        .group = group, .is_total = name == NULL, .name = text_copy(bytes_of_string(name))};
    row->values = memory_new(series_column_count(group) * view->points + 1, sizeof *row->values);
    for (size_t i = 0; i < series_column_count(group); i++) {
        struct series_column column = series_column(group, i);
        const json_t *values = json_object_get(object, column.key);
        for (size_t point = 0; point < view->points; point++) {
            row->values[i * view->points + point] =
                read_value(json_array_get(values, point), unit_size(column.unit));
        }
    }
}

static size_t count_rows(const json_t *object)
{
    size_t count = SERIES_GROUP_COUNT;
    for (int group = 0; group < SERIES_GROUP_COUNT; group++) {
        const char *key = SERIES_GROUP_COLUMNS[group].key_by_name;
        count += key != NULL ? json_object_size(json_object_get(object, key)) : 0;
    }
    return count;
}

/* As many as its longest column has. */
static size_t count_points(const json_t *object)
{
    const json_t *requests = json_object_get(json_object_get(object, "total"), "requests");
    return json_array_size(json_object_get(requests, "count"));
}

struct series_view *series_json_read(const json_t *object)
{
    struct series_view *view = series_view_of(NULL);
    const json_t *totals = json_object_get(object, "total");
    const char *name = NULL;
    json_t *inner = NULL;
    uint64_t point_s = json_get_count(object, "point_s");
    view->since_s = json_get_count(object, "since");
    view->point_s = point_s > 0 ? point_s : 1;
    view->points = count_points(object);
    view->rows = memory_new(count_rows(object), sizeof *view->rows);
    for (int group = 0; group < SERIES_GROUP_COUNT; group++) {
        const json_t *total = json_object_get(totals, SERIES_GROUP_COLUMNS[group].key);
        if (json_is_object(total)) {
            series_read_row(view, (enum series_group)group, NULL, total);
        }
    }
    for (int group = 0; group < SERIES_GROUP_COUNT; group++) {
        const char *key = SERIES_GROUP_COLUMNS[group].key_by_name;
        json_object_foreach(key != NULL ? json_object_get(object, key) : NULL, name, inner)
        {
            series_read_row(view, (enum series_group)group, name, inner);
        }
    }
    return view;
}

char *report_json_with_series(const json_t *report, const char *series)
{
    char *text = json_to_text(report, true);
    size_t length = strlen(text);
    if (series == NULL || length < sizeof "{}\n" || strcmp(text + length - 3, "\n}\n") != 0) {
        return text;
    }
    char *both = memory_format("%.*s,\n  \"series\": %s\n}\n", (int)(length - 3), text, series);
    memory_free(text);
    return both;
}
