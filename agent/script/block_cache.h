/* Small blocks that a script has freed, for its next ones: a step makes and drops a dozen tables and texts,
 * which malloc is slower with. Used by one thread. */
#pragma once
#include <stddef.h>

#define BLOCK_CACHE_STEP_BYTES 16u
#define BLOCK_CACHE_CLASSES 72u
/* What is larger is malloc's. */
#define BLOCK_CACHE_MAX_BYTES (BLOCK_CACHE_STEP_BYTES * BLOCK_CACHE_CLASSES)
/* What is kept at most. */
#define BLOCK_CACHE_KEPT_BYTES (512u * 1024u)

struct block_cache_item {
    struct block_cache_item *next;
};

/* Empty if it is zeroed. */
struct block_cache {
    struct block_cache_item *free[BLOCK_CACHE_CLASSES]; /* of up to 16, 32, 48 … bytes */
    size_t kept_bytes;
};

/* As realloc does, for a block of `old_size` bytes that this function has given, or NULL; both sizes are
 * those that were asked for. NULL: there is no memory, and nothing has changed. `new_size` is not 0. */
void *block_cache_resize(struct block_cache *cache, void *block, size_t old_size, size_t new_size);
/* Takes a block of `size` bytes, or NULL. */
void block_cache_free(struct block_cache *cache, void *block, size_t size);
/* Frees what is kept. */
void block_cache_finish(struct block_cache *cache);
