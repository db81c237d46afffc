/* A bundle that owns its files: a deep copy of the bundle that a campaign is created with. */
#pragma once
#include "proto/message/owned_bundle.h"

/* A bundle that is ready to be handed out. */
struct bundle_copy {
    struct owned_listing owned;
    struct text content; /* of all files, one after the other */
};
/* `content`: as in EVENT_CREATE. */
void bundle_copy(struct bundle_copy *into, const struct bundle *from, uint8_t **content);
void bundle_finish(struct bundle_copy *bundle);
