/* How a threshold stands. */
#include "coordinator/core/report/threshold_result.h"

const char *threshold_outcome_name(enum threshold_outcome outcome)
{
    static const char *const NAMES[] = {
        [THRESHOLD_PENDING] = "pending", [THRESHOLD_MET] = "met", [THRESHOLD_MISSED] = "missed"};
    return NAMES[outcome];
}

bool threshold_result_has_moment(const struct threshold_result *result)
{
    return result->outcome == THRESHOLD_MISSED && result->has_value &&
           (result->threshold.is_abort || result->threshold.over_ms > 0);
}
