/* Small blocks that a script has freed, for its next ones: a step makes and drops a dozen tables and texts,
 * which malloc is slower with. Used by one thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define BLOCK_CACHE_STEP_BYTES 16u
#define BLOCK_CACHE_CLASSES 128u
/* What is larger is malloc's. */
#define BLOCK_CACHE_MAX_BYTES (BLOCK_CACHE_STEP_BYTES * BLOCK_CACHE_CLASSES)
/* What is kept at most. */
#define BLOCK_CACHE_KEPT_BYTES (512u * 1024u)
/* Where AddressSanitizer looks at each block, none is used again. */
#if defined(__SANITIZE_ADDRESS__)
#define BLOCK_CACHE_IS_USED false
#else
#define BLOCK_CACHE_IS_USED true
#endif

struct block_cache_item {
    struct block_cache_item *next;
};

/* Empty if it is zeroed. */
struct block_cache {
    struct block_cache_item *free[BLOCK_CACHE_CLASSES]; /* of up to 16, 32, 48 … bytes */
    size_t kept_bytes;
};

/* Of 1 to BLOCK_CACHE_MAX_BYTES bytes. */
static inline size_t block_cache_class(size_t size)
{
    return (size - 1) / BLOCK_CACHE_STEP_BYTES;
}

/* A block of `size` bytes from what is kept, or NULL. */
static inline void *block_cache_reuse(struct block_cache *cache, size_t size)
{
    if (size - 1 >= BLOCK_CACHE_MAX_BYTES) { /* 0 as well */
        return NULL;
    }
    size_t class = block_cache_class(size);
    struct block_cache_item *item = cache->free[class];
    if (item != NULL) {
        cache->free[class] = item->next;
        cache->kept_bytes -= (class + 1) * BLOCK_CACHE_STEP_BYTES;
    }
    return item;
}

/* Keeps a block of `size` bytes for later; false if it is not one that is kept. */
static inline bool block_cache_keep(struct block_cache *cache, void *block, size_t size)
{
    if (!BLOCK_CACHE_IS_USED || block == NULL || size - 1 >= BLOCK_CACHE_MAX_BYTES ||
        cache->kept_bytes + size > BLOCK_CACHE_KEPT_BYTES) {
        return false;
    }
    struct block_cache_item *item = block;
    size_t class = block_cache_class(size);
    item->next = cache->free[class];
    cache->free[class] = item;
    cache->kept_bytes += (class + 1) * BLOCK_CACHE_STEP_BYTES;
    return true;
}

/* As realloc does, for a block of `old_size` bytes that this function has given, or NULL; both sizes are
 * those that were asked for. NULL: there is no memory, and nothing has changed. `new_size` is not 0. */
void *block_cache_resize(struct block_cache *cache, void *block, size_t old_size, size_t new_size);
/* Takes a block of `size` bytes, or NULL. */
void block_cache_free(struct block_cache *cache, void *block, size_t size);
/* Frees what is kept. */
void block_cache_finish(struct block_cache *cache);
