/* The report of a campaign as JSON: one object, whoever asks for it. */
#pragma once
#include "common/attributes.h"
#include "coordinator/core/report/report.h"

struct json_t;

/* `begun_wall_ns`: when the workers began, nanoseconds since 1970; 0 if they never did. The caller's to
 * json_decref. */
MUST_CHECK struct json_t *report_json_object(const struct campaign_report *report, uint64_t begun_wall_ns);
/* The same as text for memory_free. */
MUST_CHECK char *report_json(const struct campaign_report *report, uint64_t begun_wall_ns);
/* {"zone": "a"}, of labels that were checked. */
MUST_CHECK struct json_t *report_json_labels(struct bytes labels);
