/* The starter's process as its agent holds it. */
#pragma once
#include "agent/browser/starter.h"
#include "common/attributes.h"
#include "common/error.h"

struct starter_link;

struct starter_settings {
    bool has_walls;       /* around drivers and browsers */
    const char *readable; /* as in struct walls; NULL: none */
    const char *runnable;
};

/* Starts it, with nothing of ours open but its socket. NULL if it could not be started. */
MUST_CHECK struct starter_link *starter_link_open(const struct starter_settings *settings,
                                                  struct error *error);
/* Ends it, and waits a moment until it is gone. */
void starter_link_close(struct starter_link **link);

/* From any thread. `number` becomes that of the request; `socket`, -1 for none, goes with it and stays the
 * caller's. False where there is no starter any more, or it does not listen. */
MUST_CHECK bool starter_link_ask(struct starter_link *link, struct starter_request *request, int socket,
                                 struct error *error);
