/* The HTTP API of the coordinator: agents, campaigns, live numbers, reports, metrics. */
#pragma once
#include "coordinator/http/listener.h"
#include "coordinator/http/origin.h"
#include "coordinator/net/server.h"
#include "coordinator/store/archive.h"
#include "coordinator/store/artifact_store.h"

#define API_TOKEN_MIN_BYTES 16u
#define API_TOKEN_MAX_BYTES 1024u

struct api;

/* The practice target, for campaigns that ask for it. */
struct api_target {
    /* Starts it if it does not run; `*port` is where it listens. Called right before the campaign is created.
     * NULL: there is no practice target. */
    bool (*open)(void *context, uint16_t *port, struct error *error);
    void *context;
};

struct api_settings {
    const struct listener_address *address;
    const char *token;                     /* copied; NULL: none is required */
    const struct host_names *names;        /* copied: its names besides its addresses */
    const struct trusted_proxies *proxies; /* copied: whose X-Forwarded-For is believed */
    struct server *server;
    struct archive *archive;          /* NULL: none. Has to outlive the API */
    struct artifact_store *artifacts; /* likewise */
    struct api_target target;
    bool serves_one_run; /* no campaigns can be created */
};

/* NULL with an error if the address cannot be bound. The server has to outlive it. */
MUST_CHECK struct api *api_new(uv_loop_t *loop, const struct api_settings *settings, struct error *error);
uint16_t api_port(const struct api *api);

/* To be called once at the beginning: brings the archive up to date with the campaigns of the server, and
 * marks those as ended that an earlier process left and the server does not have. `why` they do not go on;
 * NULL: unknown. */
void api_catch_up(struct api *api, const char *why);

/* To be called from the callbacks of the server: sends the event to all watchers of the campaign. */
void api_campaign_changed(struct api *api, uint64_t campaign, enum campaign_state state);
/* The report of a campaign that has ended has changed after all: what its outputs took. */
void api_campaign_counted(struct api *api, uint64_t campaign);
void api_deadlock_found(struct api *api, uint64_t campaign, const char *text);

/* To be called from the callbacks of the server: keeps the line, for who asks for the latest ones. */
void api_log(struct api *api, enum log_level level, const struct log_subject *subject, const char *text);

/* A code that `#code=` gives to the dashboard, good for one login within a minute. */
#define API_CODE_BYTES 33u
void api_draw_code(struct api *api, char code[API_CODE_BYTES]);

/* From now on no new campaigns are accepted, and /readyz says so. */
void api_drain(struct api *api);
/* No watcher is left that still has to be sent the end of a campaign. */
bool api_is_quiet(const struct api *api);
/* The memory goes in the loop's close callbacks. NULLs the pointer, tolerates NULL. */
void api_close(struct api **api);
