/* A file that is written completely or not at all. */
#include "cli/view/json_file.h"
#include "common/memory.h"
#include "common/replace_file.h"
#include "common/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct json_file {
    char *path;                      /* NULL: standard output */
    struct replacement *replacement; /* NULL: `path` is written in place */
    int descriptor;
};

/* A device or a pipe cannot be replaced, only written. */
static bool is_special(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

/* A report has the permissions of any new file of this user. */
static mode_t json_file_mode(void)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    return 0666 & ~mask;
}

struct json_file *json_file_open(const char *path, struct error *error)
{
    struct json_file *file = MEMORY_NEW(struct json_file);
    struct stat status;
    file->descriptor = -1;
    if (strcmp(path, "-") == 0) {
        file->descriptor = STDOUT_FILENO;
        return file;
    }
    file->path = memory_copy_string(path);
    if (is_special(path)) {
        file->descriptor = open(path, O_WRONLY | O_CLOEXEC);
    } else if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        errno = EISDIR;
    } else {
        file->replacement = replacement_begin_path(path, json_file_mode());
        file->descriptor = file->replacement == NULL ? -1 : replacement_descriptor(file->replacement);
    }
    if (file->descriptor < 0) {
        error_set_system(error, errno, "%s cannot be written", path);
        json_file_close(&file);
    }
    return file;
}

bool json_file_write(struct json_file *file, const char *text, struct error *error)
{
    const char *name = file->path != NULL ? file->path : "standard output";
    bool is_written = write_all(file->descriptor, bytes_of_string(text));
    if (is_written && file->replacement != NULL) {
        is_written = fsync(file->descriptor) == 0 && replacement_put(file->replacement, true);
    }
    return is_written || error_set_system(error, errno, "%s cannot be written", name);
}

void json_file_close(struct json_file **file)
{
    if (*file == NULL) {
        return;
    }
    if ((*file)->path != NULL && (*file)->replacement == NULL && (*file)->descriptor >= 0) {
        (void)close((*file)->descriptor);
    }
    replacement_free(&(*file)->replacement);
    memory_free((*file)->path);
    memory_free(*file);
    *file = NULL;
}
