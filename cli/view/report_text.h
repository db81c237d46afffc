/* The report of a campaign for a person: aligned tables of at most 100 columns. Pure. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

#define REPORT_TEXT_MAX_BYTES (4u * 1024u * 1024u)

void report_text(const struct report_view *report, bool has_colour, struct buffer *text);
