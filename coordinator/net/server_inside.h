/* What the files of the server know of each other. */
#pragma once
#include "coordinator/net/ingress.h"
#include "coordinator/net/report_cache.h"
#include "coordinator/net/server.h"
#include "proto/socket/socket.h"

/* A call made from within a callback: performed when the step that caused it is over. */
struct deferred {
    struct coordinator_event event; /* EVENT_STOP or EVENT_AGENT_GONE */
    char *text;
};

struct server {
    struct server_callbacks callbacks;
    FILE *trace;
    struct coordinator *coordinator;
    struct coordinator_settings settings;
    uint64_t offset_ns; /* offset from the clock of this machine to the coordinator's time; may wrap around */
    struct recovery *recovery; /* NULL: without one */
    struct coordinator_effects effects;
    struct report_cache reports;
    struct socket *socket;
    struct ingress *ingress;
    uv_timer_t timer;
    unsigned open_parts; /* the timer and the ingress */
    struct buffer envelope;
    struct deferred *deferred;
    size_t deferred_count;
    size_t deferred_capacity;
    bool is_stepping;
    bool is_to_stop;       /* stop what runs, since it has no journal any more */
    bool has_lost_bundles; /* the campaigns that have them are still to be stopped */
    bool is_closing;
};

/* For a call that comes from outside of any step. */
void server_step_now(struct server *server, const struct coordinator_event *event);
/* The same for one that may come from within a callback of a step: then it waits until that is over. Takes
 * ownership of `text`, which the event points to. */
void server_step_or_defer(struct server *server, const struct coordinator_event *event, char *text);
