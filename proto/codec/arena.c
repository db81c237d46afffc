/* Memory that is allocated piece by piece and freed at once. */
#include "proto/codec/arena.h"

#include "common/memory.h"

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#define ALIGNMENT alignof(max_align_t)
#define FIRST_CHUNK_BYTES 4096u
#define LARGEST_CHUNK_BYTES (1u << 20)

/* Under AddressSanitizer, unallocated memory is poisoned, and a gap separates allocations. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(HAS_SANITIZER)
#include <sanitizer/asan_interface.h>
#define GAP_BYTES ALIGNMENT
#define FORBID(memory, size) __asan_poison_memory_region(memory, size)
#define ALLOW(memory, size) __asan_unpoison_memory_region(memory, size)
#else
#define GAP_BYTES 0
#define FORBID(memory, size) (void)0
#define ALLOW(memory, size) (void)0
#endif

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    alignas(ALIGNMENT) uint8_t bytes[];
};

static void *allocate(void *context, size_t size)
{
    struct arena *arena = (struct arena *)context;
    if (size > arena->allowance_bytes) {
        return NULL;
    }
    arena->allowance_bytes -= size;
    return arena_take(arena, size);
}

static void free_nothing(void *context, void *memory)
{
    (void)context;
    (void)memory;
}

void arena_init(struct arena *arena, void *first, size_t first_size, size_t allowance_bytes)
{
    *arena = (struct arena){
        .at = (uint8_t *)first,
        .left = first_size,
        .next_chunk_bytes = FIRST_CHUNK_BYTES,
        .allowance_bytes = allowance_bytes,
        .allocator = {.alloc = allocate, .free = free_nothing, .allocator_data = arena},
    };
}

void arena_finish(struct arena *arena)
{
    for (size_t i = 0; i < arena->histogram_count; i++) {
        histogram_free(&arena->histograms[i]);
    }
    memory_free(arena->histograms);
    while (arena->chunks != NULL) {
        struct arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        ALLOW(chunk->bytes, chunk->size);
        memory_free(chunk);
    }
    arena_init(arena, NULL, 0, 0);
}

static void add_chunk(struct arena *arena, size_t needed)
{
    size_t size = needed > arena->next_chunk_bytes ? needed : arena->next_chunk_bytes;
    struct arena_chunk *chunk = memory_resize(NULL, sizeof *chunk + size, 1);
    chunk->next = arena->chunks;
    chunk->size = size;
    arena->chunks = chunk;
    arena->at = chunk->bytes;
    arena->left = size;
    if (arena->next_chunk_bytes < LARGEST_CHUNK_BYTES) {
        arena->next_chunk_bytes *= 2;
    }
    FORBID(arena->at, arena->left);
}

void *arena_take(struct arena *arena, size_t size)
{
    assert(size <= SIZE_MAX / 2);
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + GAP_BYTES;
    if (rounded > arena->left) {
        add_chunk(arena, rounded);
    }
    void *taken = arena->at;
    ALLOW(taken, size);
    arena->at += rounded;
    arena->left -= rounded;
    return taken;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    assert(size > 0 && count <= SIZE_MAX / 2 / size);
    void *array = arena_take(arena, count * size);
    return memset(array, 0, count * size);
}

struct histogram *arena_histogram(struct arena *arena)
{
    arena->histograms =
        (struct histogram **)memory_reserve(arena->histograms, &arena->histogram_capacity,
                                            arena->histogram_count + 1, sizeof(struct histogram *));
    struct histogram *histogram = histogram_new();
    arena->histograms[arena->histogram_count++] = histogram;
    return histogram;
}
