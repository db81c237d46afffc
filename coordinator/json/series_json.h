/* The numbers of a campaign second by second as JSON, and back. */
#pragma once
#include "common/bytes.h"
#include "coordinator/core/series/series_view.h"

#include <jansson.h>

/* An object in one line, for memory_free: a column is an array. It may be large, so it is written as text. */
MUST_CHECK char *series_json(const struct series_view *view);
/* The same without the rows with names in which nothing was counted. */
MUST_CHECK char *series_json_of_counted(const struct series_view *view);
/* What such an object says, for series_view_free; what is missing in it, the view does not have. */
MUST_CHECK struct series_view *series_json_read(const json_t *object);

/* The report as text for memory_free, indented, with the series under its key. `series` is such an object;
 * NULL: left out. */
MUST_CHECK char *report_json_with_series(const json_t *report, const char *series);
