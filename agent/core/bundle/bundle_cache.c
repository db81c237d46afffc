/* The bundle of a script as an agent has it. */
#include "agent/core/bundle/bundle_cache.h"

#include "common/memory.h"
#include "proto/message/bundle.h"

#include <assert.h>
#include <stdatomic.h>

struct shared_bundle {
    atomic_uint holders;
    struct bundle bundle;
    uint8_t *content; /* of all files, one after the other */
    uint64_t size_bytes;
};

static struct bytes shared_bundle_copy_bytes(struct bytes bytes)
{
    return bytes_of(memory_copy(bytes.data, bytes.size), bytes.size);
}

static struct shared_bundle *new_shared_bundle(size_t file_count, struct bytes hash)
{
    struct shared_bundle *shared = MEMORY_NEW(struct shared_bundle);
    atomic_init(&shared->holders, 1);
    shared->bundle = (struct bundle){.files = memory_new(file_count, sizeof(struct bundle_file)),
                                     .file_count = file_count,
                                     .hash = shared_bundle_copy_bytes(hash)};
    return shared;
}

/* The files lie in the content one after the other. */
static void cut(struct shared_bundle *shared)
{
    const uint8_t *at = shared->content;
    for (size_t i = 0; i < shared->bundle.file_count; i++) {
        shared->bundle.files[i].content.data = at;
        at += shared->bundle.files[i].content.size;
    }
    shared->size_bytes = (uint64_t)(at - shared->content);
}

struct shared_bundle *shared_bundle_copy(const struct bundle *bundle)
{
    struct shared_bundle *shared = new_shared_bundle(bundle->file_count, bundle->hash);
    struct buffer content SCOPED(buffer_finish);
    buffer_init(&content, BUNDLE_CACHE_MOST_BYTES);
    for (size_t i = 0; i < bundle->file_count; i++) {
        const struct bundle_file *file = &bundle->files[i];
        shared->bundle.files[i].path = shared_bundle_copy_bytes(file->path);
        shared->bundle.files[i].content.size = file->content.size;
        (void)buffer_append(&content, file->content.data, file->content.size);
    }
    size_t size;
    shared->content = buffer_take(&content, &size);
    cut(shared);
    return shared;
}

struct shared_bundle *shared_bundle_new(const struct bundle_listing *listing, struct buffer *content)
{
    struct shared_bundle *shared = new_shared_bundle(listing->file_count, listing->hash);
    for (size_t i = 0; i < listing->file_count; i++) {
        shared->bundle.files[i].path = shared_bundle_copy_bytes(listing->files[i].path);
        shared->bundle.files[i].content.size = (size_t)listing->files[i].size_bytes;
    }
    size_t size;
    shared->content = buffer_take(content, &size);
    cut(shared);
    assert(size == shared->size_bytes);
    char hash[DIGEST_TEXT_BYTES];
    bundle_hash(&shared->bundle, hash);
    if (!bytes_equal_string(listing->hash, hash)) {
        shared_bundle_release(&shared);
    }
    return shared;
}

struct shared_bundle *shared_bundle_hold(struct shared_bundle *shared)
{
    unsigned before = atomic_fetch_add_explicit(&shared->holders, 1, memory_order_relaxed);
    assert(before > 0);
    return shared;
}

static void shared_bundle_destroy(struct shared_bundle *shared)
{
    for (size_t i = 0; i < shared->bundle.file_count; i++) {
        memory_free((void *)shared->bundle.files[i].path.data);
    }
    memory_free(shared->bundle.files);
    memory_free((void *)shared->bundle.hash.data);
    memory_free(shared->content);
    memory_free(shared);
}

void shared_bundle_release(struct shared_bundle **shared)
{
    if (*shared == NULL) {
        return;
    }
    /* The last holder must see everything that the others did before they released it. */
    unsigned before = atomic_fetch_sub_explicit(&(*shared)->holders, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1) {
        shared_bundle_destroy(*shared);
    }
    *shared = NULL;
}

const struct bundle *shared_bundle_bundle(const struct shared_bundle *shared)
{
    return &shared->bundle;
}

uint64_t shared_bundle_bytes(const struct shared_bundle *shared)
{
    return shared->size_bytes;
}

void bundle_cache_finish(struct bundle_cache *cache)
{
    while (cache->count > 0) {
        shared_bundle_release(&cache->items[--cache->count]);
    }
}

/* The others move up to make room for it. */
static void put_first(struct bundle_cache *cache, size_t from, struct shared_bundle *shared)
{
    for (size_t i = from; i > 0; i--) {
        cache->items[i] = cache->items[i - 1];
    }
    cache->items[0] = shared;
}

struct shared_bundle *bundle_cache_find(struct bundle_cache *cache, struct bytes hash)
{
    for (size_t i = 0; i < cache->count; i++) {
        struct shared_bundle *shared = cache->items[i];
        if (bytes_equal(shared->bundle.hash, hash)) {
            put_first(cache, i, shared);
            return shared;
        }
    }
    return NULL;
}

static uint64_t all_bytes(const struct bundle_cache *cache)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < cache->count; i++) {
        bytes += cache->items[i]->size_bytes;
    }
    return bytes;
}

void bundle_cache_add(struct bundle_cache *cache, struct shared_bundle *shared)
{
    if (bundle_cache_find(cache, shared->bundle.hash) != NULL ||
        shared->size_bytes > BUNDLE_CACHE_MOST_BYTES) {
        return;
    }
    while (cache->count == BUNDLE_CACHE_MOST ||
           all_bytes(cache) + shared->size_bytes > BUNDLE_CACHE_MOST_BYTES) {
        shared_bundle_release(&cache->items[--cache->count]);
    }
    put_first(cache, cache->count++, shared_bundle_hold(shared));
}
