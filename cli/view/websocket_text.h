/* WebSocket connections, for a person: of the report. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

/* Nothing where there were none. */
void websocket_text(const struct report_view *report, bool has_colour, struct buffer *text);
