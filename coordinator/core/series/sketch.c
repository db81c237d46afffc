/* Counts of values in log-linear buckets. */
#include "coordinator/core/series/sketch.h"

#include "common/histogram.h"
#include "common/memory.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Values below 2^6 have a bucket each. Above that, every power of two is divided into 2^5 buckets. The
 * buckets of a histogram lie within these. */
#define SKETCH_LINEAR 64u
#define SKETCH_HALF 32u
#define SKETCH_BITS 6u
#define SKETCH_BUCKETS (SKETCH_LINEAR + (64u - SKETCH_BITS) * SKETCH_HALF)
#define SKETCH_GROWTH 32u

void sketch_finish(struct sketch *sketch)
{
    memory_free(sketch->counts);
    *sketch = (struct sketch){0};
}

void sketch_clear(struct sketch *sketch)
{
    if (sketch->used > 0) {
        memset(sketch->counts + sketch->lowest, 0, (sketch->used - sketch->lowest) * sizeof *sketch->counts);
    }
    sketch->used = 0;
    sketch->maximum = 0;
}

static uint32_t sketch_bucket_of(uint64_t value)
{
    if (value < SKETCH_LINEAR) {
        return (uint32_t)value;
    }
    unsigned lost = 64u - SKETCH_BITS - (unsigned)__builtin_clzll(value);
    return SKETCH_LINEAR + (lost - 1) * SKETCH_HALF + (uint32_t)((value >> lost) - SKETCH_HALF);
}

static uint64_t sketch_middle_of(uint32_t bucket)
{
    if (bucket < SKETCH_LINEAR) {
        return bucket;
    }
    uint32_t beyond = bucket - SKETCH_LINEAR;
    unsigned lost = beyond / SKETCH_HALF + 1;
    return ((uint64_t)(SKETCH_HALF + beyond % SKETCH_HALF) << lost) + ((uint64_t)1 << (lost - 1));
}

static void sketch_count(struct sketch *sketch, uint32_t bucket, uint64_t count)
{
    assert(bucket < SKETCH_BUCKETS);
    if (sketch->used == 0 || bucket < sketch->lowest) {
        sketch->lowest = bucket;
    }
    if (bucket >= sketch->used) {
        sketch->used = bucket + 1;
    }
    if (sketch->used > sketch->capacity) {
        uint32_t capacity = (sketch->used + SKETCH_GROWTH - 1) / SKETCH_GROWTH * SKETCH_GROWTH;
        sketch->counts = memory_resize(sketch->counts, capacity, sizeof *sketch->counts);
        memset(sketch->counts + sketch->capacity, 0, (capacity - sketch->capacity) * sizeof *sketch->counts);
        sketch->capacity = capacity;
    }
    uint32_t *counted = &sketch->counts[bucket];
    *counted = count < UINT32_MAX - *counted ? *counted + (uint32_t)count : UINT32_MAX;
}

static void sketch_raise_maximum(struct sketch *sketch, uint64_t maximum)
{
    if (maximum > sketch->maximum) {
        sketch->maximum = maximum;
    }
}

void sketch_add(struct sketch *sketch, uint64_t value, uint64_t count)
{
    if (count > 0) {
        sketch_count(sketch, sketch_bucket_of(value), count);
        sketch_raise_maximum(sketch, value);
    }
}

void sketch_add_histogram(struct sketch *sketch, const struct histogram *from)
{
    struct histogram_cursor cursor = {0};
    while (from != NULL && histogram_next(from, &cursor)) {
        sketch_add(sketch, histogram_bucket_lowest(cursor.bucket), cursor.count);
    }
    if (from != NULL && histogram_count(from) > 0) {
        sketch_raise_maximum(sketch, histogram_maximum(from));
    }
}

/* The first bucket from this one on that has a count; `used` if there is none. Most are empty: skips them
 * eight at a time. */
static uint32_t sketch_next(const struct sketch *sketch, uint32_t bucket)
{
    const uint32_t *counts = sketch->counts;
    while (bucket + 8 <= sketch->used &&
           (counts[bucket] | counts[bucket + 1] | counts[bucket + 2] | counts[bucket + 3] |
            counts[bucket + 4] | counts[bucket + 5] | counts[bucket + 6] | counts[bucket + 7]) == 0) {
        bucket += 8;
    }
    while (bucket < sketch->used && counts[bucket] == 0) {
        bucket++;
    }
    return bucket;
}

void sketch_merge(struct sketch *into, const struct sketch *from)
{
    for (uint32_t bucket = sketch_next(from, from->lowest); bucket < from->used;
         bucket = sketch_next(from, bucket + 1)) {
        sketch_count(into, bucket, from->counts[bucket]);
    }
    sketch_raise_maximum(into, from->maximum);
}

static uint64_t sketch_total(const struct sketch *sketch)
{
    uint64_t total = 0;
    for (uint32_t bucket = sketch->lowest; bucket < sketch->used; bucket++) {
        total += sketch->counts[bucket];
    }
    return total;
}

void sketch_quantiles(const struct sketch *sketch, const double *quantiles, uint64_t *values, size_t count)
{
    uint64_t total = sketch_total(sketch);
    uint64_t seen = 0;
    size_t found = 0;
    for (uint32_t bucket = sketch->lowest; bucket < sketch->used && found < count; bucket++) {
        seen += sketch->counts[bucket];
        while (found < count && sketch->counts[bucket] > 0 &&
               (double)seen >= ceil(quantiles[found] * (double)total)) {
            uint64_t middle = sketch_middle_of(bucket);
            values[found++] = middle < sketch->maximum ? middle : sketch->maximum;
        }
    }
    while (found < count) {
        values[found++] = sketch->maximum;
    }
}

/* Pairs of a count and the distance from the bucket before; a count of 0 ends them. */
void sketch_pack(const struct sketch *sketch, struct buffer *into)
{
    uint32_t next = 0;
    pack_number(into, sketch->maximum);
    for (uint32_t bucket = sketch_next(sketch, sketch->lowest); bucket < sketch->used;
         bucket = sketch_next(sketch, next)) {
        pack_number(into, sketch->counts[bucket]);
        pack_number(into, bucket - next);
        next = bucket + 1;
    }
    pack_number(into, 0);
}

void sketch_unpack(struct sketch *sketch, struct unpack *from)
{
    uint64_t count;
    uint64_t next = 0;
    sketch_raise_maximum(sketch, unpack_number(from));
    while ((count = unpack_bounded(from, UINT32_MAX)) > 0) {
        uint64_t bucket = next + unpack_bounded(from, SKETCH_BUCKETS);
        if (bucket >= SKETCH_BUCKETS) {
            unpack_break(from);
            return;
        }
        sketch_count(sketch, (uint32_t)bucket, count);
        next = bucket + 1;
    }
}
