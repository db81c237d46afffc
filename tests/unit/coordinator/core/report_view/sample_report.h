/* A report to make views of. */
#pragma once
#include "coordinator/core/report/report.h"
#include "coordinator/core/report_view/report_view.h"

#define S 1000000000u

extern const struct campaign_options OPTIONS;
/* With these, of campaign 3, whose workers began at 40 s and have run for 20 s. */
struct campaign_report running_report(void);
/* 1 to 1000 µs, each once. To be freed by the caller. */
struct histogram *to_a_thousand(void);
void assert_quantiles(const struct quantiles *found, const struct quantiles *wanted);

extern const struct quantiles NOTHING;
/* Of to_a_thousand: the four that most have, and all of them. */
extern const struct quantiles FEW;
extern const struct quantiles ALL;
