/* Files that hold keys. */
#include "proto/keys/key_folder.h"

#include "common/memory.h"
#include "common/replace_file.h"
#include "common/trusted_file.h"
#include "proto/keys/curve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAIR_FILE "coordinator.key"
#define LIST_FILE "agents.allow"
#define KEY_FILE_MODE 0600

static char *path_of(const char *folder, const char *file)
{
    return memory_format("%s/%s", folder, file);
}

static bool write_list(const char *folder, const struct allow_list *list, bool may_replace,
                       struct error *error)
{
    SCOPED(memory_free_at) char *path = path_of(folder, LIST_FILE);
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, ALLOW_LIST_MAX_BYTES);
    allow_list_format(list, &text);
    return replace_file(path, buffer_bytes(&text), KEY_FILE_MODE, may_replace, error);
}

bool key_folder_write_list(const char *folder, const struct allow_list *list, struct error *error)
{
    return write_list(folder, list, true, error);
}

static bool write_pair(const char *folder, struct error *error)
{
    SCOPED(memory_free_at) char *path = path_of(folder, PAIR_FILE);
    SCOPED(trusted_file_wipe) struct buffer text;
    struct key_pair pair;
    buffer_init(&text, KEY_FILE_MAX_BYTES);
    curve_draw(&pair);
    key_pair_format(&pair, &text);
    key_pair_wipe(&pair);
    return replace_file(path, buffer_bytes(&text), KEY_FILE_MODE, false, error);
}

/* The pair comes last: if it exists, the folder is complete. */
bool key_folder_make(const char *folder, struct error *error)
{
    SCOPED(memory_free_at) char *pair = path_of(folder, PAIR_FILE);
    SCOPED(memory_free_at) char *list = path_of(folder, LIST_FILE);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return error_set_system(error, errno, "%s cannot be created", folder);
    }
    if (!trusted_folder_check(folder, error)) {
        return false;
    }
    if (faccessat(AT_FDCWD, pair, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        return error_set(error, "%s already exists; nothing was overwritten", pair);
    }
    struct allow_list *empty = allow_list_new();
    bool is_good = access(list, F_OK) == 0 || write_list(folder, empty, false, error);
    allow_list_free(&empty);
    return is_good && write_pair(folder, error);
}

int key_folder_lock(const char *folder, struct error *error)
{
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        error_set_system(error, errno, "%s cannot be opened", folder);
        return -1;
    }
    if (flock(descriptor, LOCK_EX) != 0) {
        error_set_system(error, errno, "%s cannot be locked", folder);
        (void)close(descriptor);
        return -1;
    }
    return descriptor;
}

static bool check_pair(const char *path, const struct key_pair *pair, struct error *error)
{
    return curve_belongs(pair) ||
           error_set(error, "%s: the public key does not belong to the secret one", path);
}

bool key_folder_read_pair(const char *folder, struct key_pair *pair, struct error *warning,
                          struct error *error)
{
    SCOPED(memory_free_at) char *path = path_of(folder, PAIR_FILE);
    SCOPED(trusted_file_wipe) struct buffer text;
    struct stat status;
    buffer_init(&text, KEY_FILE_MAX_BYTES);
    if (!trusted_file_read(path, TRUSTED_FILE_SECRET, &text, &status, warning, error) ||
        !trusted_folder_check(folder, error)) {
        return false;
    }
    if (!key_pair_parse(buffer_bytes(&text), pair, error)) {
        return error_wrap(error, "%s: ", path);
    }
    return check_pair(path, pair, error);
}

static struct key_stamp stamp_of(const struct stat *status)
{
    return (struct key_stamp){.inode = (uint64_t)status->st_ino,
                              .size_bytes = (uint64_t)status->st_size,
                              .changed_s = status->st_ctim.tv_sec,
                              .changed_ns = status->st_ctim.tv_nsec};
}

struct allow_list *key_folder_read_list(const char *folder, struct key_stamp *stamp, struct error *error)
{
    SCOPED(memory_free_at) char *path = path_of(folder, LIST_FILE);
    SCOPED(buffer_finish) struct buffer text;
    struct stat status;
    struct error warning;
    buffer_init(&text, ALLOW_LIST_MAX_BYTES);
    bool is_read = trusted_file_read(path, TRUSTED_FILE_PUBLIC, &text, &status, &warning, error);
    *stamp = stamp_of(&status);
    if (!is_read) {
        return NULL;
    }
    struct allow_list *list = allow_list_parse(buffer_bytes(&text), error);
    if (list == NULL) {
        error_wrap(error, "%s: ", path);
    }
    return list;
}

bool key_folder_has_changed(const char *folder, const struct key_stamp *stamp)
{
    SCOPED(memory_free_at) char *path = path_of(folder, LIST_FILE);
    struct stat status = {0};
    if (stat(path, &status) != 0) {
        status = (struct stat){0};
    }
    struct key_stamp now = stamp_of(&status);
    return now.inode != stamp->inode || now.size_bytes != stamp->size_bytes ||
           now.changed_s != stamp->changed_s || now.changed_ns != stamp->changed_ns;
}

static bool read_agent_text(const char *path, struct buffer *text, struct error *warning, struct error *error)
{
    struct stat status;
    if (strcmp(path, "-") == 0) {
        return trusted_file_read_all(STDIN_FILENO, text, error) || error_wrap(error, "standard input: ");
    }
    return trusted_file_read(path, TRUSTED_FILE_SECRET, text, &status, warning, error);
}

bool agent_key_read(const char *path, struct agent_key *key, struct error *warning, struct error *error)
{
    SCOPED(trusted_file_wipe) struct buffer text;
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    warning->text[0] = '\0';
    buffer_init(&text, KEY_FILE_MAX_BYTES);
    if (!read_agent_text(path, &text, warning, error)) {
        return false;
    }
    if (!agent_key_parse(buffer_bytes(&text), key, error)) {
        return error_wrap(error, "%s: ", name);
    }
    return key->token[0] != '\0' || check_pair(name, &key->pair, error);
}

bool agent_key_write(const char *path, const struct agent_key *key, struct error *error)
{
    SCOPED(trusted_file_wipe) struct buffer text;
    buffer_init(&text, KEY_FILE_MAX_BYTES);
    agent_key_format(key, &text);
    return replace_file(path, buffer_bytes(&text), KEY_FILE_MODE, false, error);
}
