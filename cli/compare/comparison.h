/* Two sets of runs beside each other: what has become better or worse, beyond what chance does. Pure.
 *
 * Noise is the change that chance alone exceeds in one of so many comparisons, as the level says. It is the
 * largest of what is known: by the runs, where there are four or more; by the spread of the series within
 * each run; for shares of failures, by their number. */
#pragma once
#include "cli/compare/run_measures.h"

/* Fewer runs in all say next to nothing of how much runs differ from each other. */
#define COMPARISON_RUNS_FOR_NOISE 4u

enum change {
    CHANGE_NONE, /* there is nothing to judge: of counts */
    CHANGE_SAME, /* within noise, or below the tolerance */
    CHANGE_BETTER,
    CHANGE_WORSE,
    CHANGE_UNKNOWN, /* too little is known to tell it from noise */
    CHANGE_ADDED,   /* the base does not have it */
    CHANGE_GONE,    /* only the base has it */
    CHANGE_KINDS
};

/* "better" */
const char *change_name(enum change change);

struct compared {
    bool has_base;
    bool has_new;
    double base; /* the mean of the runs */
    double new;
    bool has_noise;
    double noise;       /* in the unit of the value */
    double probability; /* that chance alone makes such a change */
    enum change change;
};

struct compared_row {
    enum measure_kind kind;
    struct bytes name; /* of the measures */
    struct compared numbers[MEASURE_NUMBERS];
};

struct comparison_settings {
    double level;     /* 0.99: chance calls one of a hundred changed that is not */
    double tolerance; /* changes below this share of the base are same */
};

struct comparison_side {
    const struct run_measures *runs;
    size_t count;
};

struct comparison {
    struct compared_row *rows; /* by kind, then name */
    size_t count;
    size_t capacity;
    size_t changes[CHANGE_KINDS]; /* how many numbers are what */
    enum change change;           /* of all: better, worse, same, or unknown; worse where it is both */
};

/* The measures have to outlive it; each side has a run at least. */
void comparison_init(struct comparison *comparison, const struct comparison_side *base,
                     const struct comparison_side *new, const struct comparison_settings *settings);
void comparison_finish(struct comparison *comparison);

/* The change as a share of the base; of shares of failures, the difference. Both sides are known. 0 / 0 is 0;
 * from 0 to anything is infinite. */
double compared_change(const struct compared *compared, enum measure_number number);
/* The noise likewise. */
double compared_noise(const struct compared *compared, enum measure_number number);
