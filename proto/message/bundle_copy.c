/* A bundle that owns its files. */
#include "proto/message/bundle_copy.h"

#include "common/memory.h"

#include <string.h>

static size_t bytes_of_files(const struct bundle *bundle)
{
    size_t total = 0;
    for (size_t i = 0; i < bundle->file_count; i++) {
        total += bundle->files[i].content.size;
    }
    return total;
}

static uint8_t *bundle_copy_content(const struct bundle *from, size_t total)
{
    uint8_t *content = memory_new(total + 1, 1);
    size_t at = 0;
    for (size_t i = 0; i < from->file_count; i++) {
        struct bytes file = from->files[i].content;
        if (file.size > 0) {
            memcpy(content + at, file.data, file.size);
        }
        at += file.size;
    }
    return content;
}

void bundle_copy(struct bundle_copy *into, const struct bundle *from, uint8_t **content)
{
    size_t total = bytes_of_files(from);
    struct bundle_entry *files SCOPED(memory_free_at) = memory_new(from->file_count, sizeof *files);
    for (size_t i = 0; i < from->file_count; i++) {
        files[i] =
            (struct bundle_entry){.path = from->files[i].path, .size_bytes = from->files[i].content.size};
    }
    struct bundle_listing listing = {.files = files, .file_count = from->file_count, .hash = from->hash};
    uint8_t *taken = content != NULL ? *content : NULL;
    if (taken != NULL) {
        *content = NULL;
    }
    *into = (struct bundle_copy){
        .owned = owned_listing_copy(&listing),
        .content = text_take(taken != NULL ? taken : bundle_copy_content(from, total), total)};
}

void bundle_finish(struct bundle_copy *bundle)
{
    owned_listing_finish(&bundle->owned);
    text_finish(&bundle->content);
}
