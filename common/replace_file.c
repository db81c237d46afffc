/* Files that are there whole or not at all. */
#include "common/replace_file.h"

#include "common/memory.h"
#include "common/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_FILE_MODE 0600
#define NAMES_TRIED 100

struct replacement {
    int folder;
    bool owns_folder;
    int descriptor;
    char *name;
    char *temporary; /* NULL: it is in place */
};

static int replacement_make(int folder, const char *temporary)
{
    return openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                  STATE_FILE_MODE);
}

/* Under a name that nobody else has or will have. */
static void replacement_draw(struct replacement *replacement)
{
    for (int i = 0; i < NAMES_TRIED && replacement->descriptor < 0; i++) {
        uint64_t drawn = 0;
        if (getrandom(&drawn, sizeof drawn, 0) != (ssize_t)sizeof drawn) {
            return;
        }
        memory_free(replacement->temporary);
        replacement->temporary = memory_format("%s.%016" PRIx64, replacement->name, drawn);
        replacement->descriptor = replacement_make(replacement->folder, replacement->temporary);
        if (replacement->descriptor < 0 && errno != EEXIST) {
            return;
        }
    }
}

struct replacement *replacement_begin(int folder, const char *name, const char *temporary, mode_t mode)
{
    struct replacement *replacement = MEMORY_NEW(struct replacement);
    replacement->folder = folder;
    replacement->name = memory_copy_string(name);
    replacement->descriptor = -1;
    if (temporary == NULL) {
        replacement_draw(replacement);
    } else {
        replacement->temporary = memory_copy_string(temporary);
        (void)unlinkat(folder, temporary, 0);
        replacement->descriptor = replacement_make(folder, temporary);
    }
    if (replacement->descriptor < 0 || fchmod(replacement->descriptor, mode) != 0) {
        int number = errno;
        replacement_free(&replacement);
        errno = number;
    }
    return replacement;
}

/* A folder that may be passed through but not read can be written to as well. */
static int replacement_open_folder(const char *path, const char *slash)
{
    SCOPED(memory_free_at)
    char *folder = slash == NULL ? memory_copy_string(".") : memory_copy(path, (size_t)(slash + 1 - path));
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return descriptor >= 0 ? descriptor : open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

struct replacement *replacement_begin_path(const char *path, mode_t mode)
{
    const char *slash = strrchr(path, '/');
    int folder = replacement_open_folder(path, slash);
    if (folder < 0) {
        return NULL;
    }
    struct replacement *replacement = replacement_begin(folder, slash == NULL ? path : slash + 1, NULL, mode);
    if (replacement == NULL) {
        int number = errno;
        (void)close(folder);
        errno = number;
        return NULL;
    }
    replacement->owns_folder = true;
    return replacement;
}

int replacement_descriptor(const struct replacement *replacement)
{
    return replacement->descriptor;
}

bool replacement_put(struct replacement *replacement, bool may_replace)
{
    int folder = replacement->folder;
    const char *temporary = replacement->temporary;
    if (may_replace ? renameat(folder, temporary, folder, replacement->name) != 0
                    : linkat(folder, temporary, folder, replacement->name, 0) != 0) {
        return false;
    }
    if (!may_replace) {
        (void)unlinkat(folder, temporary, 0);
    }
    memory_free(replacement->temporary);
    replacement->temporary = NULL;
    return true;
}

void replacement_sync_folder(const struct replacement *replacement)
{
    (void)fsync(replacement->folder); /* where it cannot be done it is no worse than without */
}

int replacement_take(struct replacement *replacement)
{
    int descriptor = replacement->descriptor;
    replacement->descriptor = -1;
    return descriptor;
}

void replacement_free(struct replacement **at)
{
    struct replacement *replacement = *at;
    *at = NULL;
    if (replacement == NULL) {
        return;
    }
    if (replacement->descriptor >= 0) {
        (void)close(replacement->descriptor);
    }
    if (replacement->temporary != NULL) {
        (void)unlinkat(replacement->folder, replacement->temporary, 0);
    }
    if (replacement->owns_folder) {
        (void)close(replacement->folder);
    }
    memory_free(replacement->name);
    memory_free(replacement->temporary);
    memory_free(replacement);
}

/* Closed before it is put in place: some file systems say only then that the disk is full. */
static bool replacement_finish(struct replacement *replacement, struct bytes content, bool may_replace)
{
    if (!write_all(replacement->descriptor, content) || fsync(replacement->descriptor) != 0 ||
        close(replacement_take(replacement)) != 0 || !replacement_put(replacement, may_replace)) {
        return false;
    }
    replacement_sync_folder(replacement);
    return true;
}

bool replace_file(const char *path, struct bytes content, mode_t mode, bool may_replace, struct error *error)
{
    SCOPED(replacement_free) struct replacement *replacement = replacement_begin_path(path, mode);
    if (replacement != NULL && replacement_finish(replacement, content, may_replace)) {
        return true;
    }
    return errno == EEXIST ? error_set(error, "%s already exists; nothing was overwritten", path)
                           : error_set_system(error, errno, "%s cannot be written", path);
}

int replace_file_at(int folder, const char *name, const char *temporary, struct bytes content)
{
    struct replacement *replacement = replacement_begin(folder, name, temporary, STATE_FILE_MODE);
    if (replacement == NULL) {
        return -1;
    }
    bool is_done = write_all(replacement->descriptor, content) && replacement_put(replacement, true);
    int number = errno;
    int descriptor = is_done ? replacement_take(replacement) : -1;
    replacement_free(&replacement);
    errno = number;
    return descriptor;
}
