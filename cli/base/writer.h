/* Writes text to its streams on a thread of its own: a paused terminal or a slow reader must not block the
 * coordinator's loop. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>

#define WRITER_MAX_BYTES (8u * 1024u * 1024u)

struct writer;

MUST_CHECK struct writer *writer_new(void);
/* Copies the text. If more than WRITER_MAX_BYTES would be queued, it is dropped and false returned, unless it
 * must not be lost. */
bool writer_put(struct writer *writer, int descriptor, struct bytes bytes, bool is_needed);
/* Whether everything that was put has been written. */
bool writer_is_idle(struct writer *writer);
/* What was put and has not been written; only less by the time that the caller looks. */
size_t writer_waiting_bytes(struct writer *writer);
/* errno of the first failed write to standard output so far; 0 if none failed. */
int writer_failure(struct writer *writer);
/* Returns writer_failure once everything has been written or its reader has gone. NULLs the pointer; NULL is
 * tolerated. */
int writer_free(struct writer **writer);
