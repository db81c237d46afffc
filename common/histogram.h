/* Counts of values in log-linear buckets: three significant digits, any range, mergeable without loss. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Values are in the unit of the caller (ours: microseconds for latencies, never nanoseconds). A value is
 * known to within 0.1 % (11 bits of mantissa). */
struct histogram;

MUST_CHECK struct histogram *histogram_new(void);
void histogram_free(struct histogram **histogram);
void histogram_record(struct histogram *histogram, uint64_t value);
void histogram_add(struct histogram *histogram, uint64_t value, uint64_t count);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* The same with a limit on memory: `left_bytes` is reduced by the memory that `into` has to add for higher
 * buckets; once it is used up, values that do not fit are counted in the highest bucket. */
void histogram_merge_within(struct histogram *into, const struct histogram *from, size_t *left_bytes);
/* Takes values out again that are in it. If its highest bucket becomes empty, the maximum is the highest
 * value of the one that is left. */
void histogram_remove_bucket(struct histogram *histogram, uint32_t bucket, uint64_t count);
void histogram_clear(struct histogram *histogram);
uint64_t histogram_count(const struct histogram *histogram);
uint64_t histogram_maximum(const struct histogram *histogram);
/* As if each value were in the middle of its bucket; 0 when empty. */
double histogram_mean(const struct histogram *histogram);
/* The highest value of the lowest bucket such that at least `quantile` (0…1) of the values are at most it;
 * never above the maximum. 0 when empty. */
uint64_t histogram_quantile(const struct histogram *histogram, double quantile);
/* The same for `count` quantiles in rising order, in one pass. */
void histogram_quantiles(const struct histogram *histogram, const double *quantiles, uint64_t *values,
                         size_t count);

/* From the buckets: each value counts as the middle of its bucket, which is at most 0.05 % off. All 0 when
 * empty. */
struct histogram_moments {
    uint64_t minimum;
    double mean;
    double deviation; /* standard deviation of all values */
};
struct histogram_moments histogram_moments(const struct histogram *histogram);

/* How many values are above the bound before and not above this one, for `count` bounds in rising order;
 * `counts` has one more, of those above all. A value next to a bound may be off by 0.1 %. */
void histogram_count_within(const struct histogram *histogram, const uint64_t *bounds, uint64_t *counts,
                            size_t count);

/* Sparse form for the wire: bucket indices with counts, in ascending order. */
struct histogram_cursor {
    uint32_t bucket;
    uint64_t count;
    size_t position;
};
bool histogram_next(const struct histogram *histogram, struct histogram_cursor *cursor);
/* Only those that have more values than in `before`; the count is how many more. */
bool histogram_next_beyond(const struct histogram *histogram, const struct histogram *before,
                           struct histogram_cursor *cursor);
/* The lowest value that is counted in this bucket, which there is. */
uint64_t histogram_bucket_lowest(uint32_t bucket);
/* Adds a bucket received from elsewhere; false if there is no such bucket. */
MUST_CHECK bool histogram_add_bucket(struct histogram *histogram, uint32_t bucket, uint64_t count);
/* The maximum is transmitted separately from the buckets. */
void histogram_raise_maximum(struct histogram *histogram, uint64_t maximum);
