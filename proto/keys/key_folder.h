/* The files with keys: a coordinator's folder with its pair and its allow-list, and an agent's file. */
#pragma once
#include "proto/keys/allow_list.h"
#include "proto/keys/keys.h"

/* Of a file as it was when it was read: with another one it has to be read again. */
struct key_stamp {
    uint64_t inode;
    uint64_t size_bytes;
    int64_t changed_s; /* content, owner or mode */
    int64_t changed_ns;
};

/* Makes the folder (0700) if it is not there, with a new pair and an empty list (0600). Overwrites nothing.
 */
MUST_CHECK bool key_folder_make(const char *folder, struct error *error);
/* Holds others off who would change the list, until the descriptor is closed; -1 with an error. */
MUST_CHECK int key_folder_lock(const char *folder, struct error *error);
/* A secret that others can read is refused, as is a file or folder that they can change. `warning` is written
 * if root has left its secret open to everybody, else empty (common/trusted_file.h). */
MUST_CHECK bool key_folder_read_pair(const char *folder, struct key_pair *pair, struct error *warning,
                                     struct error *error);
/* NULL with an error. `stamp` is set in both cases. */
MUST_CHECK struct allow_list *key_folder_read_list(const char *folder, struct key_stamp *stamp,
                                                   struct error *error);
/* Whether the list is another one than that with this stamp. */
bool key_folder_has_changed(const char *folder, const struct key_stamp *stamp);
/* All or nothing. */
MUST_CHECK bool key_folder_write_list(const char *folder, const struct allow_list *list, struct error *error);

/* `path` "-" is standard input, which is then used up. `warning` as above. */
MUST_CHECK bool agent_key_read(const char *path, struct agent_key *key, struct error *warning,
                               struct error *error);
/* All or nothing, mode 0600; never overwrites. */
MUST_CHECK bool agent_key_write(const char *path, const struct agent_key *key, struct error *error);
