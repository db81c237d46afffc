/* A file that is written completely or not at all. */
#include "cli/view/json_file.h"
#include "common/memory.h"
#include "common/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct json_file {
    char *path;      /* NULL: standard output */
    char *temporary; /* NULL: `path` is written in place */
    int descriptor;
};

/* A device or a pipe cannot be replaced, only written. */
static bool is_special(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

/* mkostemp makes it private; a report has the permissions of any new file of this user. */
static int open_temporary(char *template)
{
    int descriptor = mkostemp(template, O_CLOEXEC);
    if (descriptor >= 0) {
        mode_t mask = umask(0);
        (void)umask(mask);
        (void)fchmod(descriptor, 0666 & ~mask);
    }
    return descriptor;
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
        file->temporary = memory_format("%s.XXXXXX", path);
        file->descriptor = open_temporary(file->temporary);
    }
    if (file->descriptor < 0) {
        error_set_system(error, errno, "%s cannot be written", path);
        memory_free(file->temporary);
        file->temporary = NULL;
        json_file_close(&file);
    }
    return file;
}

bool json_file_write(struct json_file *file, const char *text, struct error *error)
{
    const char *name = file->path != NULL ? file->path : "standard output";
    if (!write_all(file->descriptor, bytes_of_string(text)) ||
        (file->temporary != NULL && fsync(file->descriptor) != 0)) {
        return error_set_system(error, errno, "%s cannot be written", name);
    }
    if (file->temporary != NULL && rename(file->temporary, file->path) != 0) {
        return error_set_system(error, errno, "%s cannot be written", name);
    }
    memory_free(file->temporary);
    file->temporary = NULL;
    return true;
}

void json_file_close(struct json_file **file)
{
    if (*file == NULL) {
        return;
    }
    if ((*file)->temporary != NULL) {
        (void)unlink((*file)->temporary);
    }
    if ((*file)->path != NULL && (*file)->descriptor >= 0) {
        (void)close((*file)->descriptor);
    }
    memory_free((*file)->temporary);
    memory_free((*file)->path);
    memory_free(*file);
    *file = NULL;
}
