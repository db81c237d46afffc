/* The browsers that a script may drive, and which program drives each. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "proto/message/campaign.h"

#include <stddef.h>

#define DRIVER_PATH_BYTES 1024

struct browser_facts {
    const char *name;     /* "chromium" */
    const char *program;  /* "chromedriver" */
    const char *variable; /* of the environment, which may name another program */
    const char *install;  /* what gets it */
    /* Where its output says the port that it has chosen: what stands before the number. NULL: it has to be
     * told one. */
    const char *port_mark;
    /* What its output says where the one that it has chosen is somebody else's after all; NULL: nothing. */
    const char *taken_mark;
    /* "%s" is the port, or the folder that the driver has to itself. */
    const char *port_argument;
    const char *folder_argument; /* NULL: none */
    const char *arguments[3];    /* the others; NULL where there are no more */
};

const struct browser_facts *browser_facts(enum browser_kind kind);
/* Looks for its driver: what the variable says, else PATH, for geckodriver also where cargo puts it.
 * Otherwise the error says what to install. */
MUST_CHECK bool browser_find_driver(enum browser_kind kind, char path[DRIVER_PATH_BYTES],
                                    struct error *error);
