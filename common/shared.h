/* Reference-counted bytes that nobody changes; freed with the last reference. Holders may be on different
 * threads. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/bytes.h"

struct shared;

/* A copy, with one reference. */
MUST_CHECK struct shared *shared_new(struct bytes bytes);
/* Takes the buffer's memory instead of copying it; the buffer is left empty. One reference. */
MUST_CHECK struct shared *shared_take(struct buffer *buffer);
/* Adds a reference; NULL stays NULL. */
struct shared *shared_hold(struct shared *shared);
/* Drops a reference. NULL is tolerated. */
void shared_release(struct shared **shared);
/* Empty for NULL. Valid as long as there is a reference. */
struct bytes shared_bytes(const struct shared *shared);
