/* The plan of a campaign with an open load: when which arrival comes. Each agent computes the same plan, so
 * that none has to be told. Arrivals are numbered from 0; each of N slots (workers, or rooms) has every N-th.
 * Pure. */
#pragma once
#include "proto/message/load.h"
#include "proto/message/rate_profile.h"

#include <stdbool.h>
#include <stdint.h>

struct arrivals {
    struct rate_profile profile;
    bool is_poisson;
    uint64_t seed;
    uint64_t end_ns; /* none comes from then on */
    /* The next one. */
    uint64_t number;
    double count; /* of arrivals by then, as the profile counts them */
    uint64_t at_ns;
};

/* Whether steps begin by a rate, and not each when the one before it has ended. */
bool campaign_is_open(const struct campaign_options *options);
/* Whether steps have an instant at which they are to begin: open, or with a pace. */
bool campaign_has_plan(const struct campaign_options *options);

/* When a load begins, and after how long of that it is over (RATE_NEVER: by no time of its own). */
uint64_t load_start_ns(const struct load *load);
uint64_t load_end_ns(const struct campaign_options *options, const struct load *load);
/* The most workers that it is to have at the same time. */
uint32_t campaign_most_workers(const struct campaign_options *options);

/* A place in a plan: so many arrivals come before it, by their numbers and as its profile counts them. */
struct arrival_mark {
    uint64_t number;
    double count;
};

/* Of a load that is open; instants count from its start. Its first arrival is the next one. */
void arrivals_init(struct arrivals *arrivals, const struct campaign_options *options,
                   const struct load *load);
/* From this instant on the rate is constant, after `before` arrivals (and a part). Arrivals that have been
 * passed stay as they were. */
void arrivals_change(struct arrivals *arrivals, uint64_t at_ns, double per_s, double before);
/* Goes on to the next one, whose at_ns is RATE_NEVER after the last. */
void arrivals_pass(struct arrivals *arrivals);
/* Goes on from here, where it has been before. */
void arrivals_resume(struct arrivals *arrivals, const struct arrival_mark *mark);
/* How many come before this instant, counted from the first. */
uint64_t arrivals_before(const struct arrivals *arrivals, uint64_t at_ns);
