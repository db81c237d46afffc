/* The page of a report in one file, which cmake/bundle_report.py writes: the views of the dashboard, without
 * its data. It needs no network and runs nothing but its own script. */
#pragma once
#include "common/bytes.h"

/* Between the two is the data, as JSON in which no "<" is. */
extern const struct bytes report_page_before;
extern const struct bytes report_page_after;
