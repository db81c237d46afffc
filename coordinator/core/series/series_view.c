/* A series as plain numbers. */
#include "coordinator/core/series/series_view.h"

#include "common/memory.h"
#include "coordinator/core/series/series_inside.h"

#include <stdlib.h>

#define LATENCY_COLUMNS 4u
static const struct series_column LATENCIES[LATENCY_COLUMNS] = {
    {.key = "p50_ms", .unit = SERIES_US_AS_MS},
    {.key = "p95_ms", .unit = SERIES_US_AS_MS},
    {.key = "p99_ms", .unit = SERIES_US_AS_MS},
    {.key = "max_ms", .unit = SERIES_US_AS_MS, .is_maximum = true},
};

size_t series_column_count(enum series_group group)
{
    const struct series_group_columns *columns = &SERIES_GROUP_COLUMNS[group];
    return columns->counter_count + (columns->has_latency ? LATENCY_COLUMNS : 0);
}

struct series_column series_column(enum series_group group, size_t index)
{
    const struct series_group_columns *columns = &SERIES_GROUP_COLUMNS[group];
    return index < columns->counter_count ? columns->counters[index]
                                          : LATENCIES[index - columns->counter_count];
}

static void view_point(const struct series_view *view, struct series_row_view *row, size_t index,
                       const struct series_point *point)
{
    static const double quantiles[] = {0.5, 0.95, 0.99};
    const struct series_group_columns *columns = &SERIES_GROUP_COLUMNS[row->group];
    uint64_t latencies[LATENCY_COLUMNS] = {SERIES_NONE, SERIES_NONE, SERIES_NONE, SERIES_NONE};
    for (size_t i = 0; i < columns->counter_count; i++) {
        row->values[i * view->points + index] = point->counters[i];
    }
    if (point->sketch.used > 0) {
        sketch_quantiles(&point->sketch, quantiles, latencies, LATENCY_COLUMNS - 1);
        latencies[LATENCY_COLUMNS - 1] = point->sketch.maximum;
    }
    for (size_t i = 0; columns->has_latency && i < LATENCY_COLUMNS; i++) {
        row->values[(columns->counter_count + i) * view->points + index] = latencies[i];
    }
}

/* What is not packed yet: the point that is being filled, and the open seconds. */
static void view_rest(const struct series *series, const struct series_row *from,
                      const struct series_view *view, struct series_row_view *row)
{
    uint64_t second = series->seconds > SERIES_OPEN_S ? series->seconds - SERIES_OPEN_S : 0;
    struct series_point sum = {0};
    series_point_merge(&sum, &from->filling, from->group);
    for (size_t index = series->points; index < view->points; index++) {
        for (; second < series->seconds && second / view->point_s == index; second++) {
            series_point_merge(&sum, &from->open[second % SERIES_OPEN_S], from->group);
        }
        view_point(view, row, index, &sum);
        series_point_clear(&sum);
    }
    series_point_finish(&sum);
}

/* A failure that a script has taken back is counted as −1 in the second when it was: it counts in the one
 * before it that has failures. */
static void view_forgiven(uint64_t *failed, size_t points)
{
    for (size_t i = points; i > 1; i--) {
        if ((int64_t)failed[i - 1] < 0) {
            failed[i - 2] += failed[i - 1];
            failed[i - 1] = 0;
        }
    }
    if (points > 0 && (int64_t)failed[0] < 0) {
        failed[0] = 0;
    }
}

static void view_row(const struct series *series, const struct series_row *from, struct series_view *view)
{
    struct series_row_view *row = &view->rows[view->row_count++];
    struct series_cursor cursor;
    *row = (struct series_row_view){.group = from->group,
                                    .is_total = from == &series->totals[from->group],
                                    .name = text_copy(from->name.bytes)};
    row->values = memory_new(series_column_count(from->group) * view->points + 1, sizeof *row->values);
    series_cursor_init(&cursor, from);
    for (size_t index = 0; index < view->points && series_cursor_next(&cursor); index++) {
        view_point(view, row, index, &cursor.point);
    }
    series_cursor_finish(&cursor);
    view_rest(series, from, view, row);
    if (from->group == SERIES_REQUESTS || from->group == SERIES_TAGS) {
        view_forgiven(row->values + view->points, view->points);
    }
}

static int compare_series_rows(const void *left, const void *right)
{
    const struct series_row_view *a = left;
    const struct series_row_view *b = right;
    if (a->is_total != b->is_total) {
        return a->is_total ? -1 : 1;
    }
    return a->group != b->group ? (int)a->group - (int)b->group : bytes_compare(a->name.bytes, b->name.bytes);
}

struct series_view *series_view_of(const struct series *series)
{
    struct series_view *view = MEMORY_NEW(struct series_view);
    struct map_cursor cursor = {0};
    view->point_s = 1;
    if (series == NULL) {
        return view;
    }
    view->point_s = series->point_s;
    view->points = (size_t)series_points(series);
    view->rows = memory_new(SERIES_GROUP_COUNT + map_size(series->rows), sizeof *view->rows);
    for (int group = 0; group < SERIES_GROUP_COUNT; group++) {
        if (SERIES_GROUP_COLUMNS[group].has_total) {
            view_row(series, &series->totals[group], view);
        }
    }
    while (map_next(series->rows, &cursor)) {
        view_row(series, cursor.value, view);
    }
    qsort(view->rows, view->row_count, sizeof *view->rows, compare_series_rows);
    return view;
}

static void view_second(const struct series_row *from, bool is_total, uint64_t second,
                        struct series_view *view)
{
    struct series_row_view *row = &view->rows[view->row_count++];
    *row = (struct series_row_view){
        .group = from->group, .is_total = is_total, .name = text_copy(from->name.bytes)};
    row->values = memory_new(series_column_count(from->group) + 1, sizeof *row->values);
    view_point(view, row, 0, &from->open[second % SERIES_OPEN_S]);
}

struct series_view *series_view_of_second(const struct series *series, uint64_t second)
{
    struct series_view *view = MEMORY_NEW(struct series_view);
    struct map_cursor cursor = {0};
    view->point_s = 1;
    view->points = 1;
    view->rows = memory_new(SERIES_GROUP_COUNT + map_size(series->rows), sizeof *view->rows);
    for (int group = 0; group < SERIES_GROUP_COUNT; group++) {
        if (SERIES_GROUP_COLUMNS[group].has_total) {
            view_second(&series->totals[group], true, second, view);
        }
    }
    while (map_next(series->rows, &cursor)) {
        view_second(cursor.value, false, second, view);
    }
    qsort(view->rows, view->row_count, sizeof *view->rows, compare_series_rows);
    return view;
}

void series_view_free(struct series_view **at)
{
    struct series_view *view = *at;
    if (view == NULL) {
        return;
    }
    for (size_t i = 0; i < view->row_count; i++) {
        text_finish(&view->rows[i].name);
        memory_free(view->rows[i].values);
    }
    memory_free(view->rows);
    memory_free(view);
    *at = NULL;
}
