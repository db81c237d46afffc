/* Where the contents of bundles come from when a journal is read again: it holds only their names. */
#pragma once
#include "common/attributes.h"
#include "proto/message/campaign.h"

#include <stdint.h>

struct bundle_source {
    /* The contents of all files of the listing, one after the other, in memory of their own that the caller
     * frees: as many bytes as the listing says. NULL where they cannot be had any more. */
    uint8_t *(*load)(void *context, const struct bundle_listing *listing);
    void *context;
};

/* Never NULL: zeros where the source, which may be NULL, has nothing. What follows from a bundle depends on
 * its size and name alone, so a journal leads to the same state; agents refuse what they are sent of it. */
MUST_CHECK uint8_t *bundle_source_load(const struct bundle_source *source,
                                       const struct bundle_listing *listing);
