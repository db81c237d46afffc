/* A campaign's report with something of everything, for the tests of what shows it. */
#pragma once
#include "coordinator/core/report/report.h"

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
