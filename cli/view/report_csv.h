/* A report as tables of comma-separated values (RFC 4180, with newlines). Each has a line of headings. Pure.
 */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"
#include "coordinator/core/series/series_view.h"

/* One line for each number of the campaign: key, value. */
void report_csv_summary(const struct report_view *report, struct buffer *text);
/* One line for each request, timing, scenario and group. */
void report_csv_requests(const struct report_view *report, struct buffer *text);
/* One line for what is counted by tag. */
void report_csv_tags(const struct report_view *report, struct buffer *text);
/* One line for each point and row; what a row does not count is left empty. */
void report_csv_series(const struct series_view *series, struct buffer *text);
