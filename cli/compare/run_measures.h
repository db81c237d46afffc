/* What one run measured, as rows that can be compared with those of another run. Pure. */
#pragma once
#include "cli/compare/spread.h"
#include "common/attributes.h"
#include "common/text.h"
#include "coordinator/core/report_view/report_view.h"
#include "coordinator/core/series/series_view.h"

enum measure_kind {
    MEASURE_HTTP,     /* all requests */
    MEASURE_REQUEST,  /* those of a name */
    MEASURE_RECORD,   /* what tutti.time measures */
    MEASURE_STEPS,    /* all steps */
    MEASURE_SCENARIO, /* those of a scenario */
    MEASURE_SEEN,     /* from an edit until a reader sees it */
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

/* As thresholds name them: "http", "request", …; "count", "p95", … */
const char *measure_kind_name(enum measure_kind kind);
const char *measure_number_name(enum measure_number number);
bool measure_is_time(enum measure_number number);
/* Whether its rows have names. */
bool measure_has_name(enum measure_kind kind);

struct measure {
    bool is_known;
    double value;
    double error;   /* standard error, by the spread of the series within the run */
    double freedom; /* of that; 0: not known */
};

struct measure_row {
    enum measure_kind kind;
    struct text name; /* empty: of a kind without names */
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
