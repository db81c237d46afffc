/* How far the coordinator's clock is from ours. */
#include "agent/core/clock_filter.h"

void clock_filter_init(struct clock_filter *filter)
{
    *filter = (struct clock_filter){.count = 0};
}

/* How far the offset of this sample may be off by now. */
static uint64_t error_ns(const struct link_sample *sample, uint64_t now_ns)
{
    uint64_t age_ns = now_ns > sample->our_received_ns ? now_ns - sample->our_received_ns : 0;
    return sample->round_trip_ns / 2 + age_ns / 1000000 * CLOCK_FILTER_DRIFT_PPM;
}

void clock_filter_add(struct clock_filter *filter, const struct link_sample *sample)
{
    filter->samples[filter->next] = *sample;
    filter->next = (filter->next + 1) % CLOCK_FILTER_SAMPLES;
    filter->count += filter->count < CLOCK_FILTER_SAMPLES;
    filter->uncertainty_ns = UINT64_MAX;
    for (unsigned i = 0; i < filter->count; i++) {
        uint64_t candidate_ns = error_ns(&filter->samples[i], sample->our_received_ns);
        if (candidate_ns < filter->uncertainty_ns) {
            filter->uncertainty_ns = candidate_ns;
            filter->offset_ns = filter->samples[i].offset_ns;
        }
    }
}

bool clock_filter_is_set(const struct clock_filter *filter)
{
    return filter->count > 0;
}

uint64_t clock_filter_to_ours(const struct clock_filter *filter, int64_t theirs_ns)
{
    if (theirs_ns == 0 || !clock_filter_is_set(filter)) {
        return 0;
    }
    int64_t ours_ns = 0;
    if (__builtin_sub_overflow(theirs_ns, filter->offset_ns, &ours_ns)) {
        return theirs_ns > 0 ? INT64_MAX : 1;
    }
    return ours_ns > 0 ? (uint64_t)ours_ns : 1;
}

int64_t clock_filter_to_theirs(const struct clock_filter *filter, int64_t ours_ns)
{
    int64_t theirs_ns = 0;
    if (__builtin_add_overflow(ours_ns, filter->offset_ns, &theirs_ns)) {
        return ours_ns > 0 ? INT64_MAX : INT64_MIN;
    }
    return theirs_ns;
}
