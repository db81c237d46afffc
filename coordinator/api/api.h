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

/* Where scripts find something to practise on, if a campaign asks for it. */
struct api_target {
    /* Sees to it that it is there; `*port` is where. False: it cannot be. Called right before the campaign is
     * created. NULL: there is none. */
    bool (*open)(void *context, uint16_t *port, struct error *error);
    void *context;
};

struct api_settings {
    const struct listener_address *address;
    const char *token;                     /* copied; NULL: none is asked for */
    const struct host_names *names;        /* copied: by which it is called besides its addresses */
    const struct trusted_proxies *proxies; /* copied: who may say whom it speaks for */
    struct server *server;
    struct archive *archive;          /* NULL: what the server forgets is forgotten. Has to outlive the API */
    struct artifact_store *artifacts; /* likewise */
    struct api_target target;
};

/* NULL with an error if the address cannot be bound. The server has to outlive it. */
MUST_CHECK struct api *api_new(uv_loop_t *loop, const struct api_settings *settings, struct error *error);
uint16_t api_port(const struct api *api);

/* Once at the beginning: what the archive does not know yet of campaigns that the server has, and the end of
 * those that it has not, which the process before us left behind. `why` they do not go on; NULL: it is not
 * known. */
void api_catch_up(struct api *api, const char *why);

/* To be called from the callbacks of the server: whoever watches the campaign is told. */
void api_campaign_changed(struct api *api, uint64_t campaign, enum campaign_state state);
void api_deadlock_found(struct api *api, uint64_t campaign, const char *text);

/* From now on there are no new campaigns, and /readyz says so. */
void api_drain(struct api *api);
/* Nobody is still being told how a campaign ended. */
bool api_is_quiet(const struct api *api);
/* The memory goes in the loop's close callbacks. NULLs the pointer, tolerates NULL. */
void api_close(struct api **api);
