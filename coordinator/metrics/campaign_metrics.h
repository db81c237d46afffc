/* The metrics of campaigns, by one table of families. Pure. */
#pragma once
#include "coordinator/metrics/metric.h"

/* Names of one kind (requests, scenarios, checks …) of one campaign that are shown by themselves. Requests
 * and timings beyond these are shown together as METRICS_OTHER; of the other kinds they are left out. */
#define METRICS_NAMES 200u
#define METRICS_OTHER "(other)"

void campaign_metrics_give(const struct report_view *const *reports, size_t count,
                           const struct metric_sink *sink);
/* How many names of this campaign are not shown by themselves. */
uint64_t campaign_metrics_left_out(const struct report_view *report);
