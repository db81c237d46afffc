/* What a bundle is called, and how it is cut for its way. */
#include "proto/bundle.h"

#include "proto/limits.h"

#include <stdio.h>

void bundle_hash(const struct bundle *bundle, char hash[DIGEST_TEXT_BYTES])
{
    struct digest *digest = digest_new();
    for (size_t i = 0; i < bundle->file_count; i++) {
        /* Lengths go in too, so that no two bundles read alike. */
        char sizes[64];
        (void)snprintf(sizes, sizeof sizes, "%zu:%zu:", bundle->files[i].path.size,
                       bundle->files[i].content.size);
        digest_add(digest, bytes_of_string(sizes));
        digest_add(digest, bundle->files[i].path);
        digest_add(digest, bundle->files[i].content);
    }
    digest_text(digest, hash);
    digest_free(&digest);
}

uint64_t bundle_listing_bytes(const struct bundle_listing *listing)
{
    uint64_t total = 0;
    for (size_t i = 0; i < listing->file_count; i++) {
        total += listing->files[i].size_bytes;
    }
    return total;
}

size_t bundle_chunk_bytes(uint64_t total, uint64_t offset)
{
    uint64_t left = offset < total ? total - offset : 0;
    return left < LIMIT_CHUNK_BYTES ? (size_t)left : LIMIT_CHUNK_BYTES;
}
