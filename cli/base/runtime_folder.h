/* Where a running process leaves files that others of the same user on this host have to find: a folder that
 * does not survive a reboot, and that nobody else can write to. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>

/* Opens the folder of the user, creating it if it is missing (mode 0700): $RUNTIME_DIRECTORY of systemd, else
 * $XDG_RUNTIME_DIR/tutti, else /run/tutti for root, else /tmp/tutti-UID. Returns its descriptor, for the
 * caller to close, and its path for memory_free; -1 with an error if it is not ours alone. */
MUST_CHECK int runtime_folder_open(char **path, struct error *error);

#define RUNTIME_FOLDERS 5
/* Where another process of this host may have left files, most likely first: paths for memory_free, NULL for
 * a place that does not exist. */
void runtime_folder_places(char *places[RUNTIME_FOLDERS]);
