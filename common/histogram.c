/* Counts of values in log-linear buckets. */
#include "common/histogram.h"
#include "common/memory.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Values below 2^11 have a bucket each. Above that, every power of two is divided into 2^10 buckets, so that
 * a value keeps its 11 highest bits. */
#define LINEAR_BUCKETS 2048u
#define HALF_BUCKETS 1024u
#define MANTISSA_BITS 11u
#define BUCKET_COUNT (LINEAR_BUCKETS + (64u - MANTISSA_BITS) * HALF_BUCKETS)
#define GROWTH_STEP 512u
/* With more, the array takes less than them. */
#define PAIRS_MAX 512u

struct histogram_pair {
    uint32_t bucket;
    uint64_t count;
};

/* One that is read from the wire has few buckets, which may be high, and is mostly merged into another one
 * and dropped: as long as buckets are added in rising order, they stay pairs. */
struct histogram {
    uint64_t *counts;
    size_t capacity;
    size_t used; /* one more than the highest non-empty bucket */
    struct histogram_pair *pairs;
    size_t pair_count; /* not 0: all is in them, and nothing is in `counts` */
    size_t pair_capacity;
    uint64_t total;
    uint64_t maximum;
};

struct histogram *histogram_new(void)
{
    return MEMORY_NEW(struct histogram);
}

void histogram_free(struct histogram **histogram)
{
    if (*histogram != NULL) {
        memory_free((*histogram)->counts);
        memory_free((*histogram)->pairs);
        memory_free(*histogram);
        *histogram = NULL;
    }
}

/* How many low bits a value of this magnitude loses. */
static unsigned lost_bits(uint64_t value)
{
    return 64u - MANTISSA_BITS - (unsigned)__builtin_clzll(value);
}

static uint32_t bucket_of(uint64_t value)
{
    if (value < LINEAR_BUCKETS) {
        return (uint32_t)value;
    }
    unsigned lost = lost_bits(value);
    return LINEAR_BUCKETS + (lost - 1) * HALF_BUCKETS + (uint32_t)((value >> lost) - HALF_BUCKETS);
}

/* The lowest value of a bucket; `width` is set to how many values share it. */
static uint64_t lowest_of(uint32_t bucket, uint64_t *width)
{
    if (bucket < LINEAR_BUCKETS) {
        *width = 1;
        return bucket;
    }
    uint32_t beyond = bucket - LINEAR_BUCKETS;
    unsigned lost = beyond / HALF_BUCKETS + 1;
    *width = (uint64_t)1 << lost;
    return (uint64_t)(HALF_BUCKETS + beyond % HALF_BUCKETS) << lost;
}

/* Counts also come from peers: a sum that would overflow saturates instead of wrapping around. */
static uint64_t add_saturating(uint64_t left, uint64_t right)
{
    uint64_t sum;
    return __builtin_add_overflow(left, right, &sum) ? UINT64_MAX : sum;
}

static size_t capacity_for(size_t used)
{
    return (used + GROWTH_STEP - 1) / GROWTH_STEP * GROWTH_STEP;
}

static void grow_to(struct histogram *histogram, size_t used)
{
    if (used > histogram->capacity) {
        size_t capacity = capacity_for(used);
        histogram->counts = memory_resize(histogram->counts, capacity, sizeof(uint64_t));
        memset(histogram->counts + histogram->capacity, 0,
               (capacity - histogram->capacity) * sizeof(uint64_t));
        histogram->capacity = capacity;
    }
    histogram->used = used;
}

/* From pairs to the array. */
static void spread(struct histogram *histogram)
{
    size_t count = histogram->pair_count;
    if (count == 0) {
        return;
    }
    histogram->pair_count = 0;
    grow_to(histogram, (size_t)histogram->pairs[count - 1].bucket + 1);
    for (size_t i = 0; i < count; i++) {
        histogram->counts[histogram->pairs[i].bucket] = histogram->pairs[i].count;
    }
}

static void count_in(struct histogram *histogram, uint32_t bucket, uint64_t count)
{
    spread(histogram);
    if (bucket >= histogram->used) {
        grow_to(histogram, (size_t)bucket + 1);
    }
    histogram->counts[bucket] = add_saturating(histogram->counts[bucket], count);
    histogram->total = add_saturating(histogram->total, count);
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
    histogram_add(histogram, value, 1);
}

void histogram_add(struct histogram *histogram, uint64_t value, uint64_t count)
{
    if (count > 0) {
        count_in(histogram, bucket_of(value), count);
        histogram_raise_maximum(histogram, value);
    }
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    struct histogram_cursor cursor = {0};
    while (histogram_next(from, &cursor)) {
        count_in(into, cursor.bucket, cursor.count);
    }
    histogram_raise_maximum(into, from->maximum);
}

/* The first growth is free: there must be at least one bucket to count in. */
static uint32_t bucket_within(struct histogram *into, uint32_t bucket, size_t *left_bytes)
{
    size_t capacity = into->capacity > GROWTH_STEP ? into->capacity : GROWTH_STEP;
    if (bucket < capacity) {
        return bucket;
    }
    size_t more_bytes = (capacity_for((size_t)bucket + 1) - capacity) * sizeof(uint64_t);
    if (more_bytes > *left_bytes) {
        return (uint32_t)capacity - 1;
    }
    *left_bytes -= more_bytes;
    return bucket;
}

void histogram_merge_within(struct histogram *into, const struct histogram *from, size_t *left_bytes)
{
    struct histogram_cursor cursor = {0};
    spread(into);
    while (histogram_next(from, &cursor)) {
        count_in(into, bucket_within(into, cursor.bucket, left_bytes), cursor.count);
    }
    histogram_raise_maximum(into, from->maximum);
}

void histogram_clear(struct histogram *histogram)
{
    if (histogram->used > 0) {
        memset(histogram->counts, 0, histogram->used * sizeof(uint64_t));
    }
    histogram->used = 0;
    histogram->pair_count = 0;
    histogram->total = 0;
    histogram->maximum = 0;
}

uint64_t histogram_count(const struct histogram *histogram)
{
    return histogram->total;
}

uint64_t histogram_maximum(const struct histogram *histogram)
{
    return histogram->maximum;
}

/* How many values must lie at or below the quantile: at least one, at most all. */
static uint64_t rank_of(const struct histogram *histogram, double quantile)
{
    double rank = ceil(quantile * (double)histogram->total);
    if (!(rank > 1)) {
        return 1;
    }
    return rank < (double)histogram->total ? (uint64_t)rank : histogram->total;
}

/* The highest value that a bucket may stand for. */
static uint64_t highest_of(const struct histogram *histogram, uint32_t bucket)
{
    uint64_t width;
    uint64_t highest = lowest_of(bucket, &width);
    highest += width - 1;
    return highest < histogram->maximum ? highest : histogram->maximum;
}

void histogram_remove_bucket(struct histogram *histogram, uint32_t bucket, uint64_t count)
{
    spread(histogram);
    if (bucket >= histogram->used) {
        return;
    }
    /* A sum that was saturated has less than its parts. */
    uint64_t *left = &histogram->counts[bucket];
    *left -= count < *left ? count : *left;
    histogram->total -= count < histogram->total ? count : histogram->total;
    size_t used = histogram->used;
    while (used > 0 && histogram->counts[used - 1] == 0) {
        used--;
    }
    if (used < histogram->used) {
        histogram->used = used;
        histogram->maximum = used > 0 ? highest_of(histogram, (uint32_t)used - 1) : 0;
    }
}

double histogram_mean(const struct histogram *histogram)
{
    double sum = 0;
    struct histogram_cursor cursor = {0};
    while (histogram_next(histogram, &cursor)) {
        uint64_t width;
        uint64_t lowest = lowest_of(cursor.bucket, &width);
        sum += ((double)lowest + (double)(width - 1) / 2) * (double)cursor.count;
    }
    return histogram->total > 0 ? sum / (double)histogram->total : 0;
}

/* Moves `cursor`, whose `count` is the sum of all before its position, on to within eight buckets of the one
 * that reaches `rank`. By sums, since whether the next bucket is empty is what a processor cannot guess. */
static void skip_to_rank(const struct histogram *histogram, uint64_t rank, struct histogram_cursor *cursor)
{
    const uint64_t *counts = histogram->counts;
    while (histogram->pair_count == 0 && cursor->position + 8 <= histogram->used) {
        uint64_t sum = cursor->count;
        for (size_t i = 0; i < 8; i++) {
            sum = add_saturating(sum, counts[cursor->position + i]);
        }
        if (sum >= rank) {
            return;
        }
        cursor->count = sum;
        cursor->position += 8;
    }
}

void histogram_quantiles(const struct histogram *histogram, const double *quantiles, uint64_t *values,
                         size_t count)
{
    uint64_t seen = 0;
    size_t found = 0;
    uint64_t rank = count > 0 ? rank_of(histogram, quantiles[0]) : 0;
    struct histogram_cursor cursor = {0};
    while (found < count) {
        cursor.count = seen;
        skip_to_rank(histogram, rank, &cursor);
        seen = cursor.count;
        if (!histogram_next(histogram, &cursor)) {
            break;
        }
        seen = add_saturating(seen, cursor.count);
        while (found < count && seen >= rank) {
            values[found++] = highest_of(histogram, cursor.bucket);
            rank = found < count ? rank_of(histogram, quantiles[found]) : rank;
        }
    }
    while (found < count) {
        values[found++] = histogram->maximum;
    }
}

uint64_t histogram_quantile(const struct histogram *histogram, double quantile)
{
    uint64_t value;
    histogram_quantiles(histogram, &quantile, &value, 1);
    return value;
}

/* Most buckets are empty: skips them eight at a time. Where they are dense, one look is enough. */
static size_t skip_empty(const struct histogram *histogram, size_t from)
{
    const uint64_t *counts = histogram->counts;
    if (from < histogram->used && counts[from] > 0) {
        return from;
    }
    while (from + 8 <= histogram->used &&
           (counts[from] | counts[from + 1] | counts[from + 2] | counts[from + 3] | counts[from + 4] |
            counts[from + 5] | counts[from + 6] | counts[from + 7]) == 0) {
        from += 8;
    }
    return from;
}

bool histogram_next(const struct histogram *histogram, struct histogram_cursor *cursor)
{
    if (histogram->pair_count > 0) {
        size_t at = cursor->position;
        if (at == histogram->pair_count) {
            return false;
        }
        *cursor = (struct histogram_cursor){
            .bucket = histogram->pairs[at].bucket, .count = histogram->pairs[at].count, .position = at + 1};
        return true;
    }
    for (size_t i = skip_empty(histogram, cursor->position); i < histogram->used; i++) {
        if (histogram->counts[i] > 0) {
            *cursor = (struct histogram_cursor){
                .bucket = (uint32_t)i, .count = histogram->counts[i], .position = i + 1};
            return true;
        }
    }
    return false;
}

/* In one pass, by differences from a value that is near: the squares of large values would lose digits. */
struct histogram_moments histogram_moments(const struct histogram *histogram)
{
    struct histogram_moments moments = {0};
    struct histogram_cursor cursor = {0};
    double count = 0;
    double squares = 0;
    while (histogram_next(histogram, &cursor)) {
        uint64_t width;
        uint64_t lowest = lowest_of(cursor.bucket, &width);
        double middle = (double)lowest + (double)(width - 1) / 2;
        double weight = (double)cursor.count;
        moments.minimum = count > 0 ? moments.minimum : lowest;
        double difference = middle - moments.mean;
        count += weight;
        moments.mean += difference * weight / count;
        squares += weight * difference * (middle - moments.mean);
    }
    moments.deviation = count > 0 ? sqrt(squares / count) : 0;
    return moments;
}

void histogram_count_within(const struct histogram *histogram, const uint64_t *bounds, uint64_t *counts,
                            size_t count)
{
    struct histogram_cursor cursor = {0};
    size_t bound = 0;
    memset(counts, 0, (count + 1) * sizeof *counts);
    while (histogram_next(histogram, &cursor)) {
        uint64_t width;
        uint64_t lowest = lowest_of(cursor.bucket, &width);
        while (bound < count && lowest > bounds[bound]) {
            bound++;
        }
        counts[bound] = add_saturating(counts[bound], cursor.count);
    }
}

uint64_t histogram_bucket_lowest(uint32_t bucket)
{
    uint64_t width;
    assert(bucket < BUCKET_COUNT);
    return lowest_of(bucket, &width);
}

static uint64_t count_of_bucket(const struct histogram *histogram, uint32_t bucket)
{
    size_t low = 0;
    size_t high = histogram->pair_count;
    if (high == 0) {
        return bucket < histogram->used ? histogram->counts[bucket] : 0;
    }
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (histogram->pairs[middle].bucket <= bucket) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return histogram->pairs[low].bucket == bucket ? histogram->pairs[low].count : 0;
}

bool histogram_next_beyond(const struct histogram *histogram, const struct histogram *before,
                           struct histogram_cursor *cursor)
{
    struct histogram_cursor next = *cursor;
    while (histogram_next(histogram, &next)) {
        uint64_t known = count_of_bucket(before, next.bucket);
        if (next.count > known) {
            *cursor = next;
            cursor->count -= known;
            return true;
        }
    }
    return false;
}

/* False if it has to be counted in the array: it is not above those before it, or there are many. */
static bool add_pair(struct histogram *histogram, uint32_t bucket, uint64_t count)
{
    size_t pairs = histogram->pair_count;
    if (histogram->used > 0 || pairs == PAIRS_MAX ||
        (pairs > 0 && bucket <= histogram->pairs[pairs - 1].bucket)) {
        return false;
    }
    histogram->pairs =
        memory_reserve(histogram->pairs, &histogram->pair_capacity, pairs + 1, sizeof *histogram->pairs);
    histogram->pairs[pairs] = (struct histogram_pair){bucket, count};
    histogram->pair_count++;
    histogram->total = add_saturating(histogram->total, count);
    return true;
}

bool histogram_add_bucket(struct histogram *histogram, uint32_t bucket, uint64_t count)
{
    if (bucket >= BUCKET_COUNT) {
        return false;
    }
    if (count > 0) {
        uint64_t width;
        if (!add_pair(histogram, bucket, count)) {
            count_in(histogram, bucket, count);
        }
        histogram_raise_maximum(histogram, lowest_of(bucket, &width));
    }
    return true;
}

void histogram_raise_maximum(struct histogram *histogram, uint64_t maximum)
{
    if (maximum > histogram->maximum) {
        histogram->maximum = maximum;
    }
}
