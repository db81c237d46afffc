/* Memory that is taken bit by bit and freed at once: what one decoded message consists of. */
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
    size_t allowance_bytes; /* what the allocator may still give */
    struct histogram **histograms;
    size_t histogram_count;
    size_t histogram_capacity;
    ProtobufCAllocator allocator; /* refuses when the allowance is used up; frees nothing */
};

/* Starts with memory of the caller's (aligned for anything; size 0 for none), which has to outlive the arena.
 */
void arena_init(struct arena *arena, void *first, size_t first_size, size_t allowance_bytes);
void arena_finish(struct arena *arena);
/* Uninitialised; outside the allowance, for whoever has bounded `size` already. */
MUST_CHECK void *arena_take(struct arena *arena, size_t size);
/* Zeroed. */
MUST_CHECK void *arena_array(struct arena *arena, size_t count, size_t size);
/* An empty histogram that lives as long as the arena. */
MUST_CHECK struct histogram *arena_histogram(struct arena *arena);
