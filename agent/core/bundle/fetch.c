/* The bytes of a bundle on their way to an agent. */
#include "agent/core/bundle/fetch.h"

#include "common/memory.h"
#include "proto/message/bundle.h"
#include "proto/message/limits.h"

#include <assert.h>

/* Enough to keep a long line busy. */
#define AHEAD_BYTES (8u * LIMIT_CHUNK_BYTES)

struct fetch {
    struct bundle_listing listing;
    uint64_t total;
    uint64_t wanted; /* bytes that were asked for */
    struct buffer content;
};

static struct bytes fetch_copy_bytes(struct bytes bytes)
{
    return bytes_of(memory_copy(bytes.data, bytes.size), bytes.size);
}

struct fetch *fetch_new(const struct bundle_listing *listing)
{
    struct fetch *fetch = MEMORY_NEW(struct fetch);
    fetch->total = bundle_listing_bytes(listing);
    assert(fetch->total <= LIMIT_BUNDLE_BYTES);
    fetch->listing.file_count = listing->file_count;
    fetch->listing.files = memory_new(listing->file_count, sizeof *listing->files);
    for (size_t i = 0; i < listing->file_count; i++) {
        fetch->listing.files[i].path = fetch_copy_bytes(listing->files[i].path);
        fetch->listing.files[i].size_bytes = listing->files[i].size_bytes;
    }
    fetch->listing.hash = fetch_copy_bytes(listing->hash);
    buffer_init(&fetch->content, (size_t)fetch->total);
    return fetch;
}

void fetch_free(struct fetch **at)
{
    struct fetch *fetch = *at;
    if (fetch == NULL) {
        return;
    }
    for (size_t i = 0; i < fetch->listing.file_count; i++) {
        memory_free((void *)fetch->listing.files[i].path.data);
    }
    memory_free(fetch->listing.files);
    memory_free((void *)fetch->listing.hash.data);
    buffer_finish(&fetch->content);
    memory_free(fetch);
    *at = NULL;
}

struct bytes fetch_hash(const struct fetch *fetch)
{
    return fetch->listing.hash;
}

bool fetch_next(struct fetch *fetch, struct bundle_chunk *wanted)
{
    if (fetch->wanted == fetch->total || fetch->wanted - fetch->content.size >= AHEAD_BYTES) {
        return false;
    }
    *wanted = (struct bundle_chunk){.hash = fetch->listing.hash, .offset = fetch->wanted};
    fetch->wanted += bundle_chunk_bytes(fetch->total, fetch->wanted);
    return true;
}

bool fetch_take(struct fetch *fetch, const struct bundle_chunk *chunk)
{
    uint64_t at = fetch->content.size;
    return at < fetch->wanted && chunk->offset == at && bytes_equal(chunk->hash, fetch->listing.hash) &&
           chunk->content.size == bundle_chunk_bytes(fetch->total, at) &&
           buffer_append(&fetch->content, chunk->content.data, chunk->content.size);
}

bool fetch_is_whole(const struct fetch *fetch)
{
    return fetch->content.size == fetch->total;
}

struct package *fetch_package(struct fetch *fetch)
{
    assert(fetch_is_whole(fetch));
    return package_new(&fetch->listing, &fetch->content);
}
