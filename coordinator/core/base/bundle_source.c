/* Where the contents of bundles come from when a journal is read again. */
#include "coordinator/core/base/bundle_source.h"

#include "common/memory.h"
#include "proto/message/bundle.h"

uint8_t *bundle_source_load(const struct bundle_source *source, const struct bundle_listing *listing)
{
    uint8_t *content = source != NULL ? source->load(source->context, listing) : NULL;
    return content != NULL ? content : memory_new((size_t)bundle_listing_bytes(listing) + 1, 1);
}
