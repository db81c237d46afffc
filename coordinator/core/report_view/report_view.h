/* The report of a campaign as plain numbers and texts of its own: JSON writes and reads it, text and metrics
 * are made from it. Histograms stay in the core. */
#pragma once
#include "common/attributes.h"
#include "coordinator/core/report/report_rows.h"
#include "coordinator/core/report/threshold_result.h"
#include "coordinator/core/report/wait_crowd.h"
#include "coordinator/core/sync/divergence.h"
#include "proto/message/operation.h"
#include "proto/message/request_phase.h"
#include "proto/message/slice.h"
#include "proto/message/slow_traces.h"
#include "proto/message/websocket_count.h"

#include <stddef.h>

struct campaign_report;

/* Workers that are listed by how often they were the last to see; the others are counted together. */
#define REPORT_VIEW_LAST 100u

/* Microseconds; all 0 where nothing was measured. */
struct quantiles {
    uint64_t p50_us;
    uint64_t p95_us;
    uint64_t p99_us;
    uint64_t maximum_us;
    /* Of requests, timings and scenarios alone. */
    uint64_t minimum_us;
    uint64_t mean_us;
    uint64_t deviation_us; /* standard deviation */
    uint64_t p90_us;
    uint64_t p999_us;
};

/* The upper bounds of the buckets of latencies that metrics show. */
#define LATENCY_BOUNDS 15u
extern const uint64_t LATENCY_BOUNDS_US[LATENCY_BOUNDS];

/* They do not travel as JSON. */
struct latency_buckets {
    uint64_t counts[LATENCY_BOUNDS + 1]; /* not cumulated; the last one: above all bounds */
    double sum_us;
};

struct request_view {
    struct bytes name;
    bool is_timing;
    uint32_t ordinal; /* by when it was first heard of, among all of the campaign */
    uint64_t count;
    uint64_t ok;
    uint64_t failed;
    double per_s;            /* over the whole campaign */
    uint64_t received_bytes; /* of bodies */
    uint64_t sent_bytes;
    struct close_counts statuses; /* of answers; sorted */
    struct slow_traces slowest;
    struct quantiles latency; /* of those that left */
    struct latency_buckets buckets;
    bool has_response;
    struct quantiles response; /* the same from the intended start of their step */
    bool has_phases;
    struct quantiles phases[REQUEST_PHASE_COUNT];
};

struct scenario_view {
    struct bytes name;
    uint64_t ok;
    uint64_t failed;
    uint64_t stopped;
    double per_s;
    double share;        /* of the steps of all scenarios: 0…1 */
    double weight_share; /* what its weight is of all weights */
    struct quantiles step;
    struct latency_buckets buckets;
};

/* Of what has one name, that part which has this tag; and groups. */
struct slice_view {
    enum slice_kind kind;
    struct bytes name;  /* empty: all requests with the tag */
    struct bytes tag;   /* the name of the tag, or "{region=eu,tier=gold}"; empty: all of a group */
    struct bytes value; /* of several tags: empty */
    uint64_t count;
    uint64_t ok;
    uint64_t failed;
    double per_s;
    struct quantiles took; /* checks have none */
};
/* What stands between the name and the value of its tag; nothing if it has several. */
const char *slice_view_equals(const struct slice_view *slice);
/* Whether it stands for tags that have no place of their own. */
bool slice_view_is_other(const struct slice_view *slice);

struct wait_view {
    struct bytes name;
    enum operation_kind kind;
    uint64_t count; /* the sum of the outcomes */
    uint64_t outcomes[OUTCOME_COUNT];
    struct quantiles waited;
    struct latency_buckets buckets;
};

struct websocket_view {
    struct bytes name;
    uint64_t counts[WEBSOCKET_COUNTS];
    struct close_counts codes; /* sorted */
    struct quantiles handshake;
    struct quantiles ping;
    struct quantiles queued;
};

struct check_view {
    struct bytes name;
    uint64_t passed;
    uint64_t failed;
    struct bytes text; /* why the first one failed; empty: none has */
    uint32_t worker;   /* that had it */
    uint64_t step;
};

struct threshold_view {
    struct bytes text;
    enum threshold_outcome outcome;
    bool has_value; /* else nothing was measured, as far as it is known */
    double value;
    struct bytes unit;    /* of the value: "ms", "%", "/s" or none */
    struct bytes reached; /* the value for a person */
    bool has_moment;      /* it is missed, and was judged at each moment */
    uint64_t missed_ns;   /* when that was first seen, since the workers began */
};
/* How many are open now. */
uint64_t websocket_view_open(const struct websocket_view *websocket);

/* As struct seen_part_report has it. */
struct seen_part_view {
    struct bytes browser;
    uint64_t count;
    uint64_t at_once;
    struct quantiles seen;
};

/* As struct seen_report has it. */
struct seen_view {
    struct bytes name;
    uint64_t count;
    struct quantiles seen;
    struct quantiles spread; /* p50 and maximum alone travel as JSON */
    uint64_t uncertainty_us;
    uint64_t before_edit;
    uint64_t at_once;
    const struct seen_part_view *parts;
    size_t part_count;
    const struct last_seen *last; /* most frequent first, at most REPORT_VIEW_LAST */
    size_t last_count;
    uint64_t last_others; /* times that it was none of them */
    uint64_t steps_compared;
    uint64_t steps_diverged;
    uint64_t reads_compared;
    uint64_t reads_differed;
    const struct divergence *examples;
    size_t example_count;
};

/* Workers that are listed by how long others waited for them; the others are counted together. */
#define REPORT_VIEW_LATECOMERS 10u

/* A worker, or all of an agent, that others have waited for. */
struct latecomer_view {
    uint32_t worker;
    struct bytes agent; /* its name; empty: not known */
    uint64_t times;
    uint64_t waited_us;
};

/* As struct last_report has it. */
struct last_view {
    struct bytes name;
    enum operation_kind kind;
    uint64_t times;
    uint64_t waited_us;                   /* the others, together */
    const struct latecomer_view *workers; /* at most REPORT_VIEW_LATECOMERS */
    size_t worker_count;
    struct latecomer_view others;        /* without a worker or agent */
    const struct latecomer_view *agents; /* in the order of the report's */
    size_t agent_count;
};

struct artifact_view {
    uint64_t number; /* from 1 */
    struct bytes name;
    struct bytes kind;
    uint32_t worker;
    uint64_t step;
    uint64_t size_bytes;
};

/* An output that points are sent to while the campaign runs. */
struct output_view {
    struct bytes name; /* "influxdb at http://127.0.0.1:8086" */
    uint64_t points;
    uint64_t lost;      /* of those, what it did not take */
    struct bytes error; /* why; empty if it took all */
};

/* What it was to hold by changing the number of its workers. */
struct goal_view {
    struct bytes text;  /* empty: it has none */
    struct bytes state; /* "searching", "held", "missed" */
    uint32_t workers;   /* that it holds with, or has come to so far */
    bool has_value;
    double value; /* the latest, in this unit: */
    struct bytes unit;
    struct bytes reached; /* the value for a person */
};

/* How many workers the target takes. */
struct sizing_view {
    struct bytes state; /* "searching", "found", "all", "none"; empty: nobody asked */
    uint32_t workers;
    uint32_t too_many;
    double failed_percent;
    double p95_ms;
};

struct report_view {
    uint64_t campaign;
    struct bytes script;
    struct bytes name;   /* empty if it was given none */
    struct bytes labels; /* proto/message/labels.h */
    struct bytes key;    /* that it was created with; empty if with none */
    enum campaign_state state;
    bool has_ended;
    enum verdict verdict; /* VERDICT_NONE until then */
    struct bytes reason;
    uint64_t begun_wall_ns; /* when the workers began, since 1970; 0: they have not */
    uint64_t running_ns;
    uint64_t seed;
    uint32_t workers;
    uint32_t workers_running;
    uint32_t workers_ran; /* that it ever had, each counted once */
    uint64_t steps_ok;
    uint64_t steps_failed;
    uint64_t steps_failed_by_loss;
    uint64_t steps_stopped;
    uint64_t steps_lost;
    struct quantiles step;
    uint64_t requests_total; /* timings left out */
    uint64_t requests_failed;
    struct quantiles request;
    bool has_plan; /* steps have an instant at which they are to begin */
    bool has_rate; /* and that by a plan of arrivals */
    uint64_t arrivals;
    uint64_t dropped;
    bool may_grow; /* by its max_workers */
    uint64_t workers_grown;
    struct goal_view goal;
    struct sizing_view sizing;
    struct quantiles late;             /* how late steps began */
    struct quantiles response;         /* of steps, from that instant */
    struct quantiles request_response; /* of requests, likewise */
    /* The present: of the last ten seconds, or as many as there are; of all of it once it has ended. */
    uint64_t window_ns;
    double requests_per_s;
    double failed_per_s;
    double messages_per_s;   /* of WebSockets, in and out */
    struct quantiles recent; /* of the latencies within the window; no maximum before it has ended */
    bool has_release_spread;
    struct quantiles release_spread;
    bool has_start_spread;
    uint64_t start_spread_us;
    bool has_clock_uncertainty;
    uint64_t clock_uncertainty_ns;   /* of the worst clock */
    struct bytes waiting;            /* who waits for whom now, one short line */
    const struct wait_crowd *crowds; /* the same, most workers first; at most REPORT_WAIT_CROWDS */
    size_t crowd_count;
    const struct agent_report *agents;
    size_t agent_count;
    const struct bottleneck_report *bottlenecks;
    size_t bottleneck_count;
    const struct request_view *requests; /* sorted by name; timings among them */
    size_t request_count;
    const struct scenario_view *scenarios; /* sorted by name */
    size_t scenario_count;
    const struct slice_view *slices; /* groups by name; then what has tags, by tag, kind and name */
    size_t slice_count;
    const struct wait_view *waits; /* sorted by name, then kind */
    size_t wait_count;
    const struct check_view *checks; /* sorted by name */
    size_t check_count;
    const struct threshold_view *thresholds; /* in the order in which they were given */
    size_t threshold_count;
    const struct error_report *errors; /* most frequent first */
    size_t error_count;
    const struct websocket_view *websockets; /* sorted by name */
    size_t websocket_count;
    const struct seen_view *seen; /* sorted by name */
    size_t seen_count;
    const struct last_view *last; /* sorted by name, then kind */
    size_t last_count;
    const struct artifact_view *artifacts; /* as they came */
    size_t artifact_count;
    const struct output_view *outputs; /* in the order in which they were given */
    size_t output_count;
    uint64_t live_notifiers;
    uint64_t live_barriers;
    uint64_t live_variables;
    uint64_t live_waits;
};

/* Its verdict; the state that it is in as long as there is none. */
const char *report_view_outcome(const struct report_view *view);

/* An empty one. */
MUST_CHECK struct report_view *report_view_new(void);
/* `wall_ns` is the instant at which the report was made, since 1970. */
MUST_CHECK struct report_view *report_view_of(const struct campaign_report *report, uint64_t wall_ns);
/* NULLs the pointer; tolerates NULL. */
void report_view_free(struct report_view **view);

/* Zeroed memory that lives as long as the view; and a copy of a text. The view comes from report_view_new. */
MUST_CHECK void *report_view_array(struct report_view *view, size_t count, size_t size);
MUST_CHECK struct bytes report_view_text(struct report_view *view, struct bytes text);
