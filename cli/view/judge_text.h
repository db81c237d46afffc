/* Thresholds and checks, for a person. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

/* Appends nothing where there are none. */
void judge_text_thresholds(const struct report_view *report, bool has_colour, struct buffer *text);
void judge_text_checks(const struct report_view *report, bool has_colour, struct buffer *text);
