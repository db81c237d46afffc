/* The bytes of a bundle on their way to an agent: asked for chunk by chunk, a few ahead. */
#pragma once
#include "agent/core/bundle/bundle_cache.h"
#include "common/attributes.h"
#include "proto/message/message.h"

struct bundle_download;

/* The listing is copied. */
MUST_CHECK struct bundle_download *bundle_download_new(const struct bundle_listing *listing);
void bundle_download_free(struct bundle_download **download);

struct bytes bundle_download_hash(const struct bundle_download *download);
/* The next chunk to ask for; false while enough is on its way. `wanted` borrows from the download. */
MUST_CHECK bool bundle_download_next(struct bundle_download *download, struct bundle_chunk *wanted);
/* False if it is not the one that has to come next. */
MUST_CHECK bool bundle_download_take(struct bundle_download *download, const struct bundle_chunk *chunk);
bool bundle_download_is_whole(const struct bundle_download *download);
/* Of a whole one; NULL if what came is not what the listing's hash says. */
MUST_CHECK struct shared_bundle *bundle_download_bundle(struct bundle_download *download);
