/* Everything that can happen to the coordinator. Reading this and effect.h explains the daemon. */
#pragma once
#include "common/bytes.h"
#include "proto/link/link.h"
#include "proto/message/campaign.h"

#include <stdbool.h>
#include <stdint.h>

enum coordinator_event_kind {
    EVENT_TICK,       /* time has passed: coordinator_due_ns was reached */
    EVENT_FRAME,      /* a frame came in from somewhere */
    EVENT_TURN_END,   /* no more frames for now: hand out what was collected, in few messages */
    EVENT_AGENT_GONE, /* the agent's process is known to be dead */
    EVENT_REVOKED,    /* an agent may not join any more; no frame of its incarnation follows */
    EVENT_CREATE,     /* a campaign is requested */
    EVENT_STOP,       /* its end is requested */
    EVENT_SCALE,      /* another number of workers is requested */
    EVENT_PACE,       /* it is to pause, to go on, or to have another rate */
    EVENT_DELETE,     /* one that has ended is to be forgotten */
    EVENT_RESTORED,   /* this is another process, which has replayed the events above: no agent can be reached
                         before it is heard, and none is to blame for the silence */
};

enum pace_change { PACE_PAUSE, PACE_RESUME, PACE_RATE, PACE_CHANGES };

struct coordinator_event {
    enum coordinator_event_kind kind;
    uint64_t now_ns;
    union {
        struct {
            struct envelope envelope;
            struct bytes message;
            /* The name of the key that the connection has authenticated with. Empty: there are no keys. */
            struct bytes key_name;
        } frame;
        struct {
            uint64_t incarnation;
        } revoked;
        struct {
            struct bytes name;
        } gone;
        struct {
            struct campaign_options options; /* copied, with what it points to */
            struct bundle bundle;            /* copied */
            /* NULL, or the contents of all files, concatenated in memory of their own, which is taken instead
             * of copied and set to NULL. */
            uint8_t **content;
            struct bytes script;  /* its path, for the report */
            uint32_t agents;      /* deployed as soon as this many have joined; at least 1 */
            uint64_t deadline_ms; /* ended as `aborted` if they have not joined within it */
            struct bytes key;     /* idempotency key, drawn by the client; empty: none. Copied */
        } create;
        struct {
            uint64_t campaign;
            bool is_at_once;   /* do not wait for teardown */
            struct bytes text; /* why, for the report: "interrupted" */
        } stop;
        struct {
            uint64_t campaign;
            uint32_t workers;
        } scale;
        struct {
            uint64_t campaign;
            enum pace_change change;
            double rate_per_s;
        } pace;
        struct {
            uint64_t campaign;
        } deleted;
    };
};
