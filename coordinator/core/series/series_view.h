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
    uint64_t since_s;             /* the second with which the first point begins */
    uint64_t point_s;             /* seconds that a point stands for */
    size_t points;                /* of each row; the last one may be incomplete */
    struct series_row_view *rows; /* the totals by group, then those with names by group and name */
    size_t row_count;
};

/* Which rows beside the totals. All zero: all of them. */
struct series_choice {
    bool is_totals;          /* none */
    struct bytes name;       /* not empty: that of this name alone, */
    enum series_group group; /* in this group */
};

/* Of NULL: an empty one. */
MUST_CHECK struct series_view *series_view_of(const struct series *series);
MUST_CHECK struct series_view *series_view_chosen(const struct series *series,
                                                  const struct series_choice *choice);
/* Without the other rows. */
void series_view_choose(struct series_view *view, const struct series_choice *choice);
/* Without the points that are over at that second. */
void series_view_cut(struct series_view *view, uint64_t since_s);
/* Of one open second, as a single point. Failures that were taken back may make `failed` negative, as a
 * number of two's complement: they count in an earlier second. */
MUST_CHECK struct series_view *series_view_of_second(const struct series *series, uint64_t second);
/* Of the open seconds from `first` up to the one before `end`, a point each. Failures that were taken back
 * count in an earlier one of them: see series_changed_from. */
MUST_CHECK struct series_view *series_view_of_seconds(const struct series *series, uint64_t first,
                                                      uint64_t end);
/* The first open second whose numbers change with those of the seconds from `first` on: an earlier one where
 * failures were taken back that counted there. */
uint64_t series_changed_from(const struct series *series, uint64_t first, uint64_t end);
/* Whether nothing was counted in any point of the row. */
bool series_row_view_is_empty(const struct series_view *view, const struct series_row_view *row);
/* NULLs the pointer; tolerates NULL. */
void series_view_free(struct series_view **view);

size_t series_column_count(enum series_group group);
/* `index` is less than that. */
struct series_column series_column(enum series_group group, size_t index);
