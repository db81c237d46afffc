/* Bytes that many hold and nobody changes: counted, freed with the last holder. Holders may be of different
 * threads. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/bytes.h"

struct shared;

/* A copy, with one holder. */
MUST_CHECK struct shared *shared_new(struct bytes bytes);
/* Takes the buffer's memory instead of copying it; the buffer is left empty. One holder. */
MUST_CHECK struct shared *shared_take(struct buffer *buffer);
/* One holder more; NULL stays NULL. */
struct shared *shared_hold(struct shared *shared);
/* One holder less. NULL is tolerated. */
void shared_release(struct shared **shared);
/* Empty for NULL. Lasts as long as there is a holder. */
struct bytes shared_bytes(const struct shared *shared);
