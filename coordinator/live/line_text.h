/* What the formats of lines share: one second of a series, column by column. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"
#include "coordinator/core/series/series_view.h"

/* One second of a campaign. */
struct live_second {
    const struct report_view *report;
    const struct series_view *now;
    const struct series_view *before; /* what was sent of this second before; NULL: nothing */
    uint64_t wall_ns;                 /* when it began, since 1970 */
    bool is_latest;
};

/* Whether anything happened in this row. */
bool line_row_is_used(const struct series_row_view *row);
/* Whether this is no sum, but the state of something: a maximum, a percentile. */
bool line_column_is_state(enum series_group group, size_t column);
/* False where nothing was measured. */
MUST_CHECK bool line_column_has_value(const struct series_row_view *row, size_t column);
/* `value` of a column, in the unit that its key names. */
void line_append_value(struct buffer *into, enum series_unit unit, int64_t value);
/* Whether that is a whole number. */
bool line_unit_is_whole(enum series_unit unit);
/* The row of the same group and name; NULL: there is none. `*from` is where to begin, and is moved on: rows
 * are asked for in their order. `view` may be NULL. */
const struct series_row_view *line_find_row(const struct series_view *view, const struct series_row_view *row,
                                            size_t *from);
/* "requests", or "requests_by_name" for a row with a name. */
void line_append_group(struct buffer *into, const struct series_row_view *row);
/* As it is, but what is no printable character or among `others` becomes an underscore. */
void line_append_name(struct buffer *into, struct bytes name, const char *others);
