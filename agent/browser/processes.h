/* The descendants of a driver, as /proc shows them: find, measure and kill them. */
#pragma once
#include "common/attributes.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Selects processes: those that match any of these, and all their descendants; never the calling process. */
struct processes_mark {
    pid_t ancestor;     /* its children; 0: not used */
    const char *folder; /* named in TUTTI_BROWSER_FOLDER of the environment, or as the value of an option;
                           NULL: not used */
};

struct processes_usage {
    uint64_t count;
    uint64_t bytes; /* proportional set size */
    uint64_t cpu_us;
};

#define PROCESSES_VARIABLE "TUTTI_BROWSER_FOLDER"

/* Sends SIGKILL to all of them. Returns how many had not ended: call it until there are none, since they may
 * have forked meanwhile. */
MUST_CHECK size_t processes_kill(const struct processes_mark *mark);
/* CPU time includes their children that have ended. */
void processes_measure(const struct processes_mark *mark, struct processes_usage *usage);
