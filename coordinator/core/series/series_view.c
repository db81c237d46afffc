/* A series as plain numbers. */
#include "coordinator/core/series/series_view.h"

#include "common/memory.h"
#include "coordinator/core/series/series_inside.h"

#include <stdlib.h>
#include <string.h>

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

static bool choice_takes(const struct series_choice *choice, enum series_group group, bool is_total,
                         struct bytes name)
{
    bool is_this = choice->name.size == 0 || (group == choice->group && bytes_equal(name, choice->name));
    return is_total || (is_this && !choice->is_totals);
}

struct series_view *series_view_of(const struct series *series)
{
    return series_view_chosen(series, &(struct series_choice){0});
}

struct series_view *series_view_chosen(const struct series *series, const struct series_choice *choice)
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
        const struct series_row *row = cursor.value;
        if (choice_takes(choice, row->group, false, row->name.bytes)) {
            view_row(series, row, view);
        }
    }
    qsort(view->rows, view->row_count, sizeof *view->rows, compare_series_rows);
    return view;
}

static void row_view_finish(struct series_row_view *row)
{
    text_finish(&row->name);
    memory_free(row->values);
}

void series_view_choose(struct series_view *view, const struct series_choice *choice)
{
    size_t count = 0;
    for (size_t i = 0; i < view->row_count; i++) {
        struct series_row_view *row = &view->rows[i];
        if (choice_takes(choice, row->group, row->is_total, row->name.bytes)) {
            view->rows[count++] = *row;
        } else {
            row_view_finish(row);
        }
    }
    view->row_count = count;
}

void series_view_cut(struct series_view *view, uint64_t since_s)
{
    uint64_t over = since_s > view->since_s ? (since_s - view->since_s) / view->point_s : 0;
    size_t cut = over < view->points ? (size_t)over : view->points;
    size_t left = view->points - cut;
    for (size_t i = 0; i < view->row_count; i++) {
        uint64_t *values = view->rows[i].values;
        for (size_t column = 0; column < series_column_count(view->rows[i].group); column++) {
            memmove(values + column * left, values + column * view->points + cut, left * sizeof *values);
        }
    }
    view->points = left;
    view->since_s += cut * view->point_s;
}

bool series_row_view_is_empty(const struct series_view *view, const struct series_row_view *row)
{
    size_t counted = SERIES_GROUP_COLUMNS[row->group].counter_count * view->points;
    for (size_t i = 0; i < counted; i++) {
        if (row->values[i] != 0) {
            return false;
        }
    }
    return true;
}

static void view_seconds(const struct series_row *from, bool is_total, struct series_view *view)
{
    struct series_row_view *row = &view->rows[view->row_count++];
    *row = (struct series_row_view){
        .group = from->group, .is_total = is_total, .name = text_copy(from->name.bytes)};
    row->values = memory_new(series_column_count(from->group) * view->points + 1, sizeof *row->values);
    for (size_t i = 0; i < view->points; i++) {
        view_point(view, row, i, &from->open[(view->since_s + i) % SERIES_OPEN_S]);
    }
}

static struct series_view *view_of_open(const struct series *series, uint64_t first, uint64_t end)
{
    struct series_view *view = MEMORY_NEW(struct series_view);
    struct map_cursor cursor = {0};
    view->since_s = first;
    view->point_s = 1;
    view->points = (size_t)(end - first);
    view->rows = memory_new(SERIES_GROUP_COUNT + map_size(series->rows), sizeof *view->rows);
    for (int group = 0; group < SERIES_GROUP_COUNT; group++) {
        if (SERIES_GROUP_COLUMNS[group].has_total) {
            view_seconds(&series->totals[group], true, view);
        }
    }
    while (map_next(series->rows, &cursor)) {
        view_seconds(cursor.value, false, view);
    }
    qsort(view->rows, view->row_count, sizeof *view->rows, compare_series_rows);
    return view;
}

struct series_view *series_view_of_second(const struct series *series, uint64_t second)
{
    return view_of_open(series, second, second + 1);
}

struct series_view *series_view_of_seconds(const struct series *series, uint64_t first, uint64_t end)
{
    struct series_view *view = view_of_open(series, first, end);
    for (size_t i = 0; i < view->row_count; i++) {
        if (view->rows[i].group == SERIES_REQUESTS) {
            view_forgiven(view->rows[i].values + view->points, view->points);
        }
    }
    return view;
}

/* What is left of the failures that were taken back when the second has counted them. */
static int64_t row_debt(const struct series_row *row, uint64_t second, int64_t debt)
{
    debt += (int64_t)row->open[second % SERIES_OPEN_S].counters[1];
    return debt < 0 ? debt : 0;
}

static uint64_t row_changed_from(const struct series_row *row, struct series_seconds changed,
                                 uint64_t open_from)
{
    int64_t debt = 0;
    uint64_t first = changed.end;
    while (first > open_from && (first > changed.first || debt < 0)) {
        first--;
        debt = row_debt(row, first, debt);
    }
    return first < changed.first ? first : changed.first;
}

uint64_t series_changed_from(const struct series *series, uint64_t first, uint64_t end)
{
    uint64_t open_from = series_open_seconds(series).first;
    struct map_cursor cursor = {0};
    uint64_t from =
        row_changed_from(&series->totals[SERIES_REQUESTS], (struct series_seconds){first, end}, open_from);
    while (map_next(series->rows, &cursor)) {
        const struct series_row *row = cursor.value;
        if (row->group == SERIES_REQUESTS) {
            uint64_t of_row = row_changed_from(row, (struct series_seconds){first, end}, open_from);
            from = of_row < from ? of_row : from;
        }
    }
    return from;
}

void series_view_free(struct series_view **at)
{
    struct series_view *view = *at;
    if (view == NULL) {
        return;
    }
    for (size_t i = 0; i < view->row_count; i++) {
        row_view_finish(&view->rows[i]);
    }
    memory_free(view->rows);
    memory_free(view);
    *at = NULL;
}
