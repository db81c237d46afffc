/* What a bundle is called, and how it is cut for its way. */
#pragma once
#include "common/digest.h"
#include "proto/campaign.h"

/* The SHA-256 over paths and contents; does not look at bundle->hash. */
void bundle_hash(const struct bundle *bundle, char hash[DIGEST_TEXT_BYTES]);
/* How many bytes all files have. */
uint64_t bundle_listing_bytes(const struct bundle_listing *listing);
/* The size of the chunk that begins at `offset`, of a bundle of `total` bytes; 0 where there is none. */
size_t bundle_chunk_bytes(uint64_t total, uint64_t offset);
