/* The files of a git repository at a revision, in a folder that goes with them. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>

/* How long git may take altogether. */
#define GIT_CHECKOUT_S 300u
#define GIT_COMMIT_BYTES 65u

struct git_checkout {
    char *folder;                  /* NULL: there is none */
    char commit[GIT_COMMIT_BYTES]; /* in hexadecimal */
    bool is_interrupted;           /* it was not made, because of Ctrl-C or SIGTERM */
};

/* Fetches `revision` (a branch, a tag, a commit; NULL: what the repository shows first) of `url`, or of a
 * path of this machine, without its history where that is possible, and without submodules. Runs the program
 * git, never a shell; it asks nobody anything. Ctrl-C ends it. False with one line, and nothing is left. To
 * be finished in either case; a signal that ends the process before that removes the folder too. */
MUST_CHECK bool git_checkout_make(struct git_checkout *checkout, const char *url, const char *revision,
                                  struct error *error);
/* Removes the folder. */
void git_checkout_finish(struct git_checkout *checkout);
