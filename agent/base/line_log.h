/* Lines that any thread appends to a file, written by a thread of its own: a slow disk holds nobody up. What
 * waits is bounded; lines beyond that, and lines that cannot be written, are dropped and counted. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

#define LINE_LOG_MAX_BYTES (8u * 1024u * 1024u)

struct line_log;

/* Opens the file to be appended to; other processes may append to it as well. `who` is whom its complaints
 * are from; it is copied. */
MUST_CHECK struct line_log *line_log_open(const char *path, const char *who, struct error *error);
/* Starts the thread. What is put before waits for it. */
MUST_CHECK bool line_log_start(struct line_log *log, struct error *error);
/* Copies the line, which ends with a newline. False if it was dropped. */
bool line_log_put(struct line_log *log, struct bytes line);
/* Lines that were dropped so far. */
uint64_t line_log_dropped(struct line_log *log);
/* Writes what waits, and logs how many lines were dropped since that was last said. NULLs the pointer; NULL
 * is tolerated. */
void line_log_close(struct line_log **log);
