/* The coordinator's shell: its core behind a ROUTER socket on a libuv loop. */
#pragma once
#include "common/error.h"
#include "coordinator/core/coordinator.h"
#include "coordinator/net/credentials.h"
#include "coordinator/net/refusals.h"
#include "coordinator/store/recovery.h"

#include <stdio.h>
#include <uv.h>

struct server;

/* Called from within the loop (or from within server_create, server_stop, server_agent_gone). All may call
 * server_report, server_stop, server_agent_gone and server_close, but not server_create. NULL ones are left
 * out. */
struct server_callbacks {
    void (*on_campaign)(void *context, uint64_t campaign, enum campaign_state state);
    /* `text` names each worker and what it waits for; borrowed. */
    void (*on_deadlock)(void *context, uint64_t campaign, const char *text);
    /* NULL: the lines go to log_line as "coordinator". */
    void (*on_log)(void *context, enum log_level level, const char *text);
    void *context;
};

struct server_options {
    const char *endpoint; /* "tcp://127.0.0.1:7440"; port 0 or * for any */
    /* From coordinator_default_settings; epoch 0: the server draws one. */
    struct coordinator_settings settings;
    struct server_callbacks callbacks;
    struct credentials *
        *credentials;           /* NULL: whoever reaches the port may join. Else taken, also on failure */
    struct recovery **recovery; /* NULL: campaigns end with this process. Else taken, also on failure */
    FILE *trace; /* NULL, or where each event and effect is written as one line; the caller's, outlives us */
};

/* What EVENT_CREATE wants; all copied but `content`. */
struct server_campaign {
    const struct campaign_options *options;
    const struct bundle *bundle;
    uint8_t **content; /* taken, as EVENT_CREATE says; NULL for none */
    /* As bundle_upload_write has left it; taken. NULL only without recovery. */
    struct bundle_upload *upload;
    const char *script;   /* its path, for the report */
    const char *key;      /* to be found again by; NULL: none */
    uint32_t agents;      /* deployed as soon as so many have joined */
    uint64_t deadline_ms; /* ended as `aborted` if they have not by then */
};

/* NULL with an error if the endpoint cannot be bound. */
MUST_CHECK struct server *server_new(uv_loop_t *loop, const struct server_options *options,
                                     struct error *error);
/* The coordinator's time, that of reports and overviews: it goes on where it was when the process before us
 * died. */
uint64_t server_now_ns(const struct server *server);
/* With the real port. */
const char *server_endpoint(const struct server *server);

/* False with how many of its workers fit on the agents that are there, if there are as many as it waits for.
 */
MUST_CHECK bool server_has_room(const struct server *server, const struct server_campaign *campaign,
                                struct error *error);
/* The id of the new campaign. 0 with an error: there is no journal, and no campaign shall be without, or its
 * bundle cannot be stored. Without recovery it always is created. */
uint64_t server_create(struct server *server, const struct server_campaign *campaign, struct error *error);
/* The campaign that was created with this key, of those that there is a report of; 0 if there is none. */
uint64_t server_find_key(const struct server *server, struct bytes key);
/* `text` is why, for the report: "interrupted". At once: nobody waits for teardown. */
void server_stop(struct server *server, uint64_t campaign, bool is_at_once, const char *text);
/* False with why not: it does not run, or they do not fit. */
MUST_CHECK bool server_scale(struct server *server, uint64_t campaign, uint32_t workers, struct error *error);
/* The process of the agent of this name is known to be dead. */
void server_agent_gone(struct server *server, const char *name);
/* NULL if there is none of this id. Borrowed until the loop runs on or another function of the server is
 * called. */
const struct campaign_report *server_report(struct server *server, uint64_t campaign);
/* NULL without. */
const struct recovery *server_recovery(const struct server *server);
/* Where bundles have to be uploaded to before their campaigns are created; NULL: nowhere. */
struct bundle_store *server_bundles(const struct server *server);
/* What came to the port and was not let in; that is logged too, at most once a second. */
const struct refusals *server_refusals(const struct server *server);

/* Borrowed like a report. */
const struct coordinator_overview *server_overview(struct server *server);

/* Begins to close: no callback comes any more, what was sent may linger up to linger_ms, the memory goes in
 * the loop's close callbacks. NULLs the pointer; NULL is tolerated. */
void server_close(struct server **server, int linger_ms);
