/* The one line that tells how a campaign is getting on. Pure. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

/* What is remembered from one line to the next, for the rate. Zero it to begin with. */
struct live_line {
    uint64_t running_ns;
    uint64_t requests;
};

/* Appends "0:12  5 workers  120 ok  0 failed  86.0/s  p95 3.20 ms  4 wait for the writer of pad@12". */
void live_line_compose(struct live_line *last, const struct report_view *report, struct buffer *line);
