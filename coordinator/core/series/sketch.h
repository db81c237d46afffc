/* Counts of values in log-linear buckets, each at most 1/32 as wide as its values: coarser and smaller than a
 * histogram, of which there may be one for each name and second. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/pack.h"

#include <stddef.h>
#include <stdint.h>

struct histogram;

/* A quantile differs from the value that was counted by at most 1/64 of it. */
#define SKETCH_ERROR (1.0 / 64)

/* Zeroed, it is empty. */
struct sketch {
    uint32_t *counts; /* by bucket; they saturate */
    uint32_t used;    /* one more than the highest bucket that has a count; 0: it is empty */
    uint32_t lowest;  /* that has a count, unless it is empty */
    uint32_t capacity;
    uint64_t maximum; /* exact */
};

void sketch_finish(struct sketch *sketch);
/* Keeps the memory. */
void sketch_clear(struct sketch *sketch);
void sketch_add(struct sketch *sketch, uint64_t value, uint64_t count);
/* `from` may be NULL. */
void sketch_add_histogram(struct sketch *sketch, const struct histogram *from);
void sketch_merge(struct sketch *into, const struct sketch *from);
/* For `count` quantiles (0…1) in rising order: the middle of the lowest bucket such that at least that share
 * of the values is in it or below it; never above the maximum. All 0 if it is empty. */
void sketch_quantiles(const struct sketch *sketch, const double *quantiles, uint64_t *values, size_t count);

void sketch_pack(const struct sketch *sketch, struct buffer *into);
/* Adds what was packed. */
void sketch_unpack(struct sketch *sketch, struct unpack *from);
