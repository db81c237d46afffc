/* One row of a series. */
#include "coordinator/core/series/series_row.h"

#include <stdint.h>

/* A row cannot reach it: the whole series is halved before. */
#define SERIES_ROW_BYTES ((size_t)1024 * 1024 * 1024)

/* Before each packed point, or instead of some. */
enum { SERIES_TOKEN_EMPTIES, SERIES_TOKEN_POINT };

void series_point_finish(struct series_point *point)
{
    sketch_finish(&point->sketch);
}

void series_point_clear(struct series_point *point)
{
    for (size_t i = 0; i < SERIES_COUNTERS; i++) {
        point->counters[i] = 0;
    }
    sketch_clear(&point->sketch);
}

bool series_point_is_empty(const struct series_point *point)
{
    for (size_t i = 0; i < SERIES_COUNTERS; i++) {
        if (point->counters[i] > 0) {
            return false;
        }
    }
    return point->sketch.used == 0;
}

void series_point_merge(struct series_point *into, const struct series_point *from, enum series_group group)
{
    for (size_t i = 0; i < SERIES_COUNTERS; i++) {
        if (!SERIES_GROUP_COLUMNS[group].counters[i].is_maximum) {
            into->counters[i] += from->counters[i];
        } else if (from->counters[i] > into->counters[i]) {
            into->counters[i] = from->counters[i];
        }
    }
    sketch_merge(&into->sketch, &from->sketch);
}

void series_row_init(struct series_row *row, enum series_group group, struct bytes name, uint64_t points)
{
    *row = (struct series_row){.group = group, .name = text_copy(name), .empties = points};
    buffer_init(&row->packed, SERIES_ROW_BYTES);
}

void series_row_finish(struct series_row *row)
{
    text_finish(&row->name);
    buffer_finish(&row->packed);
    series_point_finish(&row->filling);
    for (size_t i = 0; i < SERIES_OPEN_S; i++) {
        series_point_finish(&row->open[i]);
    }
}

static void series_row_append(struct series_row *row, const struct series_point *point)
{
    if (series_point_is_empty(point)) {
        row->empties++;
        return;
    }
    if (row->empties > 0) {
        pack_number(&row->packed, SERIES_TOKEN_EMPTIES);
        pack_number(&row->packed, row->empties);
        row->empties = 0;
    }
    pack_number(&row->packed, SERIES_TOKEN_POINT);
    for (size_t i = 0; i < SERIES_GROUP_COLUMNS[row->group].counter_count; i++) {
        pack_number(&row->packed, point->counters[i]);
    }
    sketch_pack(&point->sketch, &row->packed);
}

void series_row_pack_point(struct series_row *row)
{
    series_row_append(row, &row->filling);
    series_point_clear(&row->filling);
}

/* An empty row that is to replace this one. */
static struct series_row series_row_begin_copy(const struct series_row *row)
{
    struct series_row copy = {.group = row->group};
    buffer_init(&copy.packed, SERIES_ROW_BYTES);
    return copy;
}

/* Takes over the packed points of the copy. */
static void series_row_take_copy(struct series_row *row, struct series_row *copy)
{
    buffer_finish(&row->packed);
    row->packed = copy->packed;
    row->empties = copy->empties;
}

void series_row_halve(struct series_row *row)
{
    struct series_row copy = series_row_begin_copy(row);
    struct series_point rest = row->filling;
    struct series_cursor cursor;
    bool is_half = false;
    row->filling = (struct series_point){0};
    series_cursor_init(&cursor, row);
    while (series_cursor_next(&cursor)) {
        series_point_merge(&row->filling, &cursor.point, row->group);
        if (is_half) {
            series_row_append(&copy, &row->filling);
            series_point_clear(&row->filling);
        }
        is_half = !is_half;
    }
    series_cursor_finish(&cursor);
    series_point_merge(&row->filling, &rest, row->group);
    series_point_finish(&rest);
    series_row_take_copy(row, &copy);
}

void series_row_amend(struct series_row *row, uint64_t index, const struct series_point *more)
{
    struct series_row copy = series_row_begin_copy(row);
    struct series_cursor cursor;
    series_cursor_init(&cursor, row);
    for (uint64_t i = 0; series_cursor_next(&cursor); i++) {
        if (i == index) {
            series_point_merge(&cursor.point, more, row->group);
        }
        series_row_append(&copy, &cursor.point);
    }
    series_cursor_finish(&cursor);
    series_row_take_copy(row, &copy);
}

void series_cursor_init(struct series_cursor *cursor, const struct series_row *row)
{
    *cursor = (struct series_cursor){
        .group = row->group, .from = unpack_of(buffer_bytes(&row->packed)), .empties_after = row->empties};
}

void series_cursor_finish(struct series_cursor *cursor)
{
    series_point_finish(&cursor->point);
}

static void series_point_unpack(struct series_point *point, enum series_group group, struct unpack *from)
{
    for (size_t i = 0; i < SERIES_GROUP_COLUMNS[group].counter_count; i++) {
        point->counters[i] = unpack_number(from);
    }
    sketch_unpack(&point->sketch, from);
}

bool series_cursor_next(struct series_cursor *cursor)
{
    series_point_clear(&cursor->point);
    if (cursor->empties == 0 && cursor->from.left.size == 0) {
        cursor->empties = cursor->empties_after;
        cursor->empties_after = 0;
        if (cursor->empties == 0) {
            return false;
        }
    }
    if (cursor->empties == 0) {
        if (unpack_bounded(&cursor->from, SERIES_TOKEN_POINT) == SERIES_TOKEN_POINT) {
            series_point_unpack(&cursor->point, cursor->group, &cursor->from);
            return !cursor->from.is_broken;
        }
        cursor->empties = unpack_number(&cursor->from);
    }
    cursor->empties--;
    return !cursor->from.is_broken;
}
