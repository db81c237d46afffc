/* Outputs that are sent points while campaigns run, once a second of each. */
#pragma once
#include "common/attributes.h"
#include "coordinator/live/output_target.h"
#include "coordinator/net/server.h"

/* How long the last points of a campaign may take to be sent. */
#define LIVE_LAST_MS 3000u

struct live;

struct live_settings {
    const struct output_list *outputs;
    struct server *server;
    /* When an output fails, once for each campaign: "influxdb at … does not take points: …". */
    void (*on_failing)(void *context, uint64_t campaign, const char *text);
    /* At the end of a campaign of which it has not taken all; NULL: the report says it. */
    void (*on_lost)(void *context, uint64_t campaign, const char *text);
    /* Nothing of a campaign that has ended waits any more. May call live_close. */
    void (*on_settled)(void *context, uint64_t campaign);
    void *context;
};

/* NULL with an error: a file of a token cannot be read, a host is unknown. The server has to outlive it. */
MUST_CHECK struct live *live_new(uv_loop_t *loop, const struct live_settings *settings, struct error *error);
/* To be called from the callback of the server. `on_settled` follows, within LIVE_LAST_MS and a second. */
void live_campaign_ended(struct live *live, uint64_t campaign);
/* Whether all of this campaign has been sent, or given up; so it is of one that is unknown. */
bool live_is_settled(const struct live *live, uint64_t campaign);
/* Whether that is so for all. */
bool live_is_quiet(const struct live *live);
/* Adds what became of the points of its campaign to a report. */
void live_describe(const struct live *live, struct report_view *report);
/* Ends the threads, at once; the memory goes in the loop's close callbacks. NULLs the pointer; NULL is
 * tolerated. */
void live_close(struct live **live);
