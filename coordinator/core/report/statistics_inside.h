/* The inside of campaign_statistics, shared by its files. */
#pragma once
#include "common/buffer.h"
#include "common/map.h"
#include "common/text.h"
#include "coordinator/core/report/scenarios.h"
#include "coordinator/core/report/statistics.h"

#define STATISTICS_KEY_BYTES (LIMIT_TEXT_BYTES + 16u)

/* The entries of the maps: what the report shows, and the name and histogram that it has views of. */
struct request_total {
    struct text name;
    struct request_report report;
    struct histogram *latency_us;
    struct histogram *response_us;                   /* NULL until one is reported */
    struct histogram *phase_us[REQUEST_PHASE_COUNT]; /* NULL until one is reported */
};

struct wait_total {
    struct text name;
    struct wait_report report;
    struct histogram *waited_us;
};

struct websocket_total {
    struct text name;
    struct websocket_report report;
    struct histogram *handshake_us;
    struct histogram *ping_us;
    struct histogram *queued_us;
};

struct error_total {
    struct text key;
    struct text text;
    struct text scenario;
    struct error_report report;
};

struct campaign_statistics {
    uint64_t steps_ok;
    uint64_t steps_failed;
    uint64_t steps_stopped;
    uint64_t steps_lost;
    uint64_t requests_total;
    uint64_t arrivals;
    uint64_t dropped;
    size_t left_bytes; /* by which the histograms may still grow */
    struct histogram *step_us;
    struct histogram *request_latency_us;
    struct histogram *late_us; /* NULL until one is reported, as the next two */
    struct histogram *response_us;
    struct histogram *request_response_us;
    struct map *requests;
    struct map *waits;
    struct map *errors;
    struct map *websockets;
    struct scenario_totals *scenarios;
    /* Arrays of the latest report. */
    struct request_report *request_reports;
    struct wait_report *wait_reports;
    struct error_report *error_reports;
    struct websocket_report *websocket_reports;
    size_t request_capacity;
    size_t wait_capacity;
    size_t error_capacity;
    size_t websocket_capacity;
};
