/* Creates, finds and removes the folders of drivers. */
#include "agent/browser/folder.h"

#include "common/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Browsers create sockets below it, whose paths are limited to 107 bytes. */
#define LONGEST_TEMPORARY 30
#define FRESH_S 60
#define FRESH_PREFIX "new-"
#define OPEN_FOLDERS 16

static const char *const parts[] = {"home", "tmp", "profile", "profiles"};

static void root_path(char path[FOLDER_PATH_BYTES])
{
    const char *temporary = getenv("TMPDIR");

    if (temporary == NULL || *temporary != '/' || strlen(temporary) > LONGEST_TEMPORARY) {
        temporary = "/tmp";
    }
    snprintf(path, FOLDER_PATH_BYTES, "%s/tutti-browsers-%u", temporary, (unsigned)geteuid());
}

/* It must not have been created by, or be accessible to, another user. */
static bool make_root(char path[FOLDER_PATH_BYTES], struct error *error)
{
    struct stat status;

    root_path(path);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return error_set_system(error, errno, "cannot create the folder %s", path);
    }
    if (lstat(path, &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
        (status.st_mode & 077) != 0) {
        return error_set(error, "%s is not a private folder of this user: remove it, or set TMPDIR", path);
    }
    return true;
}

/* Cleaners of old files in /tmp skip folders that are locked. */
int browser_folder_open_root(char path[FOLDER_PATH_BYTES])
{
    if (!make_root(path, NULL)) {
        return -1;
    }
    int root = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (root >= 0) {
        (void)flock(root, LOCK_SH | LOCK_NB);
    }
    return root;
}

static bool hold_lock(struct browser_folder *folder, int flags)
{
    char path[FOLDER_PATH_BYTES + 8];

    snprintf(path, sizeof path, "%s/lock", folder->path);
    folder->lock = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (folder->lock < 0) {
        return false;
    }
    if (flock(folder->lock, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    (void)close(folder->lock);
    folder->lock = -1;
    return false;
}

static bool make_parts(const struct browser_folder *folder, struct error *error)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char path[FOLDER_PATH_BYTES + 16];
        snprintf(path, sizeof path, "%s/%s", folder->path, parts[i]);
        if (mkdir(path, 0700) != 0) {
            return error_set_system(error, errno, "cannot create the folder %s", path);
        }
    }
    return true;
}

/* It is renamed to its final name once the lock is held, so that nobody takes it for stale before. */
bool browser_folder_make(struct browser_folder *folder, struct error *error)
{
    char root[FOLDER_PATH_BYTES];
    char fresh[FOLDER_PATH_BYTES];

    if (!make_root(root, error)) {
        return false;
    }
    folder->lock = -1;
    snprintf(folder->path, sizeof folder->path, "%.100s/" FRESH_PREFIX "XXXXXX", root);
    if (mkdtemp(folder->path) == NULL) {
        return error_set_system(error, errno, "cannot create a folder in %s", root);
    }
    if (!hold_lock(folder, O_CREAT)) {
        return error_set_system(error, errno, "cannot lock %s", folder->path);
    }
    snprintf(fresh, sizeof fresh, "%s", folder->path);
    snprintf(folder->path, sizeof folder->path, "%.100s/%s", root,
             strrchr(fresh, '/') + 1 + strlen(FRESH_PREFIX));
    if (rename(fresh, folder->path) != 0) {
        return error_set_system(error, errno, "cannot create the folder %s", folder->path);
    }
    return make_parts(folder, error);
}

/* A folder without its final name is about to get it from its creator, unless it is old. */
static bool may_be_stale(const char *path, const char *name)
{
    struct stat status;

    if (*name == '.' || lstat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        return false;
    }
    return strncmp(name, FRESH_PREFIX, strlen(FRESH_PREFIX)) != 0 || time(NULL) - status.st_mtime > FRESH_S;
}

bool browser_folder_take_stale(struct browser_folder *folder)
{
    char root[FOLDER_PATH_BYTES];
    const struct dirent *entry;
    bool is_taken = false;

    if (!make_root(root, NULL)) {
        return false;
    }
    DIR *listing = opendir(root);
    while (listing != NULL && !is_taken && (entry = readdir(listing)) != NULL) {
        if (strlen(root) + strlen(entry->d_name) + 2 > sizeof folder->path) {
            continue;
        }
        snprintf(folder->path, sizeof folder->path, "%.100s/%.24s", root, entry->d_name);
        /* The lock file may have been removed before the rest of it. */
        is_taken = may_be_stale(folder->path, entry->d_name) && hold_lock(folder, O_CREAT);
    }
    if (listing != NULL) {
        (void)closedir(listing);
    }
    return is_taken;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    (void)remove(path);
    return 0;
}

bool browser_folder_remove(struct browser_folder *folder)
{
    struct stat status;

    (void)nftw(folder->path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    bool is_gone = lstat(folder->path, &status) != 0;
    if (is_gone && folder->lock >= 0) {
        (void)close(folder->lock);
        folder->lock = -1;
    }
    return is_gone;
}
