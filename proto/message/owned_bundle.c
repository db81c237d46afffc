/* Bundles and listings that own what they show. */
#include "proto/message/owned_bundle.h"

#include "common/memory.h"
#include "proto/message/bundle.h"

#include <assert.h>
#include <string.h>

static struct bytes owned_bundle_keep(struct owned_bundle *bundle, struct text text)
{
    bundle->texts =
        memory_reserve(bundle->texts, &bundle->text_capacity, bundle->text_count + 1, sizeof *bundle->texts);
    bundle->texts[bundle->text_count++] = text;
    return text.bytes;
}

void owned_bundle_add(struct owned_bundle *owned, struct text path, struct text content)
{
    struct bundle *bundle = &owned->bundle;
    assert(bundle->hash.size == 0);
    bundle->files =
        memory_reserve(bundle->files, &owned->file_capacity, bundle->file_count + 1, sizeof *bundle->files);
    bundle->files[bundle->file_count++] = (struct bundle_file){.path = owned_bundle_keep(owned, path),
                                                               .content = owned_bundle_keep(owned, content)};
}

void owned_bundle_seal(struct owned_bundle *bundle)
{
    char hash[DIGEST_TEXT_BYTES];
    bundle_hash(&bundle->bundle, hash);
    bundle->bundle.hash = owned_bundle_keep(bundle, text_copy_string(hash));
}

void owned_bundle_unseal(struct owned_bundle *bundle)
{
    bundle->bundle.hash = (struct bytes){0};
}

void owned_bundle_finish(struct owned_bundle *bundle)
{
    for (size_t i = 0; i < bundle->text_count; i++) {
        text_finish(&bundle->texts[i]);
    }
    memory_free(bundle->texts);
    memory_free(bundle->bundle.files);
    *bundle = (struct owned_bundle){0};
}

static struct bytes owned_listing_put(uint8_t **at, struct bytes bytes)
{
    struct bytes copy = bytes_of(*at, bytes.size);
    if (bytes.size > 0) {
        memcpy(*at, bytes.data, bytes.size);
    }
    *at += bytes.size;
    return copy;
}

struct owned_listing owned_listing_copy(const struct bundle_listing *from)
{
    size_t size = from->file_count * sizeof *from->files + from->hash.size;
    for (size_t i = 0; i < from->file_count; i++) {
        size += from->files[i].path.size;
    }
    struct bundle_entry *files = memory_new(size + 1, 1);
    uint8_t *at = (uint8_t *)(files + from->file_count);
    for (size_t i = 0; i < from->file_count; i++) {
        files[i] = from->files[i];
        files[i].path = owned_listing_put(&at, from->files[i].path);
    }
    return (struct owned_listing){.listing = {.files = files,
                                              .file_count = from->file_count,
                                              .hash = owned_listing_put(&at, from->hash)}};
}

void owned_listing_finish(struct owned_listing *listing)
{
    memory_free(listing->listing.files);
    *listing = (struct owned_listing){0};
}
