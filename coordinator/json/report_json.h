/* The report of a campaign as JSON, and back: the same object for all who ask. */
#pragma once
#include "coordinator/core/report_view/report_view.h"

#include <jansson.h>

/* These are the caller's to json_decref. */
MUST_CHECK json_t *report_json_object(const struct report_view *report);
/* What a list of campaigns says of each. */
MUST_CHECK json_t *report_json_summary(const struct report_view *report);
/* How it is getting on. */
MUST_CHECK json_t *report_json_live(const struct report_view *report);
/* {"zone": "a"}, of labels that were checked. */
MUST_CHECK json_t *report_json_labels(struct bytes labels);

/* The report as text for memory_free. */
MUST_CHECK char *report_json(const struct report_view *report);

/* What a report or a live object says, for report_view_free. What is missing in it, the view does not have;
 * without a state, a campaign that has no verdict counts as running. */
MUST_CHECK struct report_view *report_json_read(const json_t *object);
