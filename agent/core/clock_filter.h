/* How far the coordinator's clock is from ours, from the last exchanges: the one with the shortest round trip
 * is the best measure, until drift makes it stale. */
#pragma once
#include "proto/link/link.h"

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_FILTER_SAMPLES 16u
/* How fast two clocks may drift apart: more than those of ordinary machines do. */
#define CLOCK_FILTER_DRIFT_PPM 100u

struct clock_filter {
    struct link_sample samples[CLOCK_FILTER_SAMPLES];
    unsigned count;
    unsigned next;
    int64_t offset_ns; /* the coordinator's clock minus ours */
    uint64_t uncertainty_ns;
};

void clock_filter_init(struct clock_filter *filter);
/* Newest last. Recomputes the offset. */
void clock_filter_add(struct clock_filter *filter, const struct link_sample *sample);
/* Whether there has been an exchange at all; else the offset is 0 and means nothing. */
bool clock_filter_is_set(const struct clock_filter *filter);

/* An instant of the coordinator's clock on ours: 0 (at once) stays 0, as does everything while nothing is
 * known; an instant before our clock's zero becomes 1. */
uint64_t clock_filter_to_ours(const struct clock_filter *filter, int64_t theirs_ns);
int64_t clock_filter_to_theirs(const struct clock_filter *filter, int64_t ours_ns);
