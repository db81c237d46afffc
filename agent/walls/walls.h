/* The second line of defence: restrictions by the kernel on a process that runs scripts, or a browser, in
 * case a script escapes the sandbox or a page escapes the browser. Three parts, each used if the kernel has
 * it: no_new_privs, seccomp (syscall_filter.h) and Landlock (landlock.h: files, signals, ports).
 *
 * They bind the calling thread and everything that it starts, irrevocably; so they go up before there are
 * other threads. Open descriptors stay open, and whatever is opened later has to be among the places of
 * walls_places.inc or those of the caller. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WALLS_TEXT_BYTES 128

struct walls {
    /* More folders or files, separated by commas, that may be read: the operator's --allow-read. NULL:
     * none. */
    const char *readable;
    const char *runnable; /* the same for programs that browsers may run: --allow-run */
    const char *script;   /* a file whose folder, with what its links lead to, may be read; NULL: none */
    const char *writable; /* a folder in which everything may be created and removed; NULL: none */
    const char *program;  /* of a driver, which may be executed; NULL: none */
    bool is_lasting;      /* /etc/resolv.conf may be replaced later by another file */
    uint16_t port; /* TCP port that scripts may bind, in addition to those that the kernel chooses; 0: none */
};

struct walls_standing {
    bool is_privilege_kept; /* no_new_privs */
    bool is_filtered;       /* seccomp */
    int landlock_abi;       /* 0: this kernel has no Landlock */
};

/* Around a process that runs scripts. A wall that the kernel does not have is left out; false if it has one
 * and refuses to put it up. */
MUST_CHECK bool walls_raise_for_scripts(const struct walls *walls, struct walls_standing *standing,
                                        struct error *error);
/* Around a driver and everything that it starts; called between fork and exec. */
MUST_CHECK bool walls_raise_for_browser(const struct walls *walls, struct error *error);
/* "Landlock 7, seccomp, no_new_privs" */
void walls_describe(const struct walls_standing *standing, char text[WALLS_TEXT_BYTES]);
