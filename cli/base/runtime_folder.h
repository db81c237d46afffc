/* Where a running process leaves what others of the same user on this host have to find: a folder that goes
 * with the boot, and that nobody else may write. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>

/* The folder of the user, made where it is missing (mode 0700): $RUNTIME_DIRECTORY of systemd, else
 * $XDG_RUNTIME_DIR/tutti, else /run/tutti for root, else /tmp/tutti-UID. A descriptor of it, the caller's to
 * close, and its path for memory_free; -1 with an error where it is not ours alone. */
MUST_CHECK int runtime_folder_open(char **path, struct error *error);

#define RUNTIME_FOLDERS 5
/* Where another process of this host may have left something, the likeliest first: paths for memory_free, or
 * NULL for a place that there is not. */
void runtime_folder_places(char *places[RUNTIME_FOLDERS]);
