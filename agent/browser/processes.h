/* The processes that a driver has begotten, as /proc shows them: found, measured, ended. */
#pragma once
#include "common/attributes.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Who belongs to it: whoever fits any of these, and all their descendants; never the calling process. */
struct processes_mark {
    pid_t ancestor;     /* its children; 0: not asked for */
    const char *folder; /* named in TUTTI_BROWSER_FOLDER of the environment, or as a value of an option;
                           NULL: not asked for */
};

struct processes_usage {
    uint64_t count;
    uint64_t bytes; /* proportional set size */
    uint64_t cpu_us;
};

#define PROCESSES_VARIABLE "TUTTI_BROWSER_FOLDER"

/* Sends SIGKILL to all of them. Gives back how many there were that had not ended: again until there are
 * none, since they may have had children meanwhile. */
MUST_CHECK size_t processes_kill(const struct processes_mark *mark);
/* CPU time counts that of their children that have ended. */
void processes_measure(const struct processes_mark *mark, struct processes_usage *usage);
