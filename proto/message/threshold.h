/* A threshold as a person writes it, such as "request[login].p95 < 200ms over 30s after 1m abort":
 *   METRIC[NAME]{TAG=VALUE,…}.STATISTIC OPERATOR NUMBER UNIT [over TIME] [after TIME] [abort]
 * docs/thresholds.md describes each part. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"
#include "proto/message/tags.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one campaign. */
#define THRESHOLDS_MAX 200u
#define THRESHOLDS_MAX_BYTES 16000u
/* The longest sliding window. */
#define THRESHOLD_MAX_OVER_MS 3600000u

enum threshold_metric {
    THRESHOLD_HTTP,    /* all requests */
    THRESHOLD_REQUEST, /* those of a name */
    THRESHOLD_RECORD,  /* what tutti.time measures */
    THRESHOLD_STEPS,
    THRESHOLD_CHECKS,
    THRESHOLD_WAITS,
    THRESHOLD_SEEN,     /* from an edit until a reader sees it */
    THRESHOLD_RESPONSE, /* requests, their time from the intended start */
    THRESHOLD_DROPPED,  /* arrivals that no worker was free for */
    THRESHOLD_GROUP,    /* what tutti.group measures */
    THRESHOLD_METRICS
};

/* What is counted of a metric. Only `failed` can become smaller: a script may forgive a failure later. */
enum threshold_count {
    THRESHOLD_ALL,
    THRESHOLD_OK,
    THRESHOLD_FAILED,
    THRESHOLD_STOPPED,
    THRESHOLD_LOST,
    THRESHOLD_TIMEOUT,
    THRESHOLD_SHORT,
    THRESHOLD_DEADLOCK,
    THRESHOLD_DIVERGED,
    THRESHOLD_COUNTS
};

enum threshold_statistic {
    THRESHOLD_NUMBER, /* how many there were */
    THRESHOLD_SHARE,  /* percent of all */
    THRESHOLD_RATE,   /* a second */
    THRESHOLD_QUANTILE,
    THRESHOLD_MINIMUM,
    THRESHOLD_MEAN,
    THRESHOLD_MAXIMUM
};

enum threshold_operator {
    THRESHOLD_LESS,
    THRESHOLD_AT_MOST,
    THRESHOLD_MORE,
    THRESHOLD_AT_LEAST,
    THRESHOLD_EQUAL,
    THRESHOLD_UNEQUAL
};

struct threshold_tag {
    struct bytes name;
    struct bytes value;
};

/* Its texts borrow from the text that was parsed. */
struct threshold {
    struct bytes text; /* all of it, without white space around it */
    enum threshold_metric metric;
    struct bytes name;                    /* empty: all */
    bool is_pattern;                      /* each * in the name stands for any characters */
    struct threshold_tag tags[TAG_NAMES]; /* only what has all of these, sorted by name */
    size_t tag_count;                     /* 0: everything */
    enum threshold_statistic statistic;
    enum threshold_count count; /* of NUMBER, SHARE and RATE */
    double quantile;            /* 0…1 */
    enum threshold_operator comparison;
    double limit;      /* percent, a second, microseconds, or a number */
    uint64_t over_ms;  /* each window of this length is judged; 0: everything together */
    uint64_t after_ms; /* what happens until then, since the workers began, does not count */
    bool is_abort;     /* the campaign ends as soon as it does not hold */
};

/* Errors begin with "column N: ". */
MUST_CHECK bool threshold_parse(struct bytes text, struct threshold *threshold, struct error *error);
/* Takes one threshold off the start of a text in which ; or the end of a line separates them: false after the
 * last. */
MUST_CHECK bool thresholds_next(struct bytes *text, struct bytes *one);
/* For a row of `struct option`: whether each of them can be read. */
bool thresholds_check(struct bytes text, struct error *error);

/* Whether this name is meant. */
bool threshold_matches(const struct threshold *threshold, struct bytes name);
/* What it says of tags, as it is counted: "" (everything), "tier=gold", "{region=eu,tier=gold}". */
#define THRESHOLD_TAGS_BYTES 256
struct bytes threshold_tags_text(const struct threshold *threshold, char text[THRESHOLD_TAGS_BYTES]);
bool threshold_holds(const struct threshold *threshold, double value);
bool threshold_is_time(const struct threshold *threshold);
/* "312 ms", "97.3 %", "41", "12.5/s" */
#define THRESHOLD_VALUE_BYTES 40
void threshold_describe(const struct threshold *threshold, double value, char text[THRESHOLD_VALUE_BYTES]);
