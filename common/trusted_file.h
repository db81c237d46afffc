/* Files and folders that decide who may do what: keys, tokens, allow-lists. They are accepted only if nobody
 * but root and this process's own user can have written them, and secrets only if nobody else can read them.
 * The rules are those of ssh. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

#include <sys/stat.h>

enum trusted_file_kind {
    TRUSTED_FILE_SECRET, /* refused if it is ours and others may open it; root may let a group read it */
    TRUSTED_FILE_PUBLIC, /* others may read it */
};

/* Reads a whole regular file into `into`, up to its maximum; never waits for a pipe. A symbolic link is
 * followed if it belongs to root or to us, and its target must do so as well. `status` is that of the file
 * that was read. `warning` is empty, or says that root has left a secret open to others: that is for the
 * operator to decide. The error says what to do. */
MUST_CHECK bool trusted_file_read(const char *path, enum trusted_file_kind kind, struct buffer *into,
                                  struct stat *status, struct error *warning, struct error *error);

/* Reads an open descriptor, such as standard input, to its end. */
MUST_CHECK bool trusted_file_read_all(int descriptor, struct buffer *into, struct error *error);

/* Whether only root and we can replace files in this folder. */
MUST_CHECK bool trusted_folder_check(const char *path, struct error *error);

/* Overwrites the content of the buffer before its memory is freed. */
void trusted_file_wipe(struct buffer *text);
