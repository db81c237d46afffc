/* The folder that a driver and its browser have to themselves, and what wardens that were killed left of
 * theirs. All stand in one folder of this user, and a reaper that lives holds a lock in its own. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>

#define FOLDER_PATH_BYTES 128

struct browser_folder {
    char path[FOLDER_PATH_BYTES];
    int lock;
};

/* The folder in which all of them stand, made where it is not there; stays as long as the descriptor is open,
 * also where old files are cleared away. -1 if it cannot be ours. */
MUST_CHECK int browser_folder_open_root(char path[FOLDER_PATH_BYTES]);
/* Makes one, with home, tmp, profile and profiles in it. */
MUST_CHECK bool browser_folder_make(struct browser_folder *folder, struct error *error);
/* Takes one that nobody holds; false if there is none. */
MUST_CHECK bool browser_folder_take_stale(struct browser_folder *folder);
/* With all that is in it; then lets the lock go. False if something of it is still there. */
bool browser_folder_remove(struct browser_folder *folder);
