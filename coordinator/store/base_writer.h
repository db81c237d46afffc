/* A new base of the journal on its way to the disk, on a thread of its own. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/replace_file.h"

struct base_writer;

/* `base`, of event_log_begin_base with the state after it, is taken, sealed, and written under the name
 * `temporary`, to be put in the place of `name`; what was done in the folder before is synced with it. NULL
 * with an error if that cannot even be begun. */
MUST_CHECK struct base_writer *base_writer_begin(int folder, const char *name, const char *temporary,
                                                 struct buffer *base, struct error *error);
bool base_writer_is_done(const struct base_writer *writer);
/* Waits until it is done. The file, to be appended to and put in place, and its size; or NULL with an error
 * and no file. */
struct replacement *base_writer_finish(struct base_writer **writer, uint64_t *bytes, struct error *error);
/* Waits until it is done, and takes the file away. NULL is tolerated. */
void base_writer_free(struct base_writer **writer);
