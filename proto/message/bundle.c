/* Rules that every bundle must satisfy, its hash, and how it is cut into chunks. */
#include "proto/message/bundle.h"

#include "common/map.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <stdio.h>
#include <string.h>

/* A part between slashes. Windows drive names and backslashes are not valid in a name here. */
static bool is_clean_part(struct bytes part)
{
    return part.size > 0 && !bytes_equal_string(part, ".") && !bytes_equal_string(part, "..") &&
           memchr(part.data, '\\', part.size) == NULL;
}

static bool is_clean_path(struct bytes path)
{
    if (path.size == 0 || path.size > LIMIT_PATH_BYTES || !bytes_is_printable(path)) {
        return false;
    }
    for (size_t start = 0; start <= path.size;) {
        const uint8_t *slash = start == path.size ? NULL : memchr(path.data + start, '/', path.size - start);
        size_t end = slash == NULL ? path.size : (size_t)(slash - path.data);
        if (!is_clean_part(bytes_of(path.data + start, end - start))) {
            return false;
        }
        start = end + 1;
    }
    return true;
}

bool bundle_check_listing(const struct bundle_listing *listing, struct error *error)
{
    SCOPED(map_free) struct map *paths = map_new();
    uint64_t left = LIMIT_BUNDLE_BYTES;
    if (listing->file_count == 0 || listing->file_count > LIMIT_BUNDLE_FILES) {
        return error_set(error, "a bundle has 1 to %u files", LIMIT_BUNDLE_FILES);
    }
    for (size_t i = 0; i < listing->file_count; i++) {
        struct bundle_entry *file = &listing->files[i];
        if (!is_clean_path(file->path)) {
            return error_set(error, "a file has a path that is not relative and clean");
        }
        if (map_put(paths, file->path, file) != NULL) {
            return error_set(error, "two files have the path %.*s", BYTES_FORMAT(file->path));
        }
        if (file->size_bytes > left) {
            return error_set(error, "the files have too many bytes together, at most %u are allowed",
                             LIMIT_BUNDLE_BYTES);
        }
        left -= file->size_bytes;
    }
    return true;
}

bool bundle_check(const struct bundle *bundle, struct error *error)
{
    if (bundle->file_count > LIMIT_BUNDLE_FILES) {
        return error_set(error, "a bundle has 1 to %u files", LIMIT_BUNDLE_FILES);
    }
    struct bundle_listing listing = {.files = memory_new(bundle->file_count, sizeof *listing.files),
                                     .file_count = bundle->file_count};
    for (size_t i = 0; i < bundle->file_count; i++) {
        listing.files[i] =
            (struct bundle_entry){.path = bundle->files[i].path, .size_bytes = bundle->files[i].content.size};
    }
    bool is_good = bundle_check_listing(&listing, error);
    memory_free(listing.files);
    return is_good;
}

void bundle_hash(const struct bundle *bundle, char hash[DIGEST_TEXT_BYTES])
{
    struct digest *digest = digest_new();
    for (size_t i = 0; i < bundle->file_count; i++) {
        /* Lengths are hashed too, so that no two bundles give the same input. */
        char sizes[64];
        (void)snprintf(sizes, sizeof sizes, "%zu:%zu:", bundle->files[i].path.size,
                       bundle->files[i].content.size);
        digest_add(digest, bytes_of_string(sizes));
        digest_add(digest, bundle->files[i].path);
        digest_add(digest, bundle->files[i].content);
    }
    digest_text(digest, hash);
    digest_free(&digest);
}

uint64_t bundle_listing_bytes(const struct bundle_listing *listing)
{
    uint64_t total = 0;
    for (size_t i = 0; i < listing->file_count; i++) {
        total += listing->files[i].size_bytes;
    }
    return total;
}

size_t bundle_chunk_bytes(uint64_t total, uint64_t offset)
{
    uint64_t left = offset < total ? total - offset : 0;
    return left < LIMIT_CHUNK_BYTES ? (size_t)left : LIMIT_CHUNK_BYTES;
}
