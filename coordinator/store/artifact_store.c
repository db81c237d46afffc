/* Artifacts of failed steps as files in a folder: CAMPAIGN-NUMBER.png or .html, each replaced atomically. */
#include "coordinator/store/artifact_store.h"

#include "common/digits.h"
#include "common/memory.h"
#include "common/replace_file.h"
#include "common/state_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BYTES 48
#define NEW ".new"
/* If someone has put more into the folder than we would, the rest is ignored. */
#define LOOKED_AT 65536u

struct stored {
    uint64_t campaign;
    uint32_t number;
    enum artifact_kind kind;
    uint64_t size_bytes;
};

struct artifact_store {
    char *folder_name;
    int folder;
    struct stored *items; /* in ascending order of campaign and number */
    size_t count;
    size_t capacity;
    uint64_t bytes;
};

static void artifact_store_name_of(const struct stored *stored, char name[NAME_BYTES])
{
    (void)snprintf(name, NAME_BYTES, "%" PRIu64 "-%02" PRIu32 ".%s", stored->campaign, stored->number,
                   artifact_kind_ending(stored->kind));
}

/* Parses a file name. False if it is not a name that we would give. */
static bool parse(const char *name, size_t size, struct stored *stored)
{
    char again[NAME_BYTES];
    const char *at = name;
    uint64_t campaign = 0;
    uint64_t number = 0;
    if (!digits_read(&at, &campaign) || campaign > LIMIT_CAMPAIGN_ID || *at++ != '-' ||
        !digits_read(&at, &number)) {
        return false;
    }
    *stored = (struct stored){.campaign = campaign};
    stored->number = number <= LIMIT_ARTIFACTS ? (uint32_t)number : 0;
    for (int kind = 0; kind < ARTIFACT_KINDS; kind++) {
        stored->kind = (enum artifact_kind)kind;
        artifact_store_name_of(stored, again);
        if (stored->campaign > 0 && stored->number > 0 && strlen(again) == size &&
            memcmp(again, name, size) == 0) {
            return true;
        }
    }
    return false;
}

static bool artifact_store_is_before(const struct stored *left, uint64_t campaign, uint32_t number)
{
    return left->campaign < campaign || (left->campaign == campaign && left->number < number);
}

static int compare(const void *left, const void *right)
{
    const struct stored *one = (const struct stored *)left;
    const struct stored *other = (const struct stored *)right;
    return artifact_store_is_before(one, other->campaign, other->number)
               ? -1
               : artifact_store_is_before(other, one->campaign, one->number);
}

/* Its position, or where it would have to be inserted. */
static size_t artifact_store_place_of(const struct artifact_store *store, uint64_t campaign, uint32_t number)
{
    size_t low = 0;
    size_t high = store->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (artifact_store_is_before(&store->items[middle], campaign, number)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static const struct stored *artifact_store_find(const struct artifact_store *store, uint64_t campaign,
                                                uint32_t number)
{
    size_t place = artifact_store_place_of(store, campaign, number);
    bool is_there = place < store->count && store->items[place].campaign == campaign &&
                    store->items[place].number == number;
    return is_there ? &store->items[place] : NULL;
}

static void append(struct artifact_store *store, const struct stored *stored)
{
    store->items = memory_reserve(store->items, &store->capacity, store->count + 1, sizeof *store->items);
    store->items[store->count++] = *stored;
    store->bytes += stored->size_bytes;
}

static void insert(struct artifact_store *store, const struct stored *stored)
{
    size_t place = artifact_store_place_of(store, stored->campaign, stored->number);
    append(store, stored);
    memmove(&store->items[place + 1], &store->items[place],
            (store->count - 1 - place) * sizeof *store->items);
    store->items[place] = *stored;
}

static void remove_file(struct artifact_store *store, const struct stored *stored)
{
    char name[NAME_BYTES];
    artifact_store_name_of(stored, name);
    (void)unlinkat(store->folder, name, 0);
    store->bytes -= stored->size_bytes;
}

static void drop(struct artifact_store *store, size_t from, size_t to)
{
    if (from == to) {
        return;
    }
    for (size_t i = from; i < to; i++) {
        remove_file(store, &store->items[i]);
    }
    memmove(&store->items[from], &store->items[to], (store->count - to) * sizeof *store->items);
    store->count -= to - from;
}

static size_t end_of(const struct artifact_store *store, size_t place)
{
    return artifact_store_place_of(store, store->items[place].campaign, LIMIT_ARTIFACTS + 1);
}

/* False if the space is taken by campaigns that are not older. */
static bool make_room(struct artifact_store *store, uint64_t campaign, uint64_t size_bytes)
{
    while (store->count > 0 &&
           (store->bytes + size_bytes > ARTIFACT_STORE_BYTES || store->count >= ARTIFACT_STORE_FILES)) {
        if (store->items[0].campaign >= campaign) {
            return false;
        }
        drop(store, 0, end_of(store, 0));
    }
    return true;
}

/* A temporary file whose writer died is removed. */
static bool is_left_over(const char *name, size_t size)
{
    struct stored stored;
    size_t new_size = strlen(NEW);
    return size > new_size && strcmp(name + size - new_size, NEW) == 0 &&
           parse(name, size - new_size, &stored);
}

/* False if it is not ours. */
static bool artifact_store_take_file(struct artifact_store *store, const char *name)
{
    struct stored stored;
    struct stat status;
    if (is_left_over(name, strlen(name))) {
        return unlinkat(store->folder, name, 0) == 0;
    }
    if (!parse(name, strlen(name), &stored) || store->count >= LOOKED_AT ||
        fstatat(store->folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size <= 0 || status.st_size > (off_t)LIMIT_ARTIFACT_BYTES) {
        return false;
    }
    stored.size_bytes = (uint64_t)status.st_size;
    append(store, &stored);
    return true;
}

/* Returns how many entries are not ours. */
static size_t take_all(struct artifact_store *store, DIR *folder)
{
    size_t strangers = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        bool is_itself = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        strangers += !is_itself && !artifact_store_take_file(store, entry->d_name);
    }
    if (store->count > 0) {
        qsort(store->items, store->count, sizeof *store->items, compare);
    }
    return strangers;
}

/* Two files with the same number cannot both be ours; artifacts of forgotten campaigns cannot be
 * requested. */
static void drop_needless(struct artifact_store *store, const struct archive *archive)
{
    struct archived archived;
    size_t kept = 0;
    for (size_t i = 0; i < store->count; i++) {
        const struct stored *stored = &store->items[i];
        bool is_second = kept > 0 && compare(&store->items[kept - 1], stored) == 0;
        if (is_second || !archive_find(archive, stored->campaign, &archived)) {
            remove_file(store, stored);
        } else {
            store->items[kept++] = *stored;
        }
    }
    store->count = kept;
    (void)make_room(store, UINT64_MAX, 0);
}

static bool artifact_store_read_all(struct artifact_store *store, const struct archive *archive,
                                    struct error *warning, struct error *error)
{
    int descriptor = openat(store->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = descriptor >= 0 ? fdopendir(descriptor) : NULL;
    if (folder == NULL) {
        return error_set_system(error, errno, "the folder %s cannot be read", store->folder_name);
    }
    size_t strangers = take_all(store, folder);
    (void)closedir(folder);
    drop_needless(store, archive);
    if (strangers > 0) {
        (void)error_set(warning, "%zu file%s in %s %s not an artifact of a failed step: left alone",
                        strangers, strangers == 1 ? "" : "s", store->folder_name,
                        strangers == 1 ? "is" : "are");
    }
    return true;
}

struct artifact_store *artifact_store_open(const char *folder, const struct archive *archive,
                                           struct error *warning, struct error *error)
{
    struct artifact_store *store = MEMORY_NEW(struct artifact_store);
    store->folder_name = memory_copy_string(folder);
    store->folder = state_folder_open(folder, false, warning, error);
    if (store->folder < 0 || !artifact_store_read_all(store, archive, warning, error)) {
        artifact_store_free(&store);
    }
    return store;
}

void artifact_store_free(struct artifact_store **at)
{
    struct artifact_store *store = *at;
    *at = NULL;
    if (store == NULL) {
        return;
    }
    if (store->folder >= 0) {
        (void)close(store->folder);
    }
    memory_free(store->items);
    memory_free(store->folder_name);
    memory_free(store);
}

uint32_t artifact_store_last(const struct artifact_store *store, uint64_t campaign)
{
    size_t place = artifact_store_place_of(store, campaign, LIMIT_ARTIFACTS + 1);
    bool is_there = place > 0 && store->items[place - 1].campaign == campaign;
    return is_there ? store->items[place - 1].number : 0;
}

static bool artifact_store_write_file(const struct artifact_store *store, const char *name,
                                      struct bytes content, struct error *error)
{
    char new_name[NAME_BYTES + sizeof NEW];
    (void)snprintf(new_name, sizeof new_name, "%s" NEW, name);
    int file = replace_file_at(store->folder, name, new_name, content);
    if (file < 0) {
        return error_set_system(error, errno, "%s cannot be written to %s", name, store->folder_name);
    }
    (void)close(file);
    return true;
}

bool artifact_store_put(struct artifact_store *store, uint64_t campaign, uint32_t number,
                        const struct artifact *artifact, struct error *error)
{
    char name[NAME_BYTES];
    struct stored stored = {
        .campaign = campaign, .number = number, .kind = artifact->kind, .size_bytes = artifact->content.size};
    if (artifact_store_find(store, campaign, number) != NULL ||
        !make_room(store, campaign, stored.size_bytes)) {
        return true;
    }
    artifact_store_name_of(&stored, name);
    if (!artifact_store_write_file(store, name, artifact->content, error)) {
        return false;
    }
    insert(store, &stored);
    return true;
}

void artifact_store_delete(struct artifact_store *store, uint64_t campaign)
{
    drop(store, artifact_store_place_of(store, campaign, 0),
         artifact_store_place_of(store, campaign, LIMIT_ARTIFACTS + 1));
}

bool artifact_store_read(const struct artifact_store *store, uint64_t campaign, uint64_t number,
                         struct buffer *content, struct artifact *artifact)
{
    uint8_t piece[16384];
    char name[NAME_BYTES];
    const struct stored *stored =
        number <= LIMIT_ARTIFACTS ? artifact_store_find(store, campaign, (uint32_t)number) : NULL;
    if (stored == NULL) {
        return false;
    }
    artifact_store_name_of(stored, name);
    int file = state_file_open(store->folder, name, O_RDONLY);
    ssize_t size = 0;
    buffer_clear(content);
    while (file >= 0 && (size = read(file, piece, sizeof piece)) > 0 &&
           buffer_append(content, piece, (size_t)size)) {
    }
    if (file >= 0) {
        (void)close(file);
    }
    *artifact = (struct artifact){.kind = stored->kind, .content = buffer_bytes(content)};
    return file >= 0 && size == 0 && artifact->content.size == stored->size_bytes;
}
