/* Lists of freed blocks by size. */
#include "agent/script/block_cache.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Where AddressSanitizer looks at each block, none is used again. */
#if defined(__SANITIZE_ADDRESS__)
#define KEPT_BYTES 0u
#else
#define KEPT_BYTES BLOCK_CACHE_KEPT_BYTES
#endif

static bool is_small(size_t size)
{
    return size > 0 && size <= BLOCK_CACHE_MAX_BYTES;
}

static size_t class_of(size_t size)
{
    return (size - 1) / BLOCK_CACHE_STEP_BYTES;
}

static size_t bytes_of_class(size_t class)
{
    return (class + 1) * BLOCK_CACHE_STEP_BYTES;
}

static void *block_cache_take(struct block_cache *cache, size_t size)
{
    if (!is_small(size)) {
        return malloc(size);
    }
    size_t class = class_of(size);
    struct block_cache_item *item = cache->free[class];
    if (item == NULL) {
        return malloc(bytes_of_class(class));
    }
    cache->free[class] = item->next;
    cache->kept_bytes -= bytes_of_class(class);
    return item;
}

void block_cache_free(struct block_cache *cache, void *block, size_t size)
{
    if (block == NULL || !is_small(size) || cache->kept_bytes + size > KEPT_BYTES) {
        free(block);
        return;
    }
    struct block_cache_item *item = block;
    size_t class = class_of(size);
    item->next = cache->free[class];
    cache->free[class] = item;
    cache->kept_bytes += bytes_of_class(class);
}

void *block_cache_resize(struct block_cache *cache, void *block, size_t old_size, size_t new_size)
{
    if (block != NULL && !is_small(old_size) && !is_small(new_size)) {
        return realloc(block, new_size);
    }
    if (block != NULL && is_small(old_size) && is_small(new_size) &&
        class_of(old_size) == class_of(new_size)) {
        return block;
    }
    void *moved = block_cache_take(cache, new_size);
    if (moved != NULL && block != NULL) {
        memcpy(moved, block, old_size < new_size ? old_size : new_size);
        block_cache_free(cache, block, old_size);
    }
    return moved;
}

void block_cache_finish(struct block_cache *cache)
{
    for (size_t class = 0; class < BLOCK_CACHE_CLASSES; class ++) {
        while (cache->free[class] != NULL) {
            struct block_cache_item *item = cache->free[class];
            cache->free[class] = item->next;
            free(item);
        }
    }
    cache->kept_bytes = 0;
}
