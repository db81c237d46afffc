/* The metrics of a campaign for OTLP over HTTP, as JSON: cumulative since the workers began. */
#pragma once
#include "common/attributes.h"
#include "coordinator/core/report_view/report_view.h"

/* For memory_free. `wall_ns` is the time of the points, since 1970. */
MUST_CHECK char *otlp_json(const struct report_view *report, uint64_t wall_ns);
