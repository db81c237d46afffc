/* Files and folders that decide who may do what. */
#include "common/trusted_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES 4096u
#define MODE_BITS 07777u
/* O_NONBLOCK: a pipe without a writer is refused instead of waited for. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static bool owner_is_trusted(const struct stat *status)
{
    return status->st_uid == geteuid() || status->st_uid == 0;
}

static bool refuse_owner(const char *path, const struct stat *status, struct error *error)
{
    return error_set(error, "%s belongs to another user (%u), who can change it: chown %u %s", path,
                     (unsigned)status->st_uid, (unsigned)geteuid(), path);
}

/* Root may open its secrets to the group of a service on purpose; nobody else has a reason to. */
static bool check_secret(const char *path, const struct stat *status, struct error *warning,
                         struct error *error)
{
    unsigned mode = (unsigned)status->st_mode & MODE_BITS;
    bool is_open_to_group = status->st_uid != 0 && (mode & S_IRWXG) != 0;
    bool is_open_to_all = (mode & S_IRWXO) != 0;
    if (status->st_uid == geteuid() && (is_open_to_group || is_open_to_all)) {
        return error_set(error, "%s holds a secret and others may open it (mode %04o): chmod 600 %s", path,
                         mode, path);
    }
    if (is_open_to_all) {
        (void)error_set(warning, "%s holds a secret and everybody may open it (mode %04o): tell root", path,
                        mode);
    }
    return true;
}

static bool check_file(const char *path, enum trusted_file_kind kind, const struct stat *status,
                       struct error *warning, struct error *error)
{
    if (!S_ISREG(status->st_mode)) {
        return error_set(error, "%s is not a file", path);
    }
    if (!owner_is_trusted(status)) {
        return refuse_owner(path, status, error);
    }
    if (kind == TRUSTED_FILE_SECRET && !check_secret(path, status, warning, error)) {
        return false;
    }
    if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return error_set(error, "%s can be changed by others (mode %04o): chmod go-w %s", path,
                         (unsigned)status->st_mode & MODE_BITS, path);
    }
    return true;
}

/* -1 with an error. */
static int open_trusted(const char *path, struct error *error)
{
    struct stat link;
    int descriptor = open(path, OPEN_FLAGS | O_NOFOLLOW);
    if (descriptor < 0 && errno == ELOOP && lstat(path, &link) == 0) {
        if (!owner_is_trusted(&link)) {
            (void)error_set(error, "%s is a symbolic link that another user (%u) created: remove it", path,
                            (unsigned)link.st_uid);
            return -1;
        }
        descriptor = open(path, OPEN_FLAGS);
    }
    if (descriptor < 0) {
        (void)error_set_system(error, errno, "%s cannot be read", path);
    }
    return descriptor;
}

bool trusted_file_read_all(int descriptor, struct buffer *into, struct error *error)
{
    uint8_t chunk[CHUNK_BYTES];
    ssize_t size = 1;
    bool is_good = true;
    while (is_good && size != 0) {
        size = read(descriptor, chunk, sizeof chunk);
        if (size < 0 && errno != EINTR) {
            is_good = error_set(error, "%s", strerror(errno));
        } else if (size > 0 && !buffer_append(into, chunk, (size_t)size)) {
            is_good = error_set(error, "too large");
        }
    }
    explicit_bzero(chunk, sizeof chunk);
    return is_good;
}

bool trusted_file_read(const char *path, enum trusted_file_kind kind, struct buffer *into,
                       struct stat *status, struct error *warning, struct error *error)
{
    warning->text[0] = '\0';
    *status = (struct stat){0};
    int descriptor = open_trusted(path, error);
    if (descriptor < 0) {
        return false;
    }
    bool is_good =
        fstat(descriptor, status) == 0 || error_set_system(error, errno, "%s cannot be read", path);
    is_good = is_good && check_file(path, kind, status, warning, error);
    if (is_good && !trusted_file_read_all(descriptor, into, error)) {
        is_good = error_wrap(error, "%s: ", path);
    }
    (void)close(descriptor);
    return is_good;
}

bool trusted_folder_check(const char *path, struct error *error)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return error_set_system(error, errno, "%s cannot be opened", path);
    }
    if (!S_ISDIR(status.st_mode)) {
        return error_set(error, "%s is not a folder", path);
    }
    if (!owner_is_trusted(&status)) {
        return refuse_owner(path, &status, error);
    }
    /* In a sticky folder, as Kubernetes mounts its secrets, others cannot replace files that are not theirs,
     * and files that are theirs are refused anyway. */
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status.st_mode & S_ISVTX) == 0) {
        return error_set(error, "others can replace the files in %s (mode %04o): chmod go-w %s", path,
                         (unsigned)status.st_mode & MODE_BITS, path);
    }
    return true;
}

void trusted_file_wipe(struct buffer *text)
{
    if (text->data != NULL) {
        explicit_bzero(text->data, text->capacity);
    }
    buffer_finish(text);
}
