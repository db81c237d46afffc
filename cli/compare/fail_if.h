/* A change at which `tutti compare` fails: "p95 > +10%", "request[login].p99 > +50ms", "rate < -5%",
 * "http{tier=gold}.failed > +0.5%". The metric is named as in thresholds; without one, it is that of all
 * requests. Pure. */
#pragma once
#include "cli/compare/comparison.h"
#include "common/error.h"
#include "proto/message/threshold.h"

#define FAIL_IF_MAX_BYTES 4096u

struct fail_if {
    struct bytes text;
    enum measure_kind kind;
    struct threshold name;           /* its name, with threshold_matches */
    char tags[THRESHOLD_TAGS_BYTES]; /* of MEASURE_TAG */
    enum measure_number number;
    enum threshold_operator comparison;
    bool is_relative; /* the limit is a share of the base, or of failures a difference of shares */
    double limit;     /* with its sign; microseconds, a number, or a share */
};

/* Takes one off the start of a text in which ; or the end of a line separates them, with thresholds_next. */
MUST_CHECK bool fail_if_parse(struct bytes text, struct fail_if *condition, struct error *error);
/* For a row of `struct option`: whether each can be read. */
bool fail_if_check(struct bytes text, struct error *error);

enum fail_if_outcome {
    FAIL_IF_HELD,        /* no row has changed like that */
    FAIL_IF_NOISE,       /* one has, but within noise */
    FAIL_IF_HIT,         /* one has, beyond noise, or where noise is not known */
    FAIL_IF_NOT_MEASURED /* no row that both sides have; counts as hit */
};
const char *fail_if_outcome_name(enum fail_if_outcome outcome);
bool fail_if_is_hit(enum fail_if_outcome outcome);

/* `row` is set to the one that decided, NULL if there is none. */
enum fail_if_outcome fail_if_judge(const struct fail_if *condition, const struct comparison *comparison,
                                   const struct compared_row **row);
