/* Writes artifacts of a report into a folder. */
#include "cli/base/artifact_files.h"

#include "common/memory.h"
#include "common/write_all.h"
#include "coordinator/core/report/artifacts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void artifact_files_folder(char folder[ARTIFACT_FOLDER_BYTES])
{
    time_t now = time(NULL);
    struct tm local;
    char stamp[32] = "";
    if (localtime_r(&now, &local) != NULL) {
        (void)strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &local);
    }
    (void)snprintf(folder, ARTIFACT_FOLDER_BYTES, "tutti-artifacts/%s-%ld", stamp, (long)getpid());
}

static bool artifact_files_make_folder(const char *folder)
{
    return mkdir(folder, 0777) == 0 || errno == EEXIST;
}

static bool make_folders(const char *folder, struct error *error)
{
    SCOPED(memory_free_at) char *path = memory_copy_string(folder);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!artifact_files_make_folder(path)) {
            return error_set_system(error, errno, "%s cannot be created", path);
        }
        *slash = '/';
    }
    return artifact_files_make_folder(path) || error_set_system(error, errno, "%s cannot be created", folder);
}

static bool write_file(const char *path, struct bytes content, struct error *error)
{
    struct stat status;
    /* Neither follows a link that others have planted nor waits for a pipe. */
    int descriptor =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0666);
    if (descriptor < 0) {
        return error_set_system(error, errno, "%s cannot be written", path);
    }
    bool is_written = fstat(descriptor, &status) == 0 && write_all(descriptor, content);
    int number = errno;
    if (close(descriptor) != 0 && is_written) {
        is_written = false;
        number = errno;
    }
    if (is_written && !S_ISREG(status.st_mode)) {
        return error_set(error, "%s is not a file", path);
    }
    return is_written || error_set_system(error, number, "%s cannot be written", path);
}

bool artifact_files_write(const struct artifact *artifacts, size_t count, const char *folder,
                          struct error *error)
{
    if (!make_folders(folder, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        char name[ARTIFACT_NAME_BYTES];
        artifact_name(&artifacts[i], i + 1, name);
        SCOPED(memory_free_at) char *path = memory_format("%s/%s", folder, name);
        if (!write_file(path, artifacts[i].content, error)) {
            return false;
        }
    }
    return true;
}
