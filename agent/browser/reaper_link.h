/* The agent's handle of a reaper: to start it, receive from it and tell it to end. */
#pragma once
#include "agent/browser/starter_link.h"
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <uv.h>

struct reaper_link;

struct reaper_link_callbacks {
    /* A packet; `kind` is one of REAPER_…, `text` has no terminating zero. */
    void (*on_packet)(void *context, char kind, struct bytes text);
    /* The process has ended and all its packets have been delivered. `what` is NULL if it ended well, else
     * how it ended. The owner still has to close the link. */
    void (*on_end)(void *context, const char *what);
    void *context;
};

/* Requests one from the starter: START or SWEEP. NULL if the request could not be sent. */
MUST_CHECK struct reaper_link *reaper_link_start(uv_loop_t *loop, struct starter_link *starter,
                                                 const struct starter_request *request,
                                                 const struct reaper_link_callbacks *callbacks,
                                                 struct error *error);
/* Sends a packet of this kind; it is lost if the reaper is gone. */
void reaper_link_send(struct reaper_link *link, char kind);
/* Tells it to end; packets are still delivered meanwhile. */
void reaper_link_hang_up(struct reaper_link *link);
/* For a reaper that does not end by itself. */
void reaper_link_kill(struct reaper_link *link);
/* No more callbacks; the process, if it is still alive, takes it as the signal to end. The memory is freed in
 * the loop's close callbacks. */
void reaper_link_close(struct reaper_link **link);
