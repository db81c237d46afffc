/* A rate over time, of pieces within each of which it changes evenly: how many arrivals it makes by an
 * instant, and when the n-th one comes. Pure. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define RATE_NEVER UINT64_MAX
#define RATE_PIECES_MAX 64u

struct rate_piece {
    uint64_t begin_ns; /* since the plan began */
    uint64_t end_ns;   /* RATE_NEVER: it has none */
    double from_per_s;
    double to_per_s;
    double before; /* arrivals before it */
};

/* Zeroed it is empty: nothing arrives. */
struct rate_profile {
    struct rate_piece pieces[RATE_PIECES_MAX];
    size_t count;
};

/* One more piece after the others; `length_ns` RATE_NEVER has no end, and only the last one may have none. */
void rate_profile_add(struct rate_profile *profile, uint64_t length_ns, double from_per_s, double to_per_s);
/* From this instant on the rate is constant, whatever was to come. Changes come in the order of their
 * instants. */
void rate_profile_change(struct rate_profile *profile, uint64_t at_ns, double per_s);
/* The same after so many arrivals, whatever the profile knew. */
void rate_profile_restart(struct rate_profile *profile, uint64_t at_ns, double per_s, double before);
/* Arrivals before this instant, and a part of the next one. */
double rate_profile_count(const struct rate_profile *profile, uint64_t at_ns);
/* The last instant by which no more than `count` have arrived; RATE_NEVER if there never are so many. */
uint64_t rate_profile_instant(const struct rate_profile *profile, double count);
double rate_profile_rate(const struct rate_profile *profile, uint64_t at_ns);
