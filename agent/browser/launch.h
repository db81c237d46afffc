/* Starts a driver in a session and an environment of its own. */
#pragma once
#include "agent/browser/kind.h"
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct launch {
    enum browser_kind kind;
    const char *program; /* its whole path */
    const char *folder;  /* that it has to itself */
    unsigned port;       /* 0: it is to choose one */
    bool has_walls;
    const char *readable; /* as in struct walls */
    const char *runnable;
};

/* The process dies with the calling one. `output` becomes the reading end, not blocking, of what it prints.
 * -1 if it could not be started; that it could not be run it prints. */
MUST_CHECK pid_t launch_driver(const struct launch *launch, int *output, struct error *error);
