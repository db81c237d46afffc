/* What every bundle has to be, its name, and how it is cut for its way: wherever one is made or taken in,
 * this is asked. */
#pragma once
#include "common/attributes.h"
#include "common/digest.h"
#include "common/error.h"
#include "proto/message/campaign.h"

/* 1 to LIMIT_BUNDLE_FILES files of LIMIT_BUNDLE_BYTES together, each with a path of its own that is relative
 * and clean. The hash is not looked at. */
MUST_CHECK bool bundle_check(const struct bundle *bundle, struct error *error);
MUST_CHECK bool bundle_check_listing(const struct bundle_listing *listing, struct error *error);
/* The SHA-256 over paths and contents; does not look at bundle->hash. */
void bundle_hash(const struct bundle *bundle, char hash[DIGEST_TEXT_BYTES]);
/* How many bytes all files have. */
uint64_t bundle_listing_bytes(const struct bundle_listing *listing);
/* The size of the chunk that begins at `offset`, of a bundle of `total` bytes; 0 where there is none. */
size_t bundle_chunk_bytes(uint64_t total, uint64_t offset);
