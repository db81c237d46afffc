/* Starts a driver in a session and an environment of its own. */
#pragma once
#include "agent/browser/kind.h"
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct launch {
    enum browser_kind kind;
    const char *program; /* absolute path */
    const char *folder;  /* its private folder */
    unsigned port;       /* 0: it chooses one */
    bool has_walls;
    const char *readable; /* as in struct walls */
    const char *runnable;
};

/* The process is killed when the caller dies. `output` is set to the non-blocking reading end of its output.
 * -1 if it could not be started; a failed exec is reported in its output. */
MUST_CHECK pid_t launch_driver(const struct launch *launch, int *output, struct error *error);
