/* A report as tables of comma-separated values. */
#include "cli/view/report_csv.h"

#include "common/escape.h"
#include "common/memory.h"
#include "common/time_units.h"

#include <inttypes.h>
#include <string.h>

/* Quoted where it has to be; what is not printable is escaped. */
static void csv_append_text(struct buffer *csv, struct bytes text)
{
    SCOPED(buffer_finish) struct buffer escaped;
    buffer_init(&escaped, csv->maximum);
    escape_text(&escaped, text);
    const char *shown = buffer_string(&escaped);
    if (strpbrk(shown, ",\"") == NULL) {
        buffer_append_string(csv, shown);
        return;
    }
    buffer_append_string(csv, "\"");
    for (; *shown != '\0'; shown++) {
        (void)buffer_append(csv, "\"", *shown == '"' ? 1 : 0);
        (void)buffer_append(csv, shown, 1);
    }
    buffer_append_string(csv, "\"");
}

/* Microseconds in units of `size` of them. */
static void csv_append_us(struct buffer *csv, uint64_t us, unsigned size)
{
    buffer_append_format(csv, "%.9g", (double)us / size);
}

static void csv_append_ms(struct buffer *csv, uint64_t us)
{
    buffer_append_string(csv, ",");
    csv_append_us(csv, us, 1000);
}

static void csv_append_times(struct buffer *csv, const struct quantiles *times)
{
    csv_append_ms(csv, times->minimum_us);
    csv_append_ms(csv, times->mean_us);
    csv_append_ms(csv, times->p50_us);
    csv_append_ms(csv, times->p90_us);
    csv_append_ms(csv, times->p95_us);
    csv_append_ms(csv, times->p99_us);
    csv_append_ms(csv, times->p999_us);
    csv_append_ms(csv, times->maximum_us);
    csv_append_ms(csv, times->deviation_us);
}

static void csv_summary_count(struct buffer *csv, const char *key, uint64_t count)
{
    buffer_append_format(csv, "%s,%" PRIu64 "\n", key, count);
}

static void csv_summary_text(struct buffer *csv, const char *key, struct bytes text)
{
    buffer_append_format(csv, "%s,", key);
    csv_append_text(csv, text);
    buffer_append_string(csv, "\n");
}

static void csv_summary_ms(struct buffer *csv, const char *key, uint64_t us)
{
    buffer_append_string(csv, key);
    csv_append_ms(csv, us);
    buffer_append_string(csv, "\n");
}

void report_csv_summary(const struct report_view *report, struct buffer *text)
{
    uint64_t failed = 0;
    for (size_t i = 0; i < report->request_count; i++) {
        failed += report->requests[i].is_timing ? 0 : report->requests[i].failed;
    }
    buffer_append_string(text, "key,value\n");
    csv_summary_count(text, "campaign", report->campaign);
    csv_summary_text(text, "script", report->script);
    csv_summary_text(text, "name", report->name);
    csv_summary_text(text, "labels", report->labels);
    csv_summary_text(text, "verdict",
                     bytes_of_string(report->verdict != VERDICT_NONE ? verdict_name(report->verdict) : ""));
    csv_summary_text(text, "reason", report->reason);
    buffer_append_format(text, "duration_s,%.9g\n", (double)report->running_ns / (double)NS_PER_S);
    csv_summary_count(text, "workers", report->workers);
    csv_summary_count(text, "steps_ok", report->steps_ok);
    csv_summary_count(text, "steps_failed", report->steps_failed);
    csv_summary_count(text, "steps_stopped", report->steps_stopped);
    csv_summary_count(text, "steps_lost", report->steps_lost);
    csv_summary_ms(text, "step_p50_ms", report->step.p50_us);
    csv_summary_ms(text, "step_p99_ms", report->step.p99_us);
    uint64_t requests = 0;
    for (size_t i = 0; i < report->request_count; i++) {
        requests += report->requests[i].is_timing ? 0 : report->requests[i].count;
    }
    csv_summary_count(text, "requests", requests);
    csv_summary_count(text, "requests_failed", failed);
    uint64_t sightings = 0;
    uint64_t at_once = 0;
    for (size_t i = 0; i < report->seen_count; i++) {
        sightings += report->seen[i].count;
        at_once += report->seen[i].at_once;
    }
    csv_summary_count(text, "sightings", sightings);
    csv_summary_count(text, "sightings_at_once", at_once);
}

/* "200:5 503:1" */
static void csv_append_statuses(struct buffer *csv, const struct close_counts *statuses)
{
    for (size_t i = 0; i < statuses->size; i++) {
        const struct close_count *status = &statuses->items[i];
        buffer_append_string(csv, i > 0 ? " " : "");
        if (status->code == 0) {
            buffer_append_format(csv, "other:%" PRIu64, status->count);
        } else {
            buffer_append_format(csv, "%" PRIu32 ":%" PRIu64, status->code, status->count);
        }
    }
}

static void csv_append_request(struct buffer *csv, const struct request_view *request)
{
    buffer_append_string(csv, request->is_timing ? "timing," : "request,");
    csv_append_text(csv, request->name);
    buffer_append_format(csv, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",,%.9g", request->count, request->ok,
                         request->failed, request->per_s);
    csv_append_times(csv, &request->latency);
    if (request->is_timing) {
        buffer_append_string(csv, ",,,\n");
        return;
    }
    buffer_append_format(csv, ",%" PRIu64 ",%" PRIu64 ",", request->received_bytes, request->sent_bytes);
    csv_append_statuses(csv, &request->statuses);
    buffer_append_string(csv, "\n");
}

/* The times that travel in a report; the rest of the columns is empty. */
static void csv_append_seen(struct buffer *csv, struct bytes name, uint64_t count,
                            const struct quantiles *seen)
{
    buffer_append_string(csv, "seen,");
    csv_append_text(csv, name);
    buffer_append_format(csv, ",%" PRIu64 ",,,,,,", count);
    csv_append_ms(csv, seen->p50_us);
    buffer_append_string(csv, ",");
    csv_append_ms(csv, seen->p95_us);
    csv_append_ms(csv, seen->p99_us);
    buffer_append_string(csv, ",");
    csv_append_ms(csv, seen->maximum_us);
    buffer_append_string(csv, ",,,,\n");
}

static void csv_append_group(struct buffer *csv, const struct slice_view *group)
{
    buffer_append_string(csv, "group,");
    csv_append_text(csv, group->name);
    buffer_append_format(csv, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",,%.9g", group->count, group->ok,
                         group->failed, group->per_s);
    csv_append_times(csv, &group->took);
    buffer_append_string(csv, ",,,\n");
}

void report_csv_requests(const struct report_view *report, struct buffer *text)
{
    buffer_append_string(text, "kind,name,count,ok,failed,stopped,per_s,min_ms,mean_ms,p50_ms,p90_ms,p95_ms,"
                               "p99_ms,p999_ms,max_ms,stddev_ms,bytes_in,bytes_out,statuses\n");
    for (size_t i = 0; i < report->request_count; i++) {
        csv_append_request(text, &report->requests[i]);
    }
    for (size_t i = 0; i < report->scenario_count; i++) {
        const struct scenario_view *scenario = &report->scenarios[i];
        buffer_append_string(text, "scenario,");
        csv_append_text(text, scenario->name);
        buffer_append_format(text, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.9g",
                             scenario->ok + scenario->failed + scenario->stopped, scenario->ok,
                             scenario->failed, scenario->stopped, scenario->per_s);
        csv_append_times(text, &scenario->step);
        buffer_append_string(text, ",,,\n");
    }
    for (size_t i = 0; i < report->slice_count && report->slices[i].tag.size == 0; i++) {
        csv_append_group(text, &report->slices[i]);
    }
    for (size_t i = 0; i < report->seen_count; i++) {
        const struct seen_view *seen = &report->seen[i];
        if (seen->count > 0) {
            csv_append_seen(text, seen->name, seen->count, &seen->seen);
        }
    }
}

static void csv_append_tagged(struct buffer *csv, const struct slice_view *slice)
{
    csv_append_text(csv, slice->tag);
    buffer_append_string(csv, ",");
    csv_append_text(csv, slice->value);
    buffer_append_format(csv, ",%s,", slice_kind_name(slice->kind));
    csv_append_text(csv, slice->name);
    buffer_append_format(csv, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.9g", slice->count, slice->ok,
                         slice->failed, slice->per_s);
    if (slice->kind == SLICE_CHECK) {
        buffer_append_string(csv, ",,,,,,,,,");
    } else {
        csv_append_times(csv, &slice->took);
    }
    buffer_append_string(csv, "\n");
}

void report_csv_tags(const struct report_view *report, struct buffer *text)
{
    buffer_append_string(text,
                         "tag,value,kind,name,count,ok,failed,per_s,min_ms,mean_ms,p50_ms,p90_ms,p95_ms,"
                         "p99_ms,p999_ms,max_ms,stddev_ms\n");
    for (size_t i = 0; i < report->slice_count; i++) {
        if (report->slices[i].tag.size > 0) {
            csv_append_tagged(text, &report->slices[i]);
        }
    }
}

/* The columns of all groups, each key once, in the order of the groups. */
#define CSV_COLUMNS_MAX ((size_t)SERIES_GROUP_COUNT * SERIES_MAX_COLUMNS)
struct csv_columns {
    const char *keys[CSV_COLUMNS_MAX];
    size_t count;
};

static size_t csv_find_column(const struct csv_columns *columns, const char *key)
{
    size_t found = 0;
    while (found < columns->count && strcmp(columns->keys[found], key) != 0) {
        found++;
    }
    return found;
}

static void csv_collect_columns(struct csv_columns *columns)
{
    for (int group = 0; group < SERIES_GROUP_COUNT; group++) {
        for (size_t i = 0; i < series_column_count((enum series_group)group); i++) {
            const char *key = series_column((enum series_group)group, i).key;
            if (csv_find_column(columns, key) == columns->count) {
                columns->keys[columns->count++] = key;
            }
        }
    }
}

static void csv_append_value(struct buffer *csv, enum series_unit unit, uint64_t value)
{
    if (value == SERIES_NONE) {
        return;
    }
    if (unit == SERIES_US_AS_MS || unit == SERIES_US_AS_S) {
        csv_append_us(csv, value, unit == SERIES_US_AS_MS ? 1000 : 1000000);
    } else {
        buffer_append_format(csv, "%" PRIu64, value);
    }
}

static void csv_append_point(struct buffer *csv, const struct csv_columns *columns,
                             const struct series_view *series, const struct series_row_view *row,
                             size_t point)
{
    size_t at[CSV_COLUMNS_MAX];
    size_t count = series_column_count(row->group);
    const char *by_name = SERIES_GROUP_COLUMNS[row->group].key_by_name;
    for (size_t i = 0; i < columns->count; i++) {
        at[i] = count;
    }
    for (size_t i = 0; i < count; i++) {
        at[csv_find_column(columns, series_column(row->group, i).key)] = i;
    }
    buffer_append_format(csv, "%" PRIu64 ",%" PRIu64 ",%s,", point * series->point_s, series->point_s,
                         row->is_total || by_name == NULL ? SERIES_GROUP_COLUMNS[row->group].key : by_name);
    csv_append_text(csv, row->name.bytes);
    for (size_t i = 0; i < columns->count; i++) {
        buffer_append_string(csv, ",");
        if (at[i] < count) {
            csv_append_value(csv, series_column(row->group, at[i]).unit,
                             row->values[at[i] * series->points + point]);
        }
    }
    buffer_append_string(csv, "\n");
}

void report_csv_series(const struct series_view *series, struct buffer *text)
{
    struct csv_columns columns = {0};
    csv_collect_columns(&columns);
    buffer_append_string(text, "second,seconds,group,name");
    for (size_t i = 0; i < columns.count; i++) {
        buffer_append_format(text, ",%s", columns.keys[i]);
    }
    buffer_append_string(text, "\n");
    for (size_t i = 0; i < series->row_count; i++) {
        for (size_t point = 0; point < series->points; point++) {
            csv_append_point(text, &columns, series, &series->rows[i], point);
        }
    }
}
