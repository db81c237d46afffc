/* The slowest requests that carried a trace, for a person. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

/* The slowest of each name; appends nothing where no request had a trace. */
void trace_text(const struct report_view *report, bool has_colour, struct buffer *text);
