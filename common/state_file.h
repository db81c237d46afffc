/* Files in folders that belong to this user alone: nothing planted there is followed, waited for or taken for
 * a file of ours. */
#pragma once
#include "common/error.h"

#include <sys/types.h>

/* The folder, made with mode 0700 where it is missing; its descriptor, or -1 with an error: also where it
 * belongs to another user than this one and root, or everybody may write to it. `warning` says where others
 * may look into it, else it is empty. `follows_links`: the path may end in a symbolic link. */
int state_folder_open(const char *path, bool follows_links, struct error *warning, struct error *error);
/* A regular file of this folder to be read, or with O_WRONLY, O_APPEND … as `flags`; -1 with errno, EINVAL
 * for what is no regular file. Neither follows links nor waits for the other end of a pipe. */
int state_file_open(int folder, const char *name, int flags);
/* A new file to be written and appended to, mode 0600, in the place of whatever has this name. -1 with errno.
 */
int state_file_make(int folder, const char *name);
