/* Memory that is allocated piece by piece and freed at once: everything that one decoded message consists
 * of. */
#pragma once
#include "common/attributes.h"
#include "common/histogram.h"

#include <protobuf-c/protobuf-c.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks;
    uint8_t *at;
    size_t left;
    size_t next_chunk_bytes;
    size_t allowance_bytes; /* what the allocator may still hand out */
    struct histogram **histograms;
    size_t histogram_count;
    size_t histogram_capacity;
    ProtobufCAllocator allocator; /* returns NULL when the allowance is used up; frees nothing */
};

/* Starts with memory of the caller (aligned for any type; size 0 for none), which has to outlive the
 * arena. */
void arena_init(struct arena *arena, void *first, size_t first_size, size_t allowance_bytes);
void arena_finish(struct arena *arena);
/* Uninitialised and outside the allowance: for callers that have already bounded `size`. */
MUST_CHECK void *arena_take(struct arena *arena, size_t size);
/* Zeroed. */
MUST_CHECK void *arena_array(struct arena *arena, size_t count, size_t size);
/* An empty histogram that lives as long as the arena. */
MUST_CHECK struct histogram *arena_histogram(struct arena *arena);
