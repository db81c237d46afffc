/* Files that hold keys: the coordinator's folder with its key pair and allow-list, and an agent's key
 * file. */
#pragma once
#include "proto/keys/allow_list.h"
#include "proto/keys/keys.h"

/* Identifies the version of a file that was read: if the stamp differs, the file has to be read again. */
struct key_stamp {
    uint64_t inode;
    uint64_t size_bytes;
    int64_t changed_s; /* content, owner or mode */
    int64_t changed_ns;
};

/* Creates the folder (0700) if it does not exist, with a new key pair and an empty list (0600). Overwrites
 * nothing. */
MUST_CHECK bool key_folder_make(const char *folder, struct error *error);
/* Locks the list against other writers until the descriptor is closed; -1 with an error. */
MUST_CHECK int key_folder_lock(const char *folder, struct error *error);
/* A secret that others can read is refused, as is a file or folder that they can change. `warning` is set if
 * root has left its secret readable for everybody, else it is empty (common/trusted_file.h). */
MUST_CHECK bool key_folder_read_pair(const char *folder, struct key_pair *pair, struct error *warning,
                                     struct error *error);
/* NULL with an error. `stamp` is set in both cases. */
MUST_CHECK struct allow_list *key_folder_read_list(const char *folder, struct key_stamp *stamp,
                                                   struct error *error);
/* Whether the list has changed since the version with this stamp. */
bool key_folder_has_changed(const char *folder, const struct key_stamp *stamp);
/* All or nothing. */
MUST_CHECK bool key_folder_write_list(const char *folder, const struct allow_list *list, struct error *error);

/* `path` "-" is standard input, which is read to its end. `warning` as above. */
MUST_CHECK bool agent_key_read(const char *path, struct agent_key *key, struct error *warning,
                               struct error *error);
/* All or nothing, mode 0600; never overwrites. */
MUST_CHECK bool agent_key_write(const char *path, const struct agent_key *key, struct error *error);
