/* The line that shows the progress of a campaign. Pure. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

/* The numbers of the last line, for the rate. Zeroed at the beginning. */
struct live_line {
    uint64_t running_ns;
    uint64_t requests;
    uint64_t messages; /* of WebSockets, in and out */
};

/* Appends "0:12  5 workers  120 ok  0 failed  86.0/s  p95 3.20 ms  4 wait for the writer of pad@12". */
void live_line_compose(struct live_line *last, const struct report_view *report, struct buffer *line);
