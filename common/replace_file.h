/* Files that are there whole or not at all: written beside their place under another name, then put there.
 * What stood there before stays whole until then, also if the process dies or the disk is full. A link in the
 * place is replaced and never followed. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <sys/types.h>

/* The whole way, to the disk: written, synced, put in place, the folder synced. `mode` is exact, whatever the
 * umask. Without `may_replace` a file that is there stays, and the error says so. Errors begin with the path.
 */
MUST_CHECK bool replace_file(const char *path, struct bytes content, mode_t mode, bool may_replace,
                             struct error *error);
/* In a folder where only we write, of mode 0600 and not synced: what is not synced may be lost with the
 * machine. `temporary` is as in replacement_begin. The descriptor, to be appended to or closed; -1 with
 * errno, and nothing changed. */
int replace_file_at(int folder, const char *name, const char *temporary, struct bytes content);

/* One that is written bit by bit. */
struct replacement;

/* In the folder, whose descriptor has to stay open. `temporary` is its name until it is put in place, and is
 * taken from whatever has it (left by a process that died, or planted): for who is the only one to write the
 * file. NULL draws a name that nobody has. NULL with errno. */
MUST_CHECK struct replacement *replacement_begin(int folder, const char *name, const char *temporary,
                                                 mode_t mode);
/* The same by its path, with a name that is drawn. */
MUST_CHECK struct replacement *replacement_begin_path(const char *path, mode_t mode);
/* To be written to. */
int replacement_descriptor(const struct replacement *replacement);
/* It has the name from now on. `may_replace` as above, with EEXIST. False with errno. */
MUST_CHECK bool replacement_put(struct replacement *replacement, bool may_replace);
/* What the name says is on the disk, as far as it can be made sure of. */
void replacement_sync_folder(const struct replacement *replacement);
/* The descriptor is the caller's from now on. */
int replacement_take(struct replacement *replacement);
/* Takes it away if it was not put in place. NULL is tolerated. */
void replacement_free(struct replacement **replacement);
