/* The report of a campaign, or how it is getting on, put together again from what the API says: so that the
 * live line and the report look the same wherever the coordinator is. Pure. */
#pragma once
#include "coordinator/core/report/report.h"

#include <jansson.h>

struct control_report;

/* `object` is that of /v1/campaigns/ID, …/report or of an event; kept until the end. Never NULL: what is
 * missing in it, the report does not have. */
MUST_CHECK struct control_report *control_report_new(json_t *object);
void control_report_free(struct control_report **report);
const struct campaign_report *control_report_get(const struct control_report *report);
