/* The lines of statsd: counters of what a second added, gauges of its percentiles. */
#pragma once
#include "coordinator/live/line_text.h"

/* `prefix` begins all names; {campaign} in it is the id of the campaign. */
void statsd_lines_second(const struct live_second *second, const char *prefix, struct buffer *into);
void statsd_lines_thresholds(const struct report_view *report, const char *prefix, struct buffer *into);
