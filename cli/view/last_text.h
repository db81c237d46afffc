/* Who came last to barriers and notifiers, for a person. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

/* Appends nothing if nobody has waited for another. */
void last_text(const struct report_view *report, bool has_colour, struct buffer *text);
/* "worker 3 (agent-2, 9 of 12, 4.20 s), worker 1 (…)": the first `shown` of them. */
void last_text_workers(const struct last_view *last, size_t shown, struct buffer *text);
