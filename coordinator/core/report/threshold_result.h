/* How a threshold stands. */
#pragma once
#include "proto/message/threshold.h"

enum threshold_outcome { THRESHOLD_PENDING, THRESHOLD_MET, THRESHOLD_MISSED };

/* "pending", "met", "missed" */
const char *threshold_outcome_name(enum threshold_outcome outcome);

struct threshold_result {
    struct threshold threshold;
    enum threshold_outcome outcome; /* as far as it is known */
    bool has_value;                 /* else nothing was measured */
    double value;                   /* what was reached; with `over`, the worst window that there was */
    bool has_latest;                /* when it was judged last, something was measured: */
    double latest;
    uint64_t missed_ms; /* since the workers began: when it was seen not to hold; only if it is missed */
};

/* Whether it is missed, and when that was first seen means something: it is judged again and again. */
bool threshold_result_has_moment(const struct threshold_result *result);
