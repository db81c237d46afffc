/* A report as JUnit's XML, for systems that show test cases. Pure. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

/* One test case for the verdict, each scenario, each check and each threshold. */
void report_junit(const struct report_view *report, struct buffer *text);
