/* A reaper as its agent holds it: asked for, heard, told to end. */
#pragma once
#include "agent/browser/starter_link.h"
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <uv.h>

struct reaper_link;

struct reaper_link_callbacks {
    /* What it says; `kind` is one of WARDEN_…, `text` has no zero behind it. */
    void (*on_packet)(void *context, char kind, struct bytes text);
    /* The process has ended and all it said has come. `what` is NULL where it ended well, else how. The link
     * is the owner's to close still. */
    void (*on_end)(void *context, const char *what);
    void *context;
};

/* Asks the starter for one: START or SWEEP. NULL if it could not be asked. */
MUST_CHECK struct reaper_link *reaper_link_start(uv_loop_t *loop, struct starter_link *starter,
                                                 const struct starter_request *request,
                                                 const struct reaper_link_callbacks *callbacks,
                                                 struct error *error);
/* One packet of this kind; lost where it is not there any more. */
void reaper_link_send(struct reaper_link *link, char kind);
/* Tells it to end; what it says meanwhile still comes. */
void reaper_link_hang_up(struct reaper_link *link);
/* For one that does not end by itself. */
void reaper_link_kill(struct reaper_link *link);
/* No callback comes any more; the process, if there still is one, takes it for an end. The memory goes in the
 * loop's close callbacks. */
void reaper_link_close(struct reaper_link **link);
