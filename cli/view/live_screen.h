/* The lines that show the progress of a campaign on a terminal: last minute, workers, thresholds, waits,
 * agents. Pure. */
#pragma once
#include "cli/view/live_history.h"
#include "cli/view/screen.h"
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

#define LIVE_SCREEN_MAX_BYTES (32u * 1024u)

/* Appends lines that each end with a newline and take less than `area->columns`, at most `area->rows` of
 * them. Returns how many. */
size_t live_screen_compose(const struct live_history *history, const struct report_view *report,
                           const struct screen_area *area, struct buffer *text);
