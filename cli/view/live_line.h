/* The line that shows the progress of a campaign. Pure. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

/* Appends "0:12  5 workers  120 ok  0 failed  last 10 s: 86.0 requests/s, p95 3.20 ms  4 wait for the writer
 * of pad@12". */
void live_line_compose(const struct report_view *report, struct buffer *line);
/* The same up to "0 failed". */
void live_line_append_head(const struct report_view *report, struct buffer *line);
