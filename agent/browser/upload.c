/* Writes files for uploads, using only descriptors. */
#include "agent/browser/upload.h"

#include "common/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUBFOLDER "uploads"

bool upload_is_name(struct bytes name)
{
    if (name.size == 0 || name.size > UPLOAD_NAME_BYTES || memchr(name.data, '/', name.size) != NULL ||
        memchr(name.data, 0, name.size) != NULL) {
        return false;
    }
    return !bytes_equal_string(name, ".") && !bytes_equal_string(name, "..");
}

/* Accessible by this user alone, so that nobody can replace its content. */
static int open_folder(int parent, const char *name)
{
    struct stat status;
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (folder < 0) {
        return -1;
    }
    if (fstat(folder, &status) == 0 && status.st_uid == geteuid() && (status.st_mode & 022) == 0) {
        return folder;
    }
    (void)close(folder);
    errno = EPERM;
    return -1;
}

static int make_folder(int parent, const char *name)
{
    if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST) {
        return -1;
    }
    return open_folder(parent, name);
}

static bool write_new(int folder, const char *name, struct bytes content)
{
    int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (file < 0) {
        return false;
    }
    bool is_written = write_all(file, content);
    int reason = errno;
    (void)close(file);
    if (!is_written) {
        (void)unlinkat(folder, name, 0);
    }
    errno = reason;
    return is_written;
}

static void close_folder(int folder)
{
    int reason = errno;

    if (folder >= 0) {
        (void)close(folder);
    }
    errno = reason;
}

bool upload_write(const char *folder, unsigned number, struct bytes name, struct bytes content,
                  char path[UPLOAD_PATH_BYTES], struct error *error)
{
    char own[UPLOAD_NAME_BYTES + 1];
    char place[16];

    if (!upload_is_name(name)) {
        return error_set(error, "that is not a file name");
    }
    memcpy(own, name.data, name.size);
    own[name.size] = 0;
    (void)snprintf(place, sizeof place, "%u", number);
    int length = snprintf(path, UPLOAD_PATH_BYTES, "%s/" SUBFOLDER "/%s/%s", folder, place, own);
    if (length < 0 || length >= UPLOAD_PATH_BYTES) {
        return error_set(error, "%s: the path is too long", own);
    }
    int base = open_folder(AT_FDCWD, folder);
    int uploads = base >= 0 ? make_folder(base, SUBFOLDER) : -1;
    int numbered = uploads >= 0 ? make_folder(uploads, place) : -1;
    bool is_written = numbered >= 0 && write_new(numbered, own, content);
    close_folder(numbered);
    close_folder(uploads);
    close_folder(base);
    return is_written || error_set_system(error, errno, "%s cannot be written", own);
}
