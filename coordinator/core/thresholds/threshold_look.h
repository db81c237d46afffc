/* Where thresholds find their numbers: in the statistics of a campaign. */
#pragma once
#include "coordinator/core/report/statistics.h"
#include "coordinator/core/thresholds/thresholds.h"

/* The context of threshold_look. */
struct threshold_inputs {
    const struct campaign_statistics *statistics;
    const struct seen_report *seen;
    size_t seen_count;
    struct histogram *merged; /* of several names together; NULL until it is needed */
};
void threshold_inputs_finish(struct threshold_inputs *inputs);

/* For struct threshold_source. */
void threshold_look(void *inputs, const struct threshold *about, struct threshold_totals *totals);
