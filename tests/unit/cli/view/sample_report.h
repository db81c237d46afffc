/* A campaign's report with something of everything, for the tests of what shows it. */
#pragma once
#include "coordinator/core/report/report.h"
#include "coordinator/core/report_view/report_view.h"

/* When its workers began, since 1970: 2023-11-14T22:13:20.123Z. */
#define SAMPLE_WALL_NS 1700000000123000000ULL

struct sample_report {
    struct campaign_options options;
    struct agent_report agents[2];
    struct request_report requests[2];
    struct wait_report waits[2];
    struct error_report errors[1];
    struct histogram *latency_us; /* 1 ms to 100 ms */
    struct histogram *empty;
    struct campaign_report report;
};

void sample_report_init(struct sample_report *sample);
void sample_report_finish(struct sample_report *sample);
/* What is shown of it as it is now; for report_view_free. */
struct report_view *sample_report_view(const struct sample_report *sample);
