/* A report as Markdown with tables, for a page of a merge request or of a build. Pure. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

void report_markdown(const struct report_view *report, struct buffer *text);
