/* Writes a new base of the journal to the disk, on a thread of its own. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/replace_file.h"

struct base_writer;

/* Takes `base`, which is event_log_begin_base followed by the state, seals it, and writes it under the name
 * `temporary`, to be put in the place of `name`; earlier changes to the folder are synced with it. NULL with
 * an error if that cannot even be started. */
MUST_CHECK struct base_writer *base_writer_begin(int folder, const char *name, const char *temporary,
                                                 struct buffer *base, struct error *error);
bool base_writer_is_done(const struct base_writer *writer);
/* Waits for the end. Returns the file, to be appended to and put in place, and its size; or NULL with an
 * error and no file. */
struct replacement *base_writer_finish(struct base_writer **writer, uint64_t *bytes, struct error *error);
/* Waits for the end, and removes the file. NULL is tolerated. */
void base_writer_free(struct base_writer **writer);
