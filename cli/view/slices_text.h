/* Groups, and what is counted by tag, for a person. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

/* Appends nothing if there are none. */
void slices_text(const struct report_view *report, bool has_colour, struct buffer *text);
