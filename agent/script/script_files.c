/* Reads the files of a bundle or of the script's folder. */
#include "agent/script/script_files.h"

#include "common/memory.h"
#include "proto/message/bundle.h"
#include "proto/message/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct script_files {
    const struct bundle *bundle; /* or NULL: a folder */
    char *folder;                /* with a trailing slash; empty: the current one */
    char *main;
    struct bundle_file *kept;
    size_t kept_count;
    size_t kept_capacity;
    size_t kept_bytes;
};

/* "./a//b/./c" → "a/b/c"; false for an absolute path, one with "..", or one that does not name a file. */
static bool clean_path(const char *path, char *clean, size_t size)
{
    size_t at = 0;

    if (*path == '/') {
        return false;
    }
    while (*path) {
        size_t length = strcspn(path, "/");
        if (length == 2 && path[0] == '.' && path[1] == '.') {
            return false;
        }
        if (length > 0 && !(length == 1 && path[0] == '.')) {
            if (at + length + 2 > size) {
                return false;
            }
            if (at > 0) {
                clean[at++] = '/';
            }
            memcpy(clean + at, path, length);
            at += length;
        }
        path += length;
        path += *path == '/';
    }
    clean[at] = 0;
    return at > 0;
}

struct script_files *script_files_of_bundle(const struct bundle *bundle)
{
    struct script_files *files = MEMORY_NEW(struct script_files);

    files->bundle = bundle;
    files->main = bundle->file_count > 0 ? memory_copy(bundle->files[0].path.data, bundle->files[0].path.size)
                                         : memory_copy_string("?");
    return files;
}

static bool keep_file(struct script_files *files, const char *path, struct bytes content, struct error *error)
{
    if (files->kept_count == LIMIT_BUNDLE_FILES || content.size > LIMIT_BUNDLE_BYTES - files->kept_bytes) {
        return error_set(error, "%s: a script may have at most %u files of %u MiB together", path,
                         LIMIT_BUNDLE_FILES, LIMIT_BUNDLE_BYTES >> 20);
    }
    files->kept =
        memory_reserve(files->kept, &files->kept_capacity, files->kept_count + 1, sizeof *files->kept);
    files->kept[files->kept_count++] =
        (struct bundle_file){.path = bytes_of(memory_copy_string(path), strlen(path)), .content = content};
    files->kept_bytes += content.size;
    return true;
}

static bool read_whole(const char *path, struct bytes *content, struct error *error)
{
    struct stat status;
    /* A pipe without a writer is refused instead of waited for. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "rb") : NULL;

    if (file == NULL) {
        return errno == ENOENT ? error_set(error, "%s: no such file", path)
                               : error_set_system(error, errno, "%s", path);
    }
    if (fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size > LIMIT_BUNDLE_BYTES) {
        fclose(file);
        return error_set(error, "%s: not a file of at most %u MiB", path, LIMIT_BUNDLE_BYTES >> 20);
    }
    size_t size = (size_t)status.st_size;
    uint8_t *data = memory_new(size + 1, 1);
    size_t count = fread(data, 1, size, file);
    fclose(file);
    *content = bytes_of(data, count);
    return true;
}

struct script_files *script_files_of_folder(const char *script_path, struct error *error)
{
    const char *slash = strrchr(script_path, '/');
    struct bytes content = {0};

    if (!read_whole(script_path, &content, error)) {
        return NULL;
    }
    struct script_files *files = MEMORY_NEW(struct script_files);
    files->folder =
        slash != NULL ? memory_copy(script_path, (size_t)(slash + 1 - script_path)) : memory_copy_string("");
    files->main = memory_copy_string(slash != NULL ? slash + 1 : script_path);
    if (!keep_file(files, files->main, content, error)) {
        memory_free((void *)content.data);
        script_files_free(&files);
    }
    return files;
}

static void free_kept(struct bundle_file *kept, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        memory_free((void *)kept[i].path.data);
        memory_free((void *)kept[i].content.data);
    }
    memory_free(kept);
}

void script_files_free(struct script_files **files)
{
    if (*files == NULL) {
        return;
    }
    free_kept((*files)->kept, (*files)->kept_count);
    memory_free((*files)->folder);
    memory_free((*files)->main);
    memory_free(*files);
    *files = NULL;
}

const char *script_files_main(const struct script_files *files)
{
    return files->main;
}

static bool find(const struct bundle_file *list, size_t count, const char *path, struct bytes *content)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal_string(list[i].path, path)) {
            *content = list[i].content;
            return true;
        }
    }
    return false;
}

bool script_files_read(struct script_files *files, const char *path, struct bytes *content,
                       struct error *error)
{
    char clean[LIMIT_NAME_BYTES + 1];

    if (!clean_path(path, clean, sizeof clean)) {
        return error_set(error, "%s: only files beside the script, by a relative path without '..'", path);
    }
    if (files->bundle != NULL) {
        return find(files->bundle->files, files->bundle->file_count, clean, content) ||
               error_set(error, "%s: no such file in the bundle (name it in options.files)", path);
    }
    if (find(files->kept, files->kept_count, clean, content)) {
        return true;
    }
    char *full = memory_format("%s%s", files->folder, clean);
    bool is_read = read_whole(full, content, error);
    memory_free(full);
    if (!is_read) {
        return false;
    }
    if (keep_file(files, clean, *content, error)) {
        return true;
    }
    memory_free((void *)content->data);
    return false;
}

void script_files_take_bundle(struct script_files *files, struct bundle *bundle)
{
    struct bundle kept = {.files = files->kept, .file_count = files->kept_count};
    char hash[DIGEST_TEXT_BYTES];

    bundle_hash(&kept, hash);
    *bundle = (struct bundle){.files = files->kept,
                              .file_count = files->kept_count,
                              .hash = bytes_of(memory_copy_string(hash), strlen(hash))};
    files->kept = NULL;
    files->kept_count = files->kept_capacity = 0;
}

void bundle_free_owned(struct bundle *bundle)
{
    free_kept(bundle->files, bundle->file_count);
    memory_free((void *)bundle->hash.data);
    *bundle = (struct bundle){0};
}
