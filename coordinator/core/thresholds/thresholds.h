/* The thresholds of a campaign: judged by what its agents have counted, while it runs and at its end. Knows
 * no campaign; docs/thresholds.md says what each form means. */
#pragma once
#include "coordinator/core/report/threshold_result.h"
#include "coordinator/core/thresholds/threshold_window.h"

/* What has been counted of the threshold's metric and name since the workers began. */
struct threshold_totals {
    struct threshold_numbers numbers; /* times are borrowed until the next call */
    bool is_known;                    /* there is something of that name */
};
struct threshold_source {
    void (*look)(void *context, const struct threshold *about, struct threshold_totals *totals);
    void *context;
};

struct thresholds;

/* Of a text that thresholds_check has accepted; NULL if there are none in it. */
MUST_CHECK struct thresholds *thresholds_new(struct bytes text);
void thresholds_free(struct thresholds **thresholds);
/* How often they want to be judged while the workers run. */
uint64_t thresholds_interval_ms(const struct thresholds *thresholds);

/* Time has passed since the workers began. Returns the first one with `abort` that does not hold, or NULL. */
const struct threshold_result *thresholds_judge(struct thresholds *thresholds, uint64_t elapsed_ms,
                                                const struct threshold_source *source);
/* The workers have ended: afterwards each is met or missed. */
void thresholds_finish(struct thresholds *thresholds, uint64_t elapsed_ms,
                       const struct threshold_source *source);
/* In the order of the text; borrowed. */
const struct threshold_result *thresholds_results(const struct thresholds *thresholds, size_t *count);

void thresholds_pack(const struct thresholds *thresholds, struct buffer *into);
/* Into those of the same text that were just made. */
void thresholds_unpack(struct thresholds *thresholds, struct unpack *from);
