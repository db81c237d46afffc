/* What every bundle has to be, and its name. */
#include "proto/bundle.h"

#include "common/map.h"
#include "proto/limits.h"

#include <stdio.h>
#include <string.h>

/* A part between slashes. Names of Windows' drives and its backslash are no part of a name here. */
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

bool bundle_check(const struct bundle *bundle, struct error *error)
{
    SCOPED(map_free) struct map *paths = map_new();
    size_t total = 0;
    if (bundle->file_count == 0 || bundle->file_count > LIMIT_BUNDLE_FILES) {
        return error_set(error, "a bundle has 1 to %u files", LIMIT_BUNDLE_FILES);
    }
    for (size_t i = 0; i < bundle->file_count; i++) {
        struct bundle_file *file = &bundle->files[i];
        if (!is_clean_path(file->path)) {
            return error_set(error, "a file has a path that is not relative and clean");
        }
        if (map_put(paths, file->path, file) != NULL) {
            return error_set(error, "two files have the path %.*s", BYTES_FORMAT(file->path));
        }
        total += file->content.size;
    }
    if (total > LIMIT_BUNDLE_BYTES) {
        return error_set(error, "the files have %zu bytes, at most %u are allowed", total,
                         LIMIT_BUNDLE_BYTES);
    }
    return true;
}

void bundle_hash(const struct bundle *bundle, char text[DIGEST_TEXT_BYTES])
{
    struct digest *digest = digest_new();
    for (size_t i = 0; i < bundle->file_count; i++) {
        const struct bundle_file *file = &bundle->files[i];
        /* Lengths go in too, so that no two bundles read alike. */
        char sizes[64];
        (void)snprintf(sizes, sizeof sizes, "%zu:%zu:", file->path.size, file->content.size);
        digest_add(digest, bytes_of_string(sizes));
        digest_add(digest, file->path);
        digest_add(digest, file->content);
    }
    digest_text(digest, text);
    digest_free(&digest);
}
