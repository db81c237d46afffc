/* A series as plain numbers: what JSON and CSV are made of. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/text.h"
#include "coordinator/core/series/series_group.h"

#include <stdint.h>

struct series;

/* The counters of the group; then, where it has them, p50, p95, p99 and maximum in microseconds. */
#define SERIES_MAX_COLUMNS (SERIES_COUNTERS + 4u)
/* A latency where there was none. */
#define SERIES_NONE UINT64_MAX

struct series_row_view {
    enum series_group group;
    bool is_total;
    struct text name; /* empty for a total */
    uint64_t *values; /* column after column, each as long as the series */
};

struct series_view {
    uint64_t point_s;             /* seconds that a point stands for */
    size_t points;                /* of each row; the last one may be incomplete */
    struct series_row_view *rows; /* the totals by group, then those with names by group and name */
    size_t row_count;
};

/* Of NULL: an empty one. */
MUST_CHECK struct series_view *series_view_of(const struct series *series);
/* Of one open second, as a single point. Failures that were taken back may make `failed` negative, as a
 * number of two's complement: they count in an earlier second. */
MUST_CHECK struct series_view *series_view_of_second(const struct series *series, uint64_t second);
/* NULLs the pointer; tolerates NULL. */
void series_view_free(struct series_view **view);

size_t series_column_count(enum series_group group);
/* `index` is less than that. */
struct series_column series_column(enum series_group group, size_t index);
