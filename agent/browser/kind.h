/* The browsers that a script may drive, and the program that drives each. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "proto/message/browser_mix.h"

#include <stdbool.h>
#include <stddef.h>

#define DRIVER_PATH_BYTES 1024

struct browser_facts {
    const char *name;     /* "chromium" */
    const char *program;  /* "chromedriver" */
    const char *variable; /* an environment variable that may name another program */
    const char *install;  /* how to install it */
    /* The text before the number in the line of its output that reports the port it has chosen. NULL: the
     * port has to be given. */
    const char *port_mark;
    /* Its output if the port that it has chosen turns out to be taken; NULL: none. */
    const char *taken_mark;
    bool chooses_by_ipv6; /* without IPv6 it says that it has chosen port 0 */
    /* "%s" is the port, or the private folder of the driver. */
    const char *port_argument;
    const char *folder_argument; /* NULL: none */
    const char *arguments[3];    /* further arguments; NULL after the last */
};

const struct browser_facts *browser_facts(enum browser_kind kind);
/* Finds its driver: the environment variable, else PATH, for geckodriver also the folder of cargo. Otherwise
 * the error says what to install. */
MUST_CHECK bool browser_find_driver(enum browser_kind kind, char path[DRIVER_PATH_BYTES],
                                    struct error *error);
/* Whether the driver of each is here; the error says of all that are not what to install. Scripts name the
 * addresses of remote ones. */
MUST_CHECK bool browser_find_drivers(const struct browser_mix *mix, struct error *error);
