/* Lists of freed blocks by size. */
#include "agent/script/block_cache.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_small(size_t size)
{
    return size > 0 && size <= BLOCK_CACHE_MAX_BYTES;
}

static void *block_cache_take(struct block_cache *cache, size_t size)
{
    void *block = block_cache_reuse(cache, size);

    if (block != NULL) {
        return block;
    }
    return malloc(is_small(size) ? (block_cache_class(size) + 1) * BLOCK_CACHE_STEP_BYTES : size);
}

void block_cache_free(struct block_cache *cache, void *block, size_t size)
{
    if (!block_cache_keep(cache, block, size)) {
        free(block);
    }
}

void *block_cache_resize(struct block_cache *cache, void *block, size_t old_size, size_t new_size)
{
    if (block != NULL && !is_small(old_size) && !is_small(new_size)) {
        return realloc(block, new_size);
    }
    if (block != NULL && is_small(old_size) && is_small(new_size) &&
        block_cache_class(old_size) == block_cache_class(new_size)) {
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
