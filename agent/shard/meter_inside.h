/* The maps of a meter. Private to meter.c and meter_take.c. */
#pragma once
#include "agent/shard/meter.h"
#include "common/map.h"
#include "common/text.h"

/* What is counted under a name, and the name, of which the counts have a view. */
struct request_entry {
    struct text name;
    struct request_statistics counts;
};

struct wait_entry {
    struct text name;
    struct wait_statistics counts;
};

struct error_entry {
    struct text key;
    struct text text;
    struct text scenario;
    struct error_statistics counts;
};

struct websocket_entry {
    struct text name;
    struct websocket_statistics counts;
    bool has_changed;
};

struct scenario_entry {
    struct text name;
    struct scenario_statistics counts;
};

struct meter {
    uint64_t steps[3]; /* by step_result */
    uint64_t failed_by_loss;
    struct histogram *step_us;
    struct histogram *late_us; /* NULL: nothing to report, as is the next one */
    struct histogram *response_us;
    uint64_t arrivals;
    uint64_t dropped; /* ever, and as reported last */
    uint64_t dropped_before;
    uint32_t workers_running; /* as reported last */
    struct map *requests;     /* "R" or "T" and the name → struct request_entry */
    struct map *waits;        /* kind and name → struct wait_entry */
    struct map *errors;       /* key → struct error_entry */
    struct map *checks;       /* of check_meter.h */
    struct map *websockets;   /* name → struct websocket_entry */
    struct map *scenarios;    /* name → struct scenario_entry */
    struct slice_meter *slices;
    struct request_entry *last_request; /* looked up last: often the next one too */
    struct wait_entry *last_wait;
    struct scenario_entry *last_scenario;
    bool has_changed;
};

/* With their map. */
void meter_free_errors(struct meter *meter);
