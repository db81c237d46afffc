/* Histograms as bytes and back: the non-empty buckets, each by its distance from the previous one. */
#include "common/histogram_pack.h"

void histogram_pack(const struct histogram *histogram, struct buffer *into)
{
    pack_flag(into, histogram != NULL);
    if (histogram == NULL) {
        return;
    }
    struct histogram_cursor cursor = {0};
    uint32_t next = 0;
    pack_number(into, histogram_maximum(histogram));
    while (histogram_next(histogram, &cursor)) {
        pack_number(into, cursor.count);
        pack_number(into, cursor.bucket - next);
        next = cursor.bucket + 1;
    }
    pack_number(into, 0);
}

struct histogram *histogram_unpack(struct unpack *from)
{
    if (!unpack_flag(from)) {
        return NULL;
    }
    struct histogram *histogram = histogram_new();
    uint64_t maximum = unpack_number(from);
    uint64_t count = 0;
    uint64_t next = 0;
    while ((count = unpack_number(from)) > 0) {
        uint64_t bucket = next + unpack_bounded(from, UINT32_MAX);
        if (bucket > UINT32_MAX || !histogram_add_bucket(histogram, (uint32_t)bucket, count)) {
            unpack_break(from);
        }
        next = bucket + 1;
    }
    histogram_raise_maximum(histogram, maximum);
    if (from->is_broken) {
        histogram_free(&histogram);
    }
    return histogram;
}
