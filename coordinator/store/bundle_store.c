/* The contents of the bundles that campaigns name, as files. */
#include "coordinator/store/bundle_store.h"

#include "common/compose.h"
#include "common/memory.h"
#include "common/state_file.h"
#include "common/write_all.h"
#include "proto/message/bundle.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BYTES DIGEST_TEXT_BYTES
#define HASH_DIGITS (DIGEST_TEXT_BYTES - 1)
#define TEMPORARY "temporary-"

struct lost_bundle {
    char name[NAME_BYTES];
    struct error why;
};

struct bundle_store {
    uv_loop_t *loop;
    int folder;
    char *folder_name;
    uint64_t temporaries; /* number of the next */
    char (*names)[NAME_BYTES];
    size_t count;
    size_t capacity;
    struct lost_bundle *lost;
    size_t lost_count;
    size_t lost_capacity;
};

/* What may take the disk its time. */
struct bundle_chore {
    uv_work_t work;
    int folder;
    char name[NAME_BYTES]; /* to be deleted; empty: the folder is synced */
};

static void bundle_chore_run(uv_work_t *work)
{
    struct bundle_chore *chore = work->data;
    if (chore->name[0] != '\0') {
        (void)unlinkat(chore->folder, chore->name, 0);
    } else {
        (void)fsync(chore->folder);
    }
}

static void bundle_chore_done(uv_work_t *work, int status)
{
    struct bundle_chore *chore = work->data;
    (void)status;
    (void)close(chore->folder);
    memory_free(chore);
}

/* Takes the descriptor. */
static void bundle_chore_begin(uv_loop_t *loop, int folder, const char *name)
{
    struct bundle_chore *chore = MEMORY_NEW(struct bundle_chore);
    chore->work.data = chore;
    chore->folder = folder;
    compose(chore->name, sizeof chore->name, "%s", name);
    if (loop == NULL) {
        bundle_chore_run(&chore->work);
        bundle_chore_done(&chore->work, 0);
        return;
    }
    int result = uv_queue_work(loop, &chore->work, bundle_chore_run, bundle_chore_done);
    assert(result == 0);
    (void)result;
}

static void bundle_store_make_name(struct bundle_store *store, char *name, size_t size)
{
    compose(name, size, TEMPORARY "%llu", (unsigned long long)store->temporaries++);
}

/* How many names there are if there is none. */
static size_t bundle_store_find(const struct bundle_store *store, struct bytes hash)
{
    size_t at = 0;
    while (at < store->count && !bytes_equal_string(hash, store->names[at])) {
        at++;
    }
    return at;
}

static void bundle_store_add(struct bundle_store *store, struct bytes hash)
{
    assert(hash.size == HASH_DIGITS);
    if (bundle_store_find(store, hash) < store->count) {
        return;
    }
    store->names = memory_reserve(store->names, &store->capacity, store->count + 1, sizeof *store->names);
    bytes_to_text(hash, store->names[store->count++], NAME_BYTES);
}

static bool is_bundle_name(const char *name)
{
    return strlen(name) == HASH_DIGITS && strspn(name, "0123456789abcdef") == HASH_DIGITS;
}

/* What else is in there is left alone. */
static bool bundle_store_look(struct bundle_store *store, struct error *error)
{
    int descriptor = openat(store->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = descriptor >= 0 ? fdopendir(descriptor) : NULL;
    if (folder == NULL) {
        return error_set_system(error, errno, "the folder %s cannot be read", store->folder_name);
    }
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (is_bundle_name(entry->d_name)) {
            bundle_store_add(store, bytes_of_string(entry->d_name));
        } else if (strncmp(entry->d_name, TEMPORARY, sizeof TEMPORARY - 1) == 0) {
            (void)unlinkat(store->folder, entry->d_name, 0);
        }
    }
    (void)closedir(folder);
    return true;
}

struct bundle_store *bundle_store_open(uv_loop_t *loop, const char *folder, struct error *warning,
                                       struct error *error)
{
    struct bundle_store *store = MEMORY_NEW(struct bundle_store);
    store->loop = loop;
    store->folder_name = memory_copy_string(folder);
    store->folder = state_folder_open(folder, false, warning, error);
    if (store->folder < 0 || !bundle_store_look(store, error)) {
        bundle_store_free(&store);
    }
    return store;
}

void bundle_store_free(struct bundle_store **at)
{
    struct bundle_store *store = *at;
    *at = NULL;
    if (store == NULL) {
        return;
    }
    if (store->folder >= 0) {
        (void)close(store->folder);
    }
    memory_free(store->folder_name);
    memory_free(store->names);
    memory_free(store->lost);
    memory_free(store);
}

void bundle_upload_begin(struct bundle_upload *upload, struct bundle_store *store)
{
    *upload = (struct bundle_upload){0};
    if (store == NULL) {
        return;
    }
    upload->loop = store->loop;
    upload->folder = dup(store->folder);
    upload->is_begun = upload->folder >= 0;
    (void)error_set(&upload->error, "no file descriptor is left to store its bundle");
    bundle_store_make_name(store, upload->name, sizeof upload->name);
}

static bool bundle_upload_write_files(int file, const struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->file_count; i++) {
        if (!write_all(file, bundle->files[i].content)) {
            return false;
        }
    }
    return fsync(file) == 0;
}

void bundle_upload_write(struct bundle_upload *upload, const struct bundle *bundle)
{
    if (!upload->is_begun) {
        return;
    }
    int file = state_file_make(upload->folder, upload->name);
    upload->is_written = file >= 0 && bundle_upload_write_files(file, bundle);
    if (!upload->is_written) {
        (void)error_set_system(&upload->error, errno, "its bundle cannot be stored");
        (void)unlinkat(upload->folder, upload->name, 0);
    }
    if (file >= 0) {
        (void)close(file);
    }
}

void bundle_upload_finish(struct bundle_upload *upload)
{
    if (upload->is_begun && upload->is_written) {
        bundle_chore_begin(upload->loop, upload->folder, upload->name);
    } else if (upload->is_begun) {
        (void)close(upload->folder);
    }
    *upload = (struct bundle_upload){0};
}

bool bundle_store_keep(struct bundle_store *store, struct bundle_upload *upload, struct bytes hash,
                       struct error *error)
{
    char name[NAME_BYTES];
    bytes_to_text(hash, name, sizeof name);
    bool is_kept = upload->is_written && is_bundle_name(name);
    if (is_kept && renameat(upload->folder, upload->name, upload->folder, name) != 0) {
        (void)error_set_system(&upload->error, errno, "its bundle cannot be stored");
        is_kept = false;
    }
    if (!is_kept) {
        (void)error_set(error, "%s", upload->error.text);
        bundle_upload_finish(upload);
        return false;
    }
    bundle_store_add(store, hash);
    bundle_chore_begin(upload->loop, upload->folder, "");
    *upload = (struct bundle_upload){0};
    return true;
}

/* Deleted under another name: at once this one may be given again. */
static void bundle_store_delete(struct bundle_store *store, const char *name)
{
    char other[NAME_BYTES];
    int folder = dup(store->folder);
    bundle_store_make_name(store, other, sizeof other);
    if (folder >= 0 && renameat(store->folder, name, store->folder, other) == 0) {
        bundle_chore_begin(store->loop, folder, other);
        return;
    }
    (void)unlinkat(store->folder, name, 0);
    if (folder >= 0) {
        (void)close(folder);
    }
}

void bundle_store_drop(struct bundle_store *store, bool (*is_named)(const void *context, struct bytes hash),
                       const void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < store->count; i++) {
        if (is_named(context, bytes_of_string(store->names[i]))) {
            memmove(store->names[kept++], store->names[i], NAME_BYTES);
        } else {
            bundle_store_delete(store, store->names[i]);
        }
    }
    store->count = kept;
}

static bool bundle_file_read(int file, uint8_t *content, size_t size, struct error *error)
{
    struct stat status;
    size_t done = 0;
    if (fstat(file, &status) != 0 || (uint64_t)status.st_size != size) {
        return error_set(error, "it has been changed");
    }
    while (done < size) {
        ssize_t more = read(file, content + done, size - done);
        if (more < 0 && errno != EINTR) {
            return error_set_system(error, errno, "it cannot be read");
        }
        if (more == 0) {
            return error_set(error, "it has been changed");
        }
        done += more > 0 ? (size_t)more : 0;
    }
    return true;
}

static bool is_bundle_of(const struct bundle_listing *listing, const uint8_t *content)
{
    char hash[DIGEST_TEXT_BYTES];
    struct bundle bundle = {.files = memory_new(listing->file_count, sizeof *bundle.files),
                            .file_count = listing->file_count};
    size_t at = 0;
    for (size_t i = 0; i < listing->file_count; i++) {
        size_t size = (size_t)listing->files[i].size_bytes;
        bundle.files[i] =
            (struct bundle_file){.path = listing->files[i].path, .content = bytes_of(content + at, size)};
        at += size;
    }
    bundle_hash(&bundle, hash);
    memory_free(bundle.files);
    return bytes_equal_string(listing->hash, hash);
}

/* NULL with an error. */
static uint8_t *bundle_store_read(const struct bundle_store *store, const char *name,
                                  const struct bundle_listing *listing, struct error *error)
{
    int file = state_file_open(store->folder, name, O_RDONLY);
    if (file < 0) {
        (void)error_set_system(error, errno, "it cannot be read");
        return NULL;
    }
    size_t size = (size_t)bundle_listing_bytes(listing);
    uint8_t *content = memory_new(size + 1, 1);
    bool is_good = bundle_file_read(file, content, size, error) &&
                   (is_bundle_of(listing, content) || error_set(error, "it has been changed"));
    (void)close(file);
    if (!is_good) {
        memory_free(content);
    }
    return is_good ? content : NULL;
}

uint8_t *bundle_store_load(struct bundle_store *store, const struct bundle_listing *listing)
{
    struct lost_bundle lost;
    bytes_to_text(listing->hash, lost.name, sizeof lost.name);
    uint8_t *content = bundle_store_read(store, lost.name, listing, &lost.why);
    if (content == NULL && bundle_store_lost_reason(store, listing->hash) == NULL) {
        (void)error_wrap(&lost.why, "its bundle %s/%s is lost: ", store->folder_name, lost.name);
        store->lost =
            memory_reserve(store->lost, &store->lost_capacity, store->lost_count + 1, sizeof *store->lost);
        store->lost[store->lost_count++] = lost;
    }
    return content;
}

const char *bundle_store_lost_reason(const struct bundle_store *store, struct bytes hash)
{
    for (size_t i = 0; i < store->lost_count; i++) {
        if (bytes_equal_string(hash, store->lost[i].name)) {
            return store->lost[i].why.text;
        }
    }
    return NULL;
}

bool bundle_store_has_lost(const struct bundle_store *store)
{
    return store->lost_count > 0;
}
