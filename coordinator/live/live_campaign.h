/* What of one campaign has been sent to the outputs, and what is new. */
#pragma once
#include "coordinator/core/series/series.h"
#include "coordinator/live/output_sender.h"
#include "coordinator/net/server.h"

struct live_campaign {
    struct live_campaign *next;
    uint64_t campaign;
    uint64_t begun_wall_ns; /* when its workers began, as it was first known; 0: they have not */
    bool is_resumed;        /* it ran before we saw it: counters of then were sent by another process */
    bool has_ended;
    bool is_told[OUTPUT_TARGETS]; /* that this output does not take its points */
    uint64_t give_up_ns; /* once it has ended: when to wait no more for its last batches, by uv_hrtime */
    struct {
        uint64_t second;
        uint64_t revision;
        struct series_view *view; /* NULL: nothing of it */
    } sent[SERIES_OPEN_S];        /* by second modulo SERIES_OPEN_S */
};

MUST_CHECK struct live_campaign *live_campaign_new(uint64_t campaign);
/* NULLs the pointer. */
void live_campaign_free(struct live_campaign **campaign);
/* Gives each output one batch of what is new, if there is any. Of one that has ended, all is. */
void live_campaign_send(struct live_campaign *campaign, struct server *server,
                        struct output_sender *const *senders, size_t count);
