/* Who came last, as a report shows it. */
#pragma once
#include "coordinator/core/report_view/report_view.h"

/* Fills `last` of the view, which has its agents. */
void last_view_fill(struct report_view *view, const struct campaign_report *report);
