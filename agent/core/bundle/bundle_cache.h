/* The bundle of a script as an agent has it: counted, for its campaigns and its shards; and the last few of
 * them, so that a script that comes again need not travel again. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "proto/message/campaign.h"

#include <stdbool.h>

/* Never changed, freed with the last holder (atomic count). */
struct shared_bundle;
MUST_CHECK struct shared_bundle *shared_bundle_copy(const struct bundle *bundle);
/* Takes the content of all files, one after the other, as many bytes as the listing says. NULL if they are
 * not those of the listing's hash; the content is gone then too. */
MUST_CHECK struct shared_bundle *shared_bundle_new(const struct bundle_listing *listing,
                                                   struct buffer *content);
struct shared_bundle *shared_bundle_hold(struct shared_bundle *shared);
void shared_bundle_release(struct shared_bundle **shared);
const struct bundle *shared_bundle_bundle(const struct shared_bundle *shared);
uint64_t shared_bundle_bytes(const struct shared_bundle *shared);

#define BUNDLE_CACHE_MOST 4u
#define BUNDLE_CACHE_MOST_BYTES (64u * 1024u * 1024u)

/* The ones used last; zeroed is empty. */
struct bundle_cache {
    struct shared_bundle *items[BUNDLE_CACHE_MOST]; /* the newest first */
    size_t count;
};
void bundle_cache_finish(struct bundle_cache *cache);
/* Borrowed; NULL if it is not here. It counts as used. */
struct shared_bundle *bundle_cache_find(struct bundle_cache *cache, struct bytes hash);
/* Takes a hold of its own; lets go of the oldest ones where it would be too many. */
void bundle_cache_add(struct bundle_cache *cache, struct shared_bundle *shared);
