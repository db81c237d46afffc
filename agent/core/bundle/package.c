/* The bundle of a script as an agent has it. */
#include "agent/core/bundle/package.h"

#include "common/memory.h"
#include "proto/message/bundle.h"

#include <assert.h>
#include <stdatomic.h>

struct package {
    atomic_uint holders;
    struct bundle bundle;
    uint8_t *content; /* of all files, one behind the other */
    uint64_t size_bytes;
};

static struct bytes package_copy_bytes(struct bytes bytes)
{
    return bytes_of(memory_copy(bytes.data, bytes.size), bytes.size);
}

static struct package *new_package(size_t file_count, struct bytes hash)
{
    struct package *package = MEMORY_NEW(struct package);
    atomic_init(&package->holders, 1);
    package->bundle = (struct bundle){.files = memory_new(file_count, sizeof(struct bundle_file)),
                                      .file_count = file_count,
                                      .hash = package_copy_bytes(hash)};
    return package;
}

/* The files lie in the content one behind the other. */
static void cut(struct package *package)
{
    const uint8_t *at = package->content;
    for (size_t i = 0; i < package->bundle.file_count; i++) {
        package->bundle.files[i].content.data = at;
        at += package->bundle.files[i].content.size;
    }
    package->size_bytes = (uint64_t)(at - package->content);
}

struct package *package_copy(const struct bundle *bundle)
{
    struct package *package = new_package(bundle->file_count, bundle->hash);
    struct buffer content SCOPED(buffer_finish);
    buffer_init(&content, PACKAGES_MOST_BYTES);
    for (size_t i = 0; i < bundle->file_count; i++) {
        const struct bundle_file *file = &bundle->files[i];
        package->bundle.files[i].path = package_copy_bytes(file->path);
        package->bundle.files[i].content.size = file->content.size;
        (void)buffer_append(&content, file->content.data, file->content.size);
    }
    size_t size;
    package->content = buffer_take(&content, &size);
    cut(package);
    return package;
}

struct package *package_new(const struct bundle_listing *listing, struct buffer *content)
{
    struct package *package = new_package(listing->file_count, listing->hash);
    for (size_t i = 0; i < listing->file_count; i++) {
        package->bundle.files[i].path = package_copy_bytes(listing->files[i].path);
        package->bundle.files[i].content.size = (size_t)listing->files[i].size_bytes;
    }
    size_t size;
    package->content = buffer_take(content, &size);
    cut(package);
    assert(size == package->size_bytes);
    char hash[DIGEST_TEXT_BYTES];
    bundle_hash(&package->bundle, hash);
    if (!bytes_equal_string(listing->hash, hash)) {
        package_release(&package);
    }
    return package;
}

struct package *package_hold(struct package *package)
{
    unsigned before = atomic_fetch_add_explicit(&package->holders, 1, memory_order_relaxed);
    assert(before > 0);
    return package;
}

static void package_destroy(struct package *package)
{
    for (size_t i = 0; i < package->bundle.file_count; i++) {
        memory_free((void *)package->bundle.files[i].path.data);
    }
    memory_free(package->bundle.files);
    memory_free((void *)package->bundle.hash.data);
    memory_free(package->content);
    memory_free(package);
}

void package_release(struct package **package)
{
    if (*package == NULL) {
        return;
    }
    /* Whoever destroys has to see all that the other holders did before they let go. */
    unsigned before = atomic_fetch_sub_explicit(&(*package)->holders, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1) {
        package_destroy(*package);
    }
    *package = NULL;
}

const struct bundle *package_bundle(const struct package *package)
{
    return &package->bundle;
}

uint64_t package_bytes(const struct package *package)
{
    return package->size_bytes;
}

void packages_finish(struct packages *packages)
{
    while (packages->count > 0) {
        package_release(&packages->items[--packages->count]);
    }
}

/* The others move up to make room for it. */
static void put_first(struct packages *packages, size_t from, struct package *package)
{
    for (size_t i = from; i > 0; i--) {
        packages->items[i] = packages->items[i - 1];
    }
    packages->items[0] = package;
}

struct package *packages_find(struct packages *packages, struct bytes hash)
{
    for (size_t i = 0; i < packages->count; i++) {
        struct package *package = packages->items[i];
        if (bytes_equal(package->bundle.hash, hash)) {
            put_first(packages, i, package);
            return package;
        }
    }
    return NULL;
}

static uint64_t all_bytes(const struct packages *packages)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < packages->count; i++) {
        bytes += packages->items[i]->size_bytes;
    }
    return bytes;
}

void packages_add(struct packages *packages, struct package *package)
{
    if (packages_find(packages, package->bundle.hash) != NULL || package->size_bytes > PACKAGES_MOST_BYTES) {
        return;
    }
    while (packages->count == PACKAGES_MOST ||
           all_bytes(packages) + package->size_bytes > PACKAGES_MOST_BYTES) {
        package_release(&packages->items[--packages->count]);
    }
    put_first(packages, packages->count++, package_hold(package));
}
