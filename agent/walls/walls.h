/* The second wall: what the kernel keeps a process from that runs scripts, or a browser, should a script get
 * out of the sandbox or a page out of the browser. Three parts, each where the kernel has it: no_new_privs,
 * seccomp (syscall_filter.h) and Landlock (landlock.h: files, signals, ports).
 *
 * They bind the calling thread and what it starts, for good; so they go up before there are other threads.
 * What is open stays open, and whatever is opened later has to be among the places of walls_places.inc or of
 * the caller. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WALLS_TEXT_BYTES 128

struct walls {
    /* Folders or files, separated by commas, that may be read as well: the operator's --allow-read. NULL:
     * none. */
    const char *readable;
    const char *runnable; /* the same for programs, which browsers may run: --allow-run */
    const char *script;   /* a file, of which the folder and what its links lead to may be read; NULL: none */
    const char *writable; /* one folder, in which everything may be made and removed; NULL: none */
    const char *program;  /* of a driver, that it may run; NULL: none */
    bool is_lasting;      /* another /etc/resolv.conf may take the place of the one of now */
    uint16_t port;        /* of TCP, that scripts may bind beside those that the kernel chooses; 0: none */
};

struct walls_standing {
    bool is_privilege_kept; /* no_new_privs */
    bool is_filtered;       /* seccomp */
    int landlock_abi;       /* 0: this kernel has no Landlock */
};

/* Around a process that runs scripts. A wall that the kernel does not have is left out; false where it has
 * one and will not put it up. */
MUST_CHECK bool walls_raise_for_scripts(const struct walls *walls, struct walls_standing *standing,
                                        struct error *error);
/* Around a driver and all that it starts; called between fork and exec. */
MUST_CHECK bool walls_raise_for_browser(const struct walls *walls, struct error *error);
/* "Landlock 7, seccomp, no_new_privs" */
void walls_describe(const struct walls_standing *standing, char text[WALLS_TEXT_BYTES]);
