/* The coordinator's shell: its core behind a ROUTER socket on a libuv loop. */
#pragma once
#include "common/error.h"
#include "coordinator/core/coordinator.h"
#include "coordinator/core/report/artifacts.h"
#include "coordinator/core/report_view/report_view.h"
#include "coordinator/core/series/series_view.h"
#include "coordinator/net/credentials.h"
#include "coordinator/net/refusals.h"
#include "coordinator/store/recovery.h"

#include <stdio.h>
#include <uv.h>

struct server;

/* Called from within the loop (or from within server_create, server_stop, server_agent_gone). All may call
 * server_report, server_stop, server_agent_gone and server_close, but not server_create. Any may be NULL. */
struct server_callbacks {
    void (*on_campaign)(void *context, uint64_t campaign, enum campaign_state state);
    /* `text` names each worker and what it waits for; borrowed. */
    void (*on_deadlock)(void *context, uint64_t campaign, const char *text);
    /* Adds to a report what its process knows beside the core. May call nothing of the server. */
    void (*on_report)(void *context, struct report_view *report);
    /* NULL: the lines go to log_line as "coordinator". */
    void (*on_log)(void *context, enum log_level level, const char *text);
    /* The same lines, for who keeps them; `text` and `subject` are borrowed. May call nothing of the server.
     */
    void (*on_logged)(void *context, enum log_level level, const struct log_subject *subject,
                      const char *text);
    void *context;
};

struct server_options {
    const char *endpoint; /* "tcp://127.0.0.1:7440"; port 0 or * for any */
    /* From coordinator_default_settings; epoch 0: the server draws one. */
    struct coordinator_settings settings;
    struct server_callbacks callbacks;
    struct credentials **credentials; /* NULL: every agent that reaches the port may join. Else ownership is
                                         taken, also on failure */
    struct recovery *
        *recovery; /* NULL: campaigns end with this process. Else ownership is taken, also on failure */
    FILE *trace;   /* NULL, or a stream to which each event and effect is written as one line; owned by the
                      caller, and outlives us */
};

/* The fields of EVENT_CREATE; all copied but `content`. */
struct server_campaign {
    const struct campaign_options *options;
    const struct bundle *bundle;
    uint8_t **content; /* ownership is taken, as for EVENT_CREATE; NULL for none */
    /* As bundle_upload_write has left it; taken. NULL only without recovery. */
    struct bundle_upload *upload;
    const char *script;   /* its path, for the report */
    const char *key;      /* by which it can be found again; NULL: none */
    uint32_t agents;      /* deployed as soon as this many agents have joined */
    uint64_t deadline_ms; /* ended as `aborted` if they have not joined by then */
};

/* NULL with an error if the endpoint cannot be bound. */
MUST_CHECK struct server *server_new(uv_loop_t *loop, const struct server_options *options,
                                     struct error *error);
/* The coordinator's time, used in reports and overviews: it continues where it was when the previous process
 * died. */
uint64_t server_now_ns(const struct server *server);
/* With the actual port. */
const char *server_endpoint(const struct server *server);

/* False with how many of its workers fit on the agents that have joined, if there are as many as it waits
 * for. */
MUST_CHECK bool server_has_room(const struct server *server, const struct server_campaign *campaign,
                                struct error *error);
/* The id of the new campaign. 0 with an error: there is no journal, and no campaign may run without, or its
 * bundle cannot be stored. Without recovery it is always created. */
uint64_t server_create(struct server *server, const struct server_campaign *campaign, struct error *error);
/* The campaign that was created with this key, among those that have a report; 0 if there is none. */
uint64_t server_find_key(const struct server *server, struct bytes key);
/* `text` is the reason, for the report: "interrupted". At once: without waiting for teardown. */
void server_stop(struct server *server, uint64_t campaign, bool is_at_once, const char *text);
/* False with the reason: it does not run, or has no rate, or is paused, or not. */
MUST_CHECK bool server_pace(struct server *server, uint64_t campaign, enum pace_change change,
                            double rate_per_s, struct error *error);
/* False with the reason: it does not run, or the workers do not fit. */
MUST_CHECK bool server_scale(struct server *server, uint64_t campaign, uint32_t workers, struct error *error);
/* Forgets one that has ended. False with the reason: it has not, or there is none. */
MUST_CHECK bool server_delete(struct server *server, uint64_t campaign, struct error *error);
/* The process of the agent of this name is known to be dead. */
void server_agent_gone(struct server *server, const char *name);
/* Writes what has happened to the journal. To be called before anything of it is told outside: the functions
 * below do not do it. If the journal fails, the campaigns are stopped with the next event. */
void server_flush(struct server *server);
/* Whether there is a report of it, without building one. */
MUST_CHECK bool server_knows(const struct server *server, uint64_t campaign);
/* What is known of a campaign, at most one second old: it is built once a second, however many callers ask.
 * It is never from before a change of the campaign's state or from before a server_scale, so the last report
 * is always the final one. NULL if there is none of this id. Borrowed until the loop runs on, or until the
 * next report of the same campaign. */
const struct report_view *server_report(struct server *server, uint64_t campaign);
/* The same, built now. */
const struct report_view *server_report_now(struct server *server, uint64_t campaign);
/* What was counted of it second by second, as it is now; NULL if there is none of this id. The caller's to
 * series_view_free. */
MUST_CHECK struct series_view *server_series(const struct server *server, uint64_t campaign);
/* The same, borrowed until the loop runs on. */
const struct series *server_series_inside(const struct server *server, uint64_t campaign);
/* As coordinator_rooms and coordinator_agent_of, borrowed until the loop runs on. */
const struct rooms *server_rooms(const struct server *server, uint64_t campaign);
struct bytes server_agent_of(const struct server *server, uint64_t campaign, uint32_t worker);
/* How many reports have been built: for tests. */
uint64_t server_reports_built(const struct server *server);
/* What failed steps of a campaign have left; `*count` is 0 if there is no such campaign. Borrowed until the
 * loop runs on. */
const struct artifact *server_artifacts(const struct server *server, uint64_t campaign, size_t *count);
/* NULL if campaigns end with this process. */
const struct recovery *server_recovery(const struct server *server);
/* Where bundles have to be uploaded to before their campaigns are created; NULL: nowhere. */
struct bundle_store *server_bundles(const struct server *server);
/* What was refused at the port; that is also logged, at most once a second. */
const struct refusals *server_refusals(const struct server *server);

/* As it is now. Borrowed until the loop runs on or the next overview. */
const struct coordinator_overview *server_overview(struct server *server);

/* Starts to close: there are no more callbacks, sent frames may linger up to linger_ms, the memory is freed
 * in the loop's close callbacks. NULLs the pointer; NULL is tolerated. */
void server_close(struct server **server, int linger_ms);
