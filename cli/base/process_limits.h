/* Checks the resource limits of this process before anything starts, because libraries that hit a limit later
 * abort. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdint.h>

struct process_needs {
    uint32_t descriptors; /* in addition to those that are already open */
    uint32_t threads;     /* at the same time, in addition to this one */
};

/* Makes writes beyond the maximum file size (ulimit -f) and to a pipe without a reader fail instead of
 * killing us, and makes a library that aborts because a limit is reached end the process with one line and
 * MEMORY_EXIT_CODE. Call it first. */
void process_limits_guard(void);

/* Raises the number of open files as far as permitted: each connection needs one. */
void process_limits_raise_files(void);

/* Checks that this process can get what it needs, including a sufficient stack and some memory. The error
 * says which limit is too low, and how to raise it. */
MUST_CHECK bool process_limits_check(const struct process_needs *needs, struct error *error);
