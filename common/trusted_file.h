/* Files and folders that decide who may do what: keys, tokens, lists of who may join. They count only where
 * nobody but root and this process's own user can have written them, and secrets only where nobody else can
 * read them. Rules as ssh has them. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

#include <sys/stat.h>

enum trusted_file_kind {
    TRUSTED_FILE_SECRET, /* refused where it is ours and others may open it; root may let a group read */
    TRUSTED_FILE_PUBLIC, /* others may read it */
};

/* Reads a regular file whole into `into`, up to its maximum; never waits for a pipe. A symbolic link is
 * followed where it is root's or ours, and what it leads to has to be so as well. `status` is of the file
 * that was read. `warning` is empty, or tells of a secret that root has left open to others: that is for the
 * operator to decide. The error says what to do. */
MUST_CHECK bool trusted_file_read(const char *path, enum trusted_file_kind kind, struct buffer *into,
                                  struct stat *status, struct error *warning, struct error *error);

/* Reads an open descriptor, say standard input, to its end. */
MUST_CHECK bool trusted_file_read_all(int descriptor, struct buffer *into, struct error *error);

/* Whether only root and we can exchange files in this folder. */
MUST_CHECK bool trusted_folder_check(const char *path, struct error *error);

/* Overwrites what the buffer holds before its memory goes. */
void trusted_file_wipe(struct buffer *text);
