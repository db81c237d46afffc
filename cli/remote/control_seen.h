/* What readers saw of edits, put together again from the report of the API. Pure. */
#pragma once
#include "common/histogram.h"
#include "coordinator/core/report/report.h"

#include <jansson.h>

struct control_seen;

/* `object` is the report; it has to live as long. `quantiles` makes a histogram of an item's quantiles, or of
 * none, and keeps it for `context`. */
typedef struct histogram *control_quantiles(void *context, const json_t *item);
MUST_CHECK struct control_seen *control_seen_new(const json_t *object, control_quantiles *quantiles,
                                                 void *context);
void control_seen_free(struct control_seen **seen);
/* Fills `seen` of the report. */
void control_seen_get(const struct control_seen *seen, struct campaign_report *report);
