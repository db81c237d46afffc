/* How a campaign's plan was kept, for a person. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

/* Appends nothing where steps begin as soon as they can. */
void load_text(const struct report_view *report, struct buffer *text);
