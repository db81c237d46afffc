/* What readers saw of edits, for a person: of the report. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report/report.h"

void report_seen_text(const struct campaign_report *report, bool has_colour, struct buffer *text);
