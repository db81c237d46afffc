/* The system calls that a process behind walls may not make: a seccomp filter for all of its threads, those
 * to come included.
 *
 * It is a list of what is refused (EPERM), not of what is allowed: what the libraries below us call differs
 * from release to release, and a call that a list of allowed ones has forgotten would break a campaign in the
 * middle. Refused is what reaches other processes, the kernel or the host: what no load test needs. Files are
 * Landlock's; but it does not look at modes, owners and times of files, nor at sockets with a path, so those
 * are here. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>

enum syscall_filter {
    /* The agent and whatever else runs scripts: no program, no process, no socket but of the internet, none
     * that listens, no code made at run time. */
    SYSCALL_FILTER_SCRIPTS,
    /* A driver, its browser and all their children. */
    SYSCALL_FILTER_BROWSERS
};

/* no_new_privs has to be set. Costs about a millisecond. False where the kernel has none. */
MUST_CHECK bool syscall_filter_load(enum syscall_filter filter, struct error *error);
