/* Small text files that are read whole: settings, tokens. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stddef.h>

/* For memory_free; NULL with an error, also if the file exceeds 64 KiB or contains a zero byte. */
MUST_CHECK char *text_file_read(const char *path, struct error *error);
/* The same for up to so many bytes. */
MUST_CHECK char *text_file_read_up_to(const char *path, size_t limit, struct error *error);
/* The same for a file with a secret: it is refused if others may open it (common/trusted_file.h). */
MUST_CHECK char *text_file_read_secret(const char *path, struct error *warning, struct error *error);
/* Overwrites a secret before its memory is freed. NULLs the pointer. */
void text_file_wipe(char **text);
