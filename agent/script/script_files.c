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
    struct owned_bundle kept;
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

/* Takes the content. */
static bool keep_file(struct script_files *files, const char *path, struct text content, struct error *error)
{
    size_t size = content.bytes.size;
    if (files->kept.bundle.file_count == LIMIT_BUNDLE_FILES ||
        size > LIMIT_BUNDLE_BYTES - files->kept_bytes) {
        text_finish(&content);
        return error_set(error, "%s: a script may have at most %u files of %u MiB together", path,
                         LIMIT_BUNDLE_FILES, LIMIT_BUNDLE_BYTES >> 20);
    }
    owned_bundle_add(&files->kept, text_copy_string(path), content);
    files->kept_bytes += size;
    return true;
}

static bool read_whole(const char *path, struct text *content, struct error *error)
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
        bool is_folder = S_ISDIR(status.st_mode);
        fclose(file);
        if (is_folder) {
            return error_set(error, "%s: a folder, not a file", path);
        }
        return error_set(error, "%s: not a file of at most %u MiB", path, LIMIT_BUNDLE_BYTES >> 20);
    }
    size_t size = (size_t)status.st_size;
    uint8_t *data = memory_new(size + 1, 1);
    size_t count = fread(data, 1, size, file);
    fclose(file);
    *content = text_take(data, count);
    return true;
}

struct script_files *script_files_of_folder(const char *script_path, struct error *error)
{
    const char *slash = strrchr(script_path, '/');
    struct text content = {0};

    if (!read_whole(script_path, &content, error)) {
        return NULL;
    }
    struct script_files *files = MEMORY_NEW(struct script_files);
    files->folder =
        slash != NULL ? memory_copy(script_path, (size_t)(slash + 1 - script_path)) : memory_copy_string("");
    files->main = memory_copy_string(slash != NULL ? slash + 1 : script_path);
    if (!keep_file(files, files->main, content, error)) {
        script_files_free(&files);
    }
    return files;
}

void script_files_free(struct script_files **files)
{
    if (*files == NULL) {
        return;
    }
    owned_bundle_finish(&(*files)->kept);
    memory_free((*files)->folder);
    memory_free((*files)->main);
    memory_free(*files);
    *files = NULL;
}

const char *script_files_main(const struct script_files *files)
{
    return files->main;
}

static bool find(const struct bundle *bundle, const char *path, struct bytes *content)
{
    for (size_t i = 0; i < bundle->file_count; i++) {
        if (bytes_equal_string(bundle->files[i].path, path)) {
            *content = bundle->files[i].content;
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
        return find(files->bundle, clean, content) ||
               error_set(error, "%s: no such file in the bundle (name it in options.files)", path);
    }
    if (find(&files->kept.bundle, clean, content)) {
        return true;
    }
    char *full = memory_format("%s%s", files->folder, clean);
    struct text read = {0};
    bool is_read = read_whole(full, &read, error);
    memory_free(full);
    *content = read.bytes;
    return is_read && keep_file(files, clean, read, error);
}

void script_files_take_bundle(struct script_files *files, struct owned_bundle *bundle)
{
    owned_bundle_seal(&files->kept);
    *bundle = files->kept;
    files->kept = (struct owned_bundle){0};
    files->kept_bytes = 0;
}
