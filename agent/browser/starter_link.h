/* The agent's handle of its starter process. */
#pragma once
#include "agent/browser/starter.h"
#include "common/attributes.h"
#include "common/error.h"

struct starter_link;

struct starter_settings {
    bool has_walls;       /* whether drivers and browsers are put behind walls */
    const char *readable; /* as in struct walls; NULL: none */
    const char *runnable;
};

/* Starts it, with none of our descriptors open but its socket. NULL if it could not be started. */
MUST_CHECK struct starter_link *starter_link_open(const struct starter_settings *settings,
                                                  struct error *error);
/* Ends it, and waits briefly until it is gone. */
void starter_link_close(struct starter_link **link);

/* Callable from any thread. `number` is set to that of the request; `socket`, -1 for none, is sent with it
 * and stays owned by the caller. False if there is no starter any more, or it does not respond. */
MUST_CHECK bool starter_link_ask(struct starter_link *link, struct starter_request *request, int socket,
                                 struct error *error);
