/* Rules that every bundle must satisfy, its hash, and how it is cut into chunks: checked wherever a bundle is
 * created or received. */
#pragma once
#include "common/attributes.h"
#include "common/digest.h"
#include "common/error.h"
#include "proto/message/campaign.h"

/* 1 to LIMIT_BUNDLE_FILES files of LIMIT_BUNDLE_BYTES together, each with a unique path that is relative and
 * clean. The hash is not checked. */
MUST_CHECK bool bundle_check(const struct bundle *bundle, struct error *error);
MUST_CHECK bool bundle_check_listing(const struct bundle_listing *listing, struct error *error);
/* The SHA-256 over paths and contents; ignores bundle->hash. */
void bundle_hash(const struct bundle *bundle, char hash[DIGEST_TEXT_BYTES]);
/* The total size of all files. */
uint64_t bundle_listing_bytes(const struct bundle_listing *listing);
/* The size of the chunk that begins at `offset` of a bundle of `total` bytes; 0 if there is none. */
size_t bundle_chunk_bytes(uint64_t total, uint64_t offset);
