/* The bundle of a script as an agent has it. */
#include "agent/core/bundle/bundle_cache.h"

#include "common/memory.h"
#include "proto/message/bundle.h"
#include "proto/message/owned_bundle.h"

#include <assert.h>
#include <stdatomic.h>

struct shared_bundle {
    atomic_uint holders;
    struct bundle bundle; /* views of listing and content */
    struct owned_listing listing;
    struct text content; /* of all files, one after the other */
};

/* Takes the content; the listing is copied. */
static struct shared_bundle *shared_bundle_of(const struct bundle_listing *listing, struct buffer *content)
{
    struct shared_bundle *shared = MEMORY_NEW(struct shared_bundle);
    size_t size;
    uint8_t *taken = buffer_take(content, &size);
    atomic_init(&shared->holders, 1);
    shared->listing = owned_listing_copy(listing);
    shared->content = text_take(taken, size);
    shared->bundle = (struct bundle){.files = memory_new(listing->file_count, sizeof(struct bundle_file)),
                                     .file_count = listing->file_count,
                                     .hash = shared->listing.listing.hash};
    const uint8_t *at = shared->content.bytes.data;
    for (size_t i = 0; i < listing->file_count; i++) {
        const struct bundle_entry *entry = &shared->listing.listing.files[i];
        shared->bundle.files[i] =
            (struct bundle_file){.path = entry->path, .content = bytes_of(at, (size_t)entry->size_bytes)};
        at += entry->size_bytes;
    }
    assert(at == shared->content.bytes.data + size);
    return shared;
}

struct shared_bundle *shared_bundle_copy(const struct bundle *bundle)
{
    struct buffer content SCOPED(buffer_finish);
    struct bundle_entry *files SCOPED(memory_free_at) = memory_new(bundle->file_count, sizeof *files);
    buffer_init(&content, BUNDLE_CACHE_MOST_BYTES);
    for (size_t i = 0; i < bundle->file_count; i++) {
        const struct bundle_file *file = &bundle->files[i];
        files[i] = (struct bundle_entry){.path = file->path, .size_bytes = file->content.size};
        (void)buffer_append(&content, file->content.data, file->content.size);
    }
    struct bundle_listing listing = {.files = files, .file_count = bundle->file_count, .hash = bundle->hash};
    return shared_bundle_of(&listing, &content);
}

struct shared_bundle *shared_bundle_new(const struct bundle_listing *listing, struct buffer *content)
{
    struct shared_bundle *shared = shared_bundle_of(listing, content);
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
    memory_free(shared->bundle.files);
    owned_listing_finish(&shared->listing);
    text_finish(&shared->content);
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
    return shared->content.bytes.size;
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
        bytes += cache->items[i]->content.bytes.size;
    }
    return bytes;
}

void bundle_cache_add(struct bundle_cache *cache, struct shared_bundle *shared)
{
    if (bundle_cache_find(cache, shared->bundle.hash) != NULL ||
        shared->content.bytes.size > BUNDLE_CACHE_MOST_BYTES) {
        return;
    }
    while (cache->count == BUNDLE_CACHE_MOST ||
           all_bytes(cache) + shared->content.bytes.size > BUNDLE_CACHE_MOST_BYTES) {
        shared_bundle_release(&cache->items[--cache->count]);
    }
    put_first(cache, cache->count++, shared_bundle_hold(shared));
}
