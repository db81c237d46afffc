/* A report as Markdown with tables, for a page of a merge request or of a build. Pure. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

/* What would be markup, or end a cell, is escaped. */
void report_markdown_text(struct buffer *text, struct bytes plain);
void report_markdown(const struct report_view *report, struct buffer *text);
