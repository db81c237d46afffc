/* Writes what is handed to it on a thread of its own: a terminal that is paused, or a reader that dawdles,
 * must not hold up the coordinator's loop. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>

#define WRITER_MAX_BYTES (8u * 1024u * 1024u)

struct writer;

MUST_CHECK struct writer *writer_new(void);
/* Copies. What would make more than WRITER_MAX_BYTES wait is dropped, and false given back, unless it has to
 * be there. */
bool writer_put(struct writer *writer, int descriptor, struct bytes bytes, bool is_needed);
/* Whether all that was put has been written. */
bool writer_is_idle(struct writer *writer);
/* errno of what could first not be written to standard output so far; 0 if nothing failed. */
int writer_failure(struct writer *writer);
/* Returns when all has been written or its reader has gone, with writer_failure. NULLs the pointer; NULL is
 * tolerated. */
int writer_free(struct writer **writer);
