/* Files in folders that belong to this user alone. */
#include "common/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0700
#define FILE_MODE 0600
#define OTHERS_MODE (S_IRWXG | S_IRWXO)

static bool check_folder(const char *path, const struct stat *status, struct error *warning,
                         struct error *error)
{
    if (status->st_uid != geteuid() && status->st_uid != 0) {
        return error_set(error, "the folder %s belongs to another user (uid %u)", path,
                         (unsigned)status->st_uid);
    }
    if ((status->st_mode & S_IWOTH) != 0) {
        return error_set(error, "the folder %s is writable by everybody (mode %04o): chmod 700 it", path,
                         (unsigned)status->st_mode & ALLPERMS);
    }
    if ((status->st_mode & OTHERS_MODE) != 0) {
        (void)error_set(warning,
                        "the folder %s is open to others (mode %04o), and scripts and data of campaigns "
                        "are in it: chmod 700 it",
                        path, (unsigned)status->st_mode & ALLPERMS);
    }
    return true;
}

int state_folder_open(const char *path, bool follows_links, struct error *warning, struct error *error)
{
    *warning = (struct error){.text = ""};
    if (mkdir(path, FOLDER_MODE) != 0 && errno != EEXIST) {
        (void)error_set_system(error, errno, "the folder %s cannot be created", path);
        return -1;
    }
    struct stat status;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follows_links ? 0 : O_NOFOLLOW));
    if (folder < 0 || fstat(folder, &status) != 0) {
        (void)error_set_system(error, errno, "the folder %s cannot be opened", path);
    } else if (check_folder(path, &status, warning, error)) {
        return folder;
    }
    if (folder >= 0) {
        (void)close(folder);
    }
    return -1;
}

int state_file_open(int folder, const char *name, int flags)
{
    struct stat status;
    int file = openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (file < 0) {
        errno = errno == ELOOP || errno == ENXIO || errno == EISDIR ? EINVAL : errno;
        return -1;
    }
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
        return file;
    }
    (void)close(file);
    errno = EINVAL;
    return -1;
}

int state_file_make(int folder, const char *name)
{
    (void)unlinkat(folder, name, 0); /* left by a process that died, or planted */
    return openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
}
