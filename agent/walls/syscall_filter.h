/* The system calls that a process behind walls may not make: a seccomp filter for all of its threads,
 * including future ones.
 *
 * It lists what is refused (EPERM), not what is allowed: what the libraries below us call differs between
 * releases, and a call missing from a list of allowed ones would break a campaign in the middle. It refuses
 * what reaches other processes, the kernel or the host, and no load test needs. Files are controlled by
 * Landlock; but it does not check modes, owners and times of files, nor sockets with a path, so those are
 * handled here. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>

enum syscall_filter {
    /* The agent and anything else that runs scripts: no program, no process, no sockets except internet
     * sockets, none that listens, no code generated at run time. */
    SYSCALL_FILTER_SCRIPTS,
    /* A driver, its browser and all their children. */
    SYSCALL_FILTER_BROWSERS
};

/* no_new_privs has to be set. Takes about a millisecond. False if the kernel has no seccomp. */
MUST_CHECK bool syscall_filter_load(enum syscall_filter filter, struct error *error);
