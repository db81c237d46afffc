/* The files from which names become addresses, watched: where another file takes the place of one, the walls
 * keep us from it, as they know the old one. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>

#define NAME_FILES 2

struct name_files {
    bool is_seen[NAME_FILES]; /* it could be read, and has not been told of */
};

void name_files_init(struct name_files *files);
/* The path of one that has become unreadable, told once; NULL: none. */
MUST_CHECK const char *name_files_lost(struct name_files *files);
