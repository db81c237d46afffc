/* Shows the progress of a campaign: as a screen of several lines where there is a terminal with room for it,
 * else as one line. */
#pragma once
#include "cli/view/live_history.h"
#include "cli/view/screen.h"

struct live_view {
    struct live_history history; /* zeroed to begin with */
};

/* To be called with each report of a campaign that is running, and again when the terminal has changed. */
void live_view_show(struct live_view *view, struct screen *screen, const struct report_view *report);
