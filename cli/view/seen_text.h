/* What readers saw of edits, for a person: of the report. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

void seen_text(const struct report_view *report, bool has_colour, struct buffer *text);
