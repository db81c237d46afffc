/* The inside of campaign_statistics, shared by its files. */
#pragma once
#include "common/buffer.h"
#include "common/map.h"
#include "common/text.h"
#include "coordinator/core/report/scenarios.h"
#include "coordinator/core/report/slices.h"
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

struct check_total {
    struct text name;
    struct text text;
    struct check_report report;
};

struct error_total {
    struct text key;
    struct text text;
    struct text scenario;
    struct text agent;
    struct error_report report;
};

struct campaign_statistics {
    uint64_t steps_ok;
    uint64_t steps_failed;
    uint64_t steps_failed_by_loss;
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
    struct map *checks;
    struct scenario_totals *scenarios;
    struct slice_totals *slices;
    /* Arrays of the latest report. */
    struct request_report *request_reports;
    struct wait_report *wait_reports;
    struct error_report *error_reports;
    struct websocket_report *websocket_reports;
    struct check_report *check_reports;
    size_t request_capacity;
    size_t wait_capacity;
    size_t error_capacity;
    size_t websocket_capacity;
    size_t check_capacity;
};

/* statistics.c */
/* The key is a number, which tells kinds apart, followed by the name. Finds the entry, or that of "(other)"
 * when the map is full; NULL: the caller has to add one under `*key` and `*name`. */
void *statistics_find_entry(const struct map *map, uint8_t number, struct bytes *name, struct buffer *key);

/* NULL: it was not added. */
struct error_total *statistics_find_error(const struct campaign_statistics *statistics,
                                          const struct error_statistics *error);
void statistics_note_error(struct error_total *total, uint64_t first_s, uint64_t last_s, struct bytes agent);

/* statistics_checks.c */
void statistics_merge_check(struct campaign_statistics *statistics, const struct check_statistics *from,
                            struct buffer *key);
void statistics_report_checks(struct campaign_statistics *statistics, struct campaign_report *report);
void statistics_free_checks(struct campaign_statistics *statistics);
void statistics_pack_checks(const struct campaign_statistics *statistics, struct buffer *into);
void statistics_unpack_checks(struct campaign_statistics *statistics, struct unpack *from);
