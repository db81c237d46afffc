/* The bundle of a script as an agent has it: counted, for its campaigns and its shards; and the last few of
 * them, so that a script that comes again need not travel again. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "proto/message/campaign.h"

#include <stdbool.h>

/* Never changed, freed with the last holder (atomic count). */
struct package;
MUST_CHECK struct package *package_copy(const struct bundle *bundle);
/* Takes the content of all files, one behind the other, as many bytes as the listing says. NULL if they are
 * not those of the listing's hash; the content is gone then too. */
MUST_CHECK struct package *package_new(const struct bundle_listing *listing, struct buffer *content);
struct package *package_hold(struct package *package);
void package_release(struct package **package);
const struct bundle *package_bundle(const struct package *package);
uint64_t package_bytes(const struct package *package);

#define PACKAGES_MOST 4u
#define PACKAGES_MOST_BYTES (64u * 1024u * 1024u)

/* The ones used last; zeroed is empty. */
struct packages {
    struct package *items[PACKAGES_MOST]; /* the newest first */
    size_t count;
};
void packages_finish(struct packages *packages);
/* Borrowed; NULL if it is not here. It counts as used. */
struct package *packages_find(struct packages *packages, struct bytes hash);
/* Takes a hold of its own; lets go of the oldest ones where it would be too many. */
void packages_add(struct packages *packages, struct package *package);
