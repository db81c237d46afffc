/* The bytes of a bundle on their way to an agent. */
#include "agent/core/bundle/bundle_download.h"

#include "common/memory.h"
#include "proto/message/bundle.h"
#include "proto/message/limits.h"
#include "proto/message/owned_bundle.h"

#include <assert.h>

/* Enough to keep a long line busy. */
#define AHEAD_BYTES (8u * LIMIT_CHUNK_BYTES)

struct bundle_download {
    struct owned_listing listing;
    uint64_t total;
    uint64_t wanted; /* bytes that were asked for */
    struct buffer content;
};

struct bundle_download *bundle_download_new(const struct bundle_listing *listing)
{
    struct bundle_download *download = MEMORY_NEW(struct bundle_download);
    download->total = bundle_listing_bytes(listing);
    assert(download->total <= LIMIT_BUNDLE_BYTES);
    download->listing = owned_listing_copy(listing);
    buffer_init(&download->content, (size_t)download->total);
    return download;
}

void bundle_download_free(struct bundle_download **at)
{
    struct bundle_download *download = *at;
    if (download == NULL) {
        return;
    }
    owned_listing_finish(&download->listing);
    buffer_finish(&download->content);
    memory_free(download);
    *at = NULL;
}

struct bytes bundle_download_hash(const struct bundle_download *download)
{
    return download->listing.listing.hash;
}

bool bundle_download_next(struct bundle_download *download, struct bundle_chunk *wanted)
{
    if (download->wanted == download->total || download->wanted - download->content.size >= AHEAD_BYTES) {
        return false;
    }
    *wanted = (struct bundle_chunk){.hash = download->listing.listing.hash, .offset = download->wanted};
    download->wanted += bundle_chunk_bytes(download->total, download->wanted);
    return true;
}

bool bundle_download_take(struct bundle_download *download, const struct bundle_chunk *chunk)
{
    uint64_t at = download->content.size;
    return at < download->wanted && chunk->offset == at &&
           bytes_equal(chunk->hash, download->listing.listing.hash) &&
           chunk->content.size == bundle_chunk_bytes(download->total, at) &&
           buffer_append(&download->content, chunk->content.data, chunk->content.size);
}

bool bundle_download_is_whole(const struct bundle_download *download)
{
    return download->content.size == download->total;
}

struct shared_bundle *bundle_download_bundle(struct bundle_download *download)
{
    assert(bundle_download_is_whole(download));
    return shared_bundle_new(&download->listing.listing, &download->content);
}
