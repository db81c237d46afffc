/* What the system lets this process have: looked at before anything starts, because libraries that run into a
 * limit in the middle abort. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdint.h>

struct process_needs {
    uint32_t descriptors; /* beside those that are open already */
    uint32_t threads;     /* at the same time, beside this one */
};

/* Writes above the largest size of a file (ulimit -f) and to a pipe without a reader fail instead of ending
 * us, and a library that gives up because a limit is reached ends the process with one line and
 * MEMORY_EXIT_CODE. First of all. */
void process_limits_guard(void);

/* As many files as it may allow itself: each connection is one. */
void process_limits_raise_files(void);

/* Tries whether this process gets so much, a stack that suffices and some memory. The error says which limit
 * is too low, and how to raise it. */
MUST_CHECK bool process_limits_check(const struct process_needs *needs, struct error *error);
