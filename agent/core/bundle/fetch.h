/* The bytes of a bundle on their way to an agent: asked for chunk by chunk, a few ahead. */
#pragma once
#include "agent/core/bundle/package.h"
#include "common/attributes.h"
#include "proto/message/message.h"

struct fetch;

/* The listing is copied. */
MUST_CHECK struct fetch *fetch_new(const struct bundle_listing *listing);
void fetch_free(struct fetch **fetch);

struct bytes fetch_hash(const struct fetch *fetch);
/* The next chunk to ask for; false while enough is on its way. `wanted` borrows from the fetch. */
MUST_CHECK bool fetch_next(struct fetch *fetch, struct bundle_chunk *wanted);
/* False if it is not the one that has to come next. */
MUST_CHECK bool fetch_take(struct fetch *fetch, const struct bundle_chunk *chunk);
bool fetch_is_whole(const struct fetch *fetch);
/* Of a whole one; NULL if what came is not what the listing's hash says. */
MUST_CHECK struct package *fetch_package(struct fetch *fetch);
