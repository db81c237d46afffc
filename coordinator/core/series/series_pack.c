/* A series as bytes, and back. */
#include "coordinator/core/series/series_inside.h"

#include "common/memory.h"
#include "proto/message/limits.h"

#include <assert.h>

static_assert(sizeof(struct series) == 12 * sizeof(struct series_row) + 344 &&
                  sizeof(struct series_row) == 136 + SERIES_OPEN_S * sizeof(struct series_point) &&
                  sizeof(struct series_point) == 64,
              "what is packed here has to know each field");

static void point_pack(const struct series_point *point, struct buffer *into)
{
    for (size_t i = 0; i < SERIES_COUNTERS; i++) {
        pack_number(into, point->counters[i]);
    }
    sketch_pack(&point->sketch, into);
}

static void point_unpack(struct series_point *point, struct unpack *from)
{
    for (size_t i = 0; i < SERIES_COUNTERS; i++) {
        point->counters[i] = unpack_number(from);
    }
    sketch_unpack(&point->sketch, from);
}

static void series_row_pack(const struct series_row *row, struct buffer *into)
{
    pack_bytes(into, buffer_bytes(&row->packed));
    pack_number(into, row->empties);
    point_pack(&row->filling, into);
    for (size_t i = 0; i < SERIES_OPEN_S; i++) {
        point_pack(&row->open[i], into);
    }
}

/* Whether its packed points are as many as there should be. */
static bool series_row_is_whole(const struct series_row *row, uint64_t points)
{
    struct series_cursor cursor;
    uint64_t count = 0;
    series_cursor_init(&cursor, row);
    while (count <= points && series_cursor_next(&cursor)) {
        count++;
    }
    bool is_whole = count == points && !cursor.from.is_broken;
    series_cursor_finish(&cursor);
    return is_whole;
}

static void series_row_unpack(struct series *series, struct series_row *row, struct unpack *from)
{
    struct bytes packed = unpack_bytes(from);
    buffer_clear(&row->packed);
    (void)buffer_append(&row->packed, packed.data, packed.size);
    row->empties = unpack_bounded(from, SERIES_POINTS);
    point_unpack(&row->filling, from);
    for (size_t i = 0; i < SERIES_OPEN_S; i++) {
        point_unpack(&row->open[i], from);
        series->is_used[i] = series->is_used[i] || !series_point_is_empty(&row->open[i]);
    }
    series->packed_bytes += packed.size;
    if (!from->is_broken && !series_row_is_whole(row, series->points)) {
        unpack_break(from);
    }
}

void series_pack(const struct series *series, struct buffer *into)
{
    struct map_cursor cursor = {0};
    pack_number(into, series->point_s);
    pack_number(into, series->points);
    pack_number(into, series->seconds);
    for (int group = 0; group < SERIES_GROUP_COUNT; group++) {
        series_row_pack(&series->totals[group], into);
    }
    pack_number(into, map_size(series->rows));
    while (map_next(series->rows, &cursor)) {
        const struct series_row *row = cursor.value;
        pack_number(into, row->group);
        pack_bytes(into, row->name.bytes);
        series_row_pack(row, into);
    }
}

static void series_rows_unpack(struct series *series, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, (uint64_t)SERIES_GROUP_COUNT * SERIES_NAMES);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        enum series_group group = (enum series_group)unpack_bounded(from, SERIES_GROUP_COUNT - 1);
        struct bytes name = unpack_bytes(from);
        if (from->is_broken || name.size > LIMIT_NAME_BYTES || series_find_row(series, group, name) != NULL) {
            unpack_break(from);
            return;
        }
        series_row_unpack(series, series_add_row(series, group, name), from);
    }
}

struct series *series_unpack(struct unpack *from)
{
    struct series *series = series_new();
    series->point_s = unpack_number(from);
    series->points = unpack_bounded(from, SERIES_POINTS - 1);
    series->seconds = unpack_number(from);
    if (series->point_s == 0 || series->points > series->seconds / series->point_s) {
        unpack_break(from);
    }
    for (int group = 0; group < SERIES_GROUP_COUNT && !from->is_broken; group++) {
        series_row_unpack(series, &series->totals[group], from);
    }
    series_rows_unpack(series, from);
    if (from->is_broken) {
        series_free(&series);
    }
    return series;
}
