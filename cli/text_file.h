/* Small text files that are read whole: settings, tokens. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

/* For memory_free; NULL with an error, also for a file above 64 KiB or with a zero byte in it. */
MUST_CHECK char *text_file_read(const char *path, struct error *error);
