/* The report of a campaign as the core has it, while it runs and when it has ended: texts and histograms are
 * borrowed. */
#pragma once
#include "common/histogram.h"
#include "coordinator/core/base/campaign_state.h"
#include "coordinator/core/report/artifacts.h"
#include "coordinator/core/report/report_rows.h"
#include "coordinator/core/report/threshold_result.h"
#include "coordinator/core/report/wait_crowd.h"
#include "coordinator/core/series/series.h"
#include "proto/message/campaign.h"
#include "proto/message/operation.h"
#include "proto/message/request_phase.h"
#include "proto/message/slice.h"
#include "proto/message/slow_traces.h"
#include "proto/message/websocket_count.h"

struct request_report {
    struct bytes name;
    bool is_timing;
    uint32_t ordinal; /* by when it was first heard of, among all of the campaign */
    uint64_t count;
    uint64_t failed;
    uint64_t received_bytes; /* of bodies */
    uint64_t sent_bytes;
    struct close_counts statuses;        /* of answers: HTTP's status codes, instead of those of an end */
    struct slow_traces slowest;          /* of those with traces */
    const struct histogram *latency_us;  /* of those that left */
    const struct histogram *response_us; /* the same from the intended start; NULL: there is none */
    const struct histogram *phase_us[REQUEST_PHASE_COUNT]; /* the same; NULL: not measured */
};

struct check_report {
    struct bytes name;
    uint64_t passed;
    uint64_t failed;
    struct bytes text; /* why the first one that is known to have failed did; empty: none has */
    uint32_t worker;   /* that had it */
    uint64_t step;
};

struct scenario_report {
    struct bytes name;
    uint64_t weight_milli;
    uint64_t steps_ok;
    uint64_t steps_failed;
    uint64_t steps_stopped;
    const struct histogram *step_us;
};

/* Of what has one name, that part which has this tag; and groups. */
struct slice_report {
    struct bytes name; /* empty: all requests with the tag */
    struct bytes tag;  /* "tier=gold", "{region=eu,tier=gold}"; empty: all of a group */
    uint64_t count;
    uint64_t failed;
    const struct histogram *us; /* checks have none */
    enum slice_kind kind;
};

struct wait_report {
    struct bytes name;
    enum operation_kind kind;
    uint64_t outcomes[OUTCOME_COUNT];
    const struct histogram *waited_us;
};

struct websocket_report {
    struct bytes name;
    uint64_t counts[WEBSOCKET_COUNTS];
    struct close_counts codes;
    const struct histogram *handshake_us; /* of those that were opened */
    const struct histogram *ping_us;
    const struct histogram *queued_us; /* from sending a message until the kernel had it */
};

struct divergence;

/* The sightings of a notifier that were made with one kind of browser. */
struct seen_part_report {
    struct bytes browser;
    uint64_t seen_count;
    uint64_t at_once;
    const struct histogram *seen_us;
};

/* Of the notifiers of one name: how long it took until readers saw an edit, and whether they saw the same. */
struct seen_report {
    struct bytes name;
    uint64_t seen_count;               /* sightings */
    const struct histogram *seen_us;   /* from the edit until one reader saw it */
    const struct histogram *spread_us; /* between the first and the last reader of a step */
    uint64_t uncertainty_us;           /* of these times, by the clocks of the hosts */
    uint64_t before_edit;              /* seen before the edit began, so counted as 0 */
    uint64_t at_once; /* already there when the reader began to look: in none of these numbers */
    const struct seen_part_report *parts; /* by browser, if there was more than one */
    size_t part_count;
    const struct last_seen *last; /* most frequent first */
    size_t last_count;
    uint64_t last_others;    /* times that it was a worker that is not counted by itself */
    uint64_t steps_compared; /* whose readers reported what they saw */
    uint64_t steps_diverged;
    uint64_t reads_compared;
    uint64_t reads_differed;
    const struct divergence *examples; /* the first ones */
    size_t example_count;
};

/* What a campaign was to hold by changing the number of its workers. */
struct goal_report {
    const struct threshold *threshold; /* NULL: it has none */
    const char *state;                 /* searching, held, missed */
    uint32_t workers;                  /* that it holds with, or has come to so far */
    bool has_value;
    double value; /* the latest */
};

/* How many workers the target takes. */
struct sizing_report {
    const char *state; /* "searching", "found", "all" (as many as there may be), "none"; NULL: nobody asked */
    uint32_t workers;  /* that it takes, as far as it is known */
    uint32_t too_many; /* with which it did not; 0: none was seen */
    double failed_percent; /* of steps: with those that were too many, else with the latest */
    double latency_us;     /* 95th percentile of requests, likewise; 0: none was measured */
};

/* Of the barriers or notifiers of one name, as far as others waited for the last one to come. */
struct last_report {
    struct bytes name;
    enum operation_kind kind; /* of what the others waited in */
    uint64_t times;
    uint64_t waited_us;              /* all together */
    const struct latecomer *workers; /* for whom others waited longest first */
    size_t worker_count;
    uint64_t others_times; /* of those that are not listed */
    uint64_t others_waited_us;
};

struct campaign_report {
    uint64_t campaign;
    const struct campaign_options *options;
    struct bytes script;
    struct bytes key; /* that it was created with; empty if with none */
    enum campaign_state state;
    enum verdict verdict; /* VERDICT_NONE until it has ended */
    struct bytes reason;  /* one line; empty for passed */
    uint64_t running_ns;  /* since the workers began; constant once it has ended */
    uint64_t begun_ns;    /* coordinator's clock when they began; 0 before */
    uint64_t made_ns;     /* coordinator's clock when the report was asked for */
    uint32_t workers_running;
    uint32_t workers_ran; /* that it ever had, each counted once; 0 before it took agents */
    uint64_t steps_ok;
    uint64_t steps_failed;
    uint64_t steps_failed_by_loss; /* of those: only because others were lost with their agent */
    uint64_t steps_stopped;
    uint64_t steps_lost;                        /* their agent was lost before it reported how they ended */
    uint64_t requests_total;                    /* without timings */
    const struct histogram *request_latency_us; /* of all requests together, without timings */
    struct series_recent recent;                /* the latest of those; all 0 once it has ended */
    const struct histogram *step_us;
    /* Where steps have an instant at which they are to begin; else NULL and 0. */
    const struct histogram *late_us;             /* how late they began */
    const struct histogram *response_us;         /* how long they took since that instant */
    const struct histogram *request_response_us; /* all requests, without timings, likewise */
    uint64_t arrivals;                           /* of the plan, that have begun */
    uint64_t dropped;                            /* that have found no worker */
    struct goal_report goal;
    struct sizing_report sizing;
    uint64_t workers_grown;                    /* that began since arrivals found none that is free */
    const struct histogram *release_spread_us; /* of absolute-time releases; NULL: none yet */
    bool has_start_spread;
    uint64_t start_spread_us; /* how far apart the first and the last worker began, without ramp-up */
    const struct agent_report *agents;
    size_t agent_count;
    const struct bottleneck_report *bottlenecks;
    size_t bottleneck_count;
    const struct request_report *requests; /* sorted by name */
    size_t request_count;
    const struct scenario_report *scenarios; /* sorted by name */
    size_t scenario_count;
    const struct slice_report *slices; /* sorted by tag, kind and name */
    size_t slice_count;
    const struct wait_report *waits; /* sorted by name, then kind */
    size_t wait_count;
    const struct check_report *checks; /* sorted by name */
    size_t check_count;
    const struct threshold_result *thresholds; /* in the order in which they were given */
    size_t threshold_count;
    const struct error_report *errors; /* most frequent first */
    size_t error_count;
    const struct websocket_report *websockets; /* sorted by name */
    size_t websocket_count;
    const struct seen_report *seen; /* sorted by name */
    size_t seen_count;
    const struct last_report *last; /* sorted by name, then kind */
    size_t last_count;
    const struct artifact *artifacts; /* as they came */
    size_t artifact_count;
    struct bytes waiting; /* who waits for whom now, one short line; empty if nobody does */
    struct wait_crowd crowds[REPORT_WAIT_CROWDS]; /* the same, most workers first */
    size_t crowd_count;
    /* How much state is held: for /metrics, and for tests that it is bounded. */
    uint64_t live_notifiers;
    uint64_t live_barriers;
    uint64_t live_variables;
    uint64_t live_waits;
};
