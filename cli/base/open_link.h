/* Opens a link in the browser of the user. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>

/* By $BROWSER, else xdg-open, which is not waited for. Arguments of processes can be seen by every user of
 * this host, and the link may let its first reader in: so the browser is given a file of ours that leads to
 * it, which stays until the next one takes its place. */
MUST_CHECK bool open_link(const char *link, struct error *error);
