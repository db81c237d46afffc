/* What readers saw of edits, as JSON: of the report. */
#pragma once
#include "coordinator/core/report/report.h"

#include <jansson.h>

/* By name: how long it took until they saw it. */
MUST_CHECK json_t *report_seen_json(const struct campaign_report *report);
/* By name: whether they saw the same, of those notifiers whose readers told what they saw. */
MUST_CHECK json_t *report_convergence_json(const struct campaign_report *report);
