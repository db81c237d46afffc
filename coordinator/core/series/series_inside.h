/* The inside of a series, shared by its files. */
#pragma once
#include "common/map.h"
#include "coordinator/core/series/series.h"
#include "coordinator/core/series/series_row.h"

struct series {
    struct series_row totals[SERIES_GROUP_COUNT]; /* empty where a group has none */
    struct map *rows;                             /* group and name → struct series_row */
    size_t names[SERIES_GROUP_COUNT];             /* rows with names */
    uint64_t point_s;
    uint64_t points;                   /* packed ones, of each row */
    uint64_t seconds;                  /* one more than the latest second */
    size_t packed_bytes;               /* of all rows */
    bool is_used[SERIES_OPEN_S];       /* open seconds in which any row has something */
    uint64_t revisions[SERIES_OPEN_S]; /* of the open seconds; not packed */
    struct series_point more;          /* what is being added */
};

/* series.c */
/* NULL: there is none of this name, which is not too long. */
struct series_row *series_find_row(const struct series *series, enum series_group group, struct bytes name);
/* Adds a row of this name; there is none yet. */
struct series_row *series_add_row(struct series *series, enum series_group group, struct bytes name);
