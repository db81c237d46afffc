/* Opens the files to see whether it can. */
#include "agent/walls/name_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

static const char *const paths[NAME_FILES] = {"/etc/resolv.conf", "/etc/hosts"};

/* A file that is missing for a moment may be back the next. */
static bool is_refused(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool is_missed = file < 0 && errno == EACCES;

    if (file >= 0) {
        (void)close(file);
    }
    return is_missed;
}

void name_files_init(struct name_files *files)
{
    for (int i = 0; i < NAME_FILES; i++) {
        files->is_seen[i] = !is_refused(paths[i]);
    }
}

const char *name_files_lost(struct name_files *files)
{
    for (int i = 0; i < NAME_FILES; i++) {
        if (files->is_seen[i] && is_refused(paths[i])) {
            files->is_seen[i] = false;
            return paths[i];
        }
    }
    return NULL;
}
