/* The seeds of what an HTTP client reads. */
#pragma once
#include "common/bytes.h"

/* Calls `write_file` for each seed of the targets http1, url, cookie, content and websocket. */
void http_corpus_write(const char *directory, void (*write_file)(const char *directory, const char *target,
                                                                 const char *name, struct bytes bytes));
