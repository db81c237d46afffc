/* What one run measured, as rows that can be compared with those of another run. Pure. */
#pragma once
#include "cli/compare/spread.h"
#include "common/attributes.h"
#include "common/text.h"
#include "coordinator/core/report_view/report_view.h"
#include "coordinator/core/series/series_view.h"

enum measure_kind {
    MEASURE_HTTP,      /* all requests */
    MEASURE_TAG,       /* those with a tag, or with several that a threshold names */
    MEASURE_REQUEST,   /* those of a name */
    MEASURE_RECORD,    /* what tutti.time measures */
    MEASURE_GROUP,     /* what tutti.group measures */
    MEASURE_STEPS,     /* all steps */
    MEASURE_SCENARIO,  /* those of a scenario */
    MEASURE_WAITS,     /* of a name and kind: "pad.barrier" */
    MEASURE_SEEN,      /* from an edit until a reader sees it */
    MEASURE_CHECKS,    /* all checks */
    MEASURE_CHECK,     /* those of a name */
    MEASURE_WEBSOCKET, /* connections of a name, and their handshakes */
    MEASURE_MESSAGES,  /* of those, in both directions; failed are those that were dropped */
    MEASURE_KINDS
};

enum measure_number {
    MEASURE_COUNT,
    MEASURE_RATE,   /* a second */
    MEASURE_FAILED, /* share of all: 0…1 */
    MEASURE_P50,    /* microseconds, and so are the others */
    MEASURE_P95,
    MEASURE_P99,
    MEASURE_NUMBERS
};

/* As thresholds name them: "http", "request", …; "count", "p95", … Kinds of different forms may have the same
 * word. */
const char *measure_kind_name(enum measure_kind kind);
const char *measure_number_name(enum measure_number number);
bool measure_is_time(enum measure_number number);
/* What stands after the word of a kind: nothing, [NAME], or {TAG=VALUE}. */
enum measure_form { MEASURE_ALONE, MEASURE_NAMED, MEASURE_TAGGED };
enum measure_form measure_form(enum measure_kind kind);

struct measure {
    bool is_known;
    double value;
    double error;   /* standard error, by the spread of the series within the run */
    double freedom; /* of that; 0: not known */
};

struct measure_row {
    enum measure_kind kind;
    struct text name; /* "tier=gold" of a tag; empty: of a kind without names */
    struct measure measures[MEASURE_NUMBERS];
};

struct run_measures {
    struct measure_row *rows; /* by kind, then as the report has them: by name */
    size_t count;
    size_t capacity;
};

/* `series` may be empty: then no error is known. */
void run_measures_init(struct run_measures *run, const struct report_view *report,
                       const struct series_view *series);
void run_measures_finish(struct run_measures *run);
/* NULL if it has none. */
const struct measure_row *run_measures_find(const struct run_measures *run, enum measure_kind kind,
                                            struct bytes name);
