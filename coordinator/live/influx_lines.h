/* The line protocol of InfluxDB: a line for each row of a second, with the time when it began. */
#pragma once
#include "coordinator/live/line_text.h"

/* A second that is sent again replaces itself: the same measurement, tags and time. */
void influx_lines_second(const struct live_second *second, struct buffer *into);
void influx_lines_thresholds(const struct report_view *report, uint64_t wall_ns, struct buffer *into);
