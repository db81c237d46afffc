/* The scenarios of a campaign for a person. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

/* Appends nothing if all steps are of one scenario. */
void scenario_text(const struct report_view *report, bool has_colour, struct buffer *text);
