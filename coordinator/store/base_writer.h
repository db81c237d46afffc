/* A new base of the journal on its way to the disk, on a thread of its own. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

struct base_writer;

/* `base`, of ledger_begin_base with the state behind, is taken, sealed, and written under this name; what was
 * done in the folder before is synced with it. NULL with an error if that cannot even be begun. */
MUST_CHECK struct base_writer *base_writer_begin(int folder, const char *name, struct buffer *base,
                                                 struct error *error);
bool base_writer_is_done(const struct base_writer *writer);
/* Waits until it is done. The descriptor of the file, to be appended to, and its size; or -1 with an error
 * and no file. */
int base_writer_finish(struct base_writer **writer, uint64_t *bytes, struct error *error);
/* Waits until it is done, and takes the file away. NULL is tolerated. */
void base_writer_free(struct base_writer **writer);
