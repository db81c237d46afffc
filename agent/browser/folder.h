/* The private folder of a driver and its browser, and the leftover folders of reapers that were killed. All
 * are in one folder of this user, and a live reaper holds a lock in its own. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>

#define FOLDER_PATH_BYTES 128

struct browser_folder {
    char path[FOLDER_PATH_BYTES];
    int lock;
};

/* Opens the folder that contains all of them, creating it if it does not exist; it is kept as long as the
 * descriptor is open, even where old files are cleaned up. -1 if it cannot be a private folder of this
 * user. */
MUST_CHECK int browser_folder_open_root(char path[FOLDER_PATH_BYTES]);
/* Creates one, with home, tmp, profile and profiles in it. */
MUST_CHECK bool browser_folder_make(struct browser_folder *folder, struct error *error);
/* Takes over one that nobody holds; false if there is none. */
MUST_CHECK bool browser_folder_take_stale(struct browser_folder *folder);
/* Removes it with everything in it, then releases the lock. False if something of it is still there. */
bool browser_folder_remove(struct browser_folder *folder);
