/* Small text files that are read whole: settings, tokens. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

/* For memory_free; NULL with an error, also for a file above 64 KiB or with a zero byte in it. */
MUST_CHECK char *text_file_read(const char *path, struct error *error);
/* Likewise, of a file with a secret: one that others may open is refused (common/trusted_file.h). */
MUST_CHECK char *text_file_read_secret(const char *path, struct error *warning, struct error *error);
/* Overwrites a secret before its memory goes. NULLs the pointer. */
void text_file_wipe(char **text);
