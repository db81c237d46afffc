/* Deep copies of what a campaign is created with. */
#include "coordinator/core/bundle_copy.h"

#include "common/memory.h"

struct bytes bytes_copy_new(struct bytes bytes)
{
    const void *copy = bytes.size == 0 ? memory_copy_string("") : memory_copy(bytes.data, bytes.size);
    return bytes_of(copy, bytes.size);
}

void bundle_copy(struct bundle *into, const struct bundle *from)
{
    *into = (struct bundle){.file_count = from->file_count, .hash = bytes_copy_new(from->hash)};
    into->files = (struct bundle_file *)memory_new(from->file_count, sizeof *into->files);
    for (size_t i = 0; i < from->file_count; i++) {
        into->files[i].path = bytes_copy_new(from->files[i].path);
        into->files[i].content = bytes_copy_new(from->files[i].content);
    }
}

void bundle_finish(struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->file_count; i++) {
        memory_free((void *)bundle->files[i].path.data);
        memory_free((void *)bundle->files[i].content.data);
    }
    memory_free(bundle->files);
    memory_free((void *)bundle->hash.data);
    *bundle = (struct bundle){0};
}
