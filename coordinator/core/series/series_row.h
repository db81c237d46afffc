/* One row of a series: a few counters and a sketch for each point in time. The latest seconds are open, those
 * before are packed. Pure. */
#pragma once
#include "common/text.h"
#include "coordinator/core/series/series_group.h"
#include "coordinator/core/series/sketch.h"

struct series_point {
    uint64_t counters[SERIES_COUNTERS];
    struct sketch sketch;
};

void series_point_finish(struct series_point *point);
void series_point_clear(struct series_point *point);
bool series_point_is_empty(const struct series_point *point);
void series_point_merge(struct series_point *into, const struct series_point *from, enum series_group group);

struct series_row {
    enum series_group group;
    struct text name;                        /* empty: the total */
    struct buffer packed;                    /* points, one after the other */
    uint64_t empties;                        /* empty points after them, not packed yet */
    struct series_point filling;             /* of the point that follows these */
    struct series_point open[SERIES_OPEN_S]; /* by second modulo SERIES_OPEN_S */
};

/* A row that has had nothing for `points` points. */
void series_row_init(struct series_row *row, enum series_group group, struct bytes name, uint64_t points);
void series_row_finish(struct series_row *row);
/* The point that is being filled is complete: packs it. */
void series_row_pack_point(struct series_row *row);
/* Makes one point of two; the last one of an odd number is filled on. */
void series_row_halve(struct series_row *row);
/* Adds to a packed point. Rewrites the row. */
void series_row_amend(struct series_row *row, uint64_t index, const struct series_point *more);

/* The packed points in order, then nothing. */
struct series_cursor {
    enum series_group group;
    struct unpack from;
    uint64_t empties;       /* that follow before the next one of `from` */
    uint64_t empties_after; /* that follow the last of `from` */
    struct series_point point;
};
void series_cursor_init(struct series_cursor *cursor, const struct series_row *row);
void series_cursor_finish(struct series_cursor *cursor);
/* Sets `point`, until the next call. False after the last one, or where the bytes make no sense. */
MUST_CHECK bool series_cursor_next(struct series_cursor *cursor);
