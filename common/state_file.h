/* Files in folders that belong to this user alone: nothing planted there is followed, waited for or mistaken
 * for a file of ours. */
#pragma once
#include "common/error.h"

#include <sys/types.h>

/* Opens the folder, creating it with mode 0700 if it is missing; returns its descriptor, or -1 with an error,
 * also if it belongs to a user other than this one and root, or everybody may write to it. `warning` says if
 * others may read it, else it is empty. `follows_links`: the path may end in a symbolic link. */
int state_folder_open(const char *path, bool follows_links, struct error *warning, struct error *error);
/* Opens a regular file of this folder for reading, or with O_WRONLY, O_APPEND … as `flags`; -1 with errno,
 * EINVAL if it is not a regular file. Neither follows links nor waits for the other end of a pipe. */
int state_file_open(int folder, const char *name, int flags);
/* Creates a file for writing and appending, mode 0600, replacing anything of this name. -1 with errno. */
int state_file_make(int folder, const char *name);
