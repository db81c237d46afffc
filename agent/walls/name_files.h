/* Watches the files used for name resolution: if one of them is replaced, the walls deny the new file, since
 * their rule is for the old one. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>

#define NAME_FILES 2

struct name_files {
    bool is_seen[NAME_FILES]; /* it was readable, and has not been reported */
};

void name_files_init(struct name_files *files);
/* The path of a file that has become unreadable, reported once; NULL: none. */
MUST_CHECK const char *name_files_lost(struct name_files *files);
