/* Everything that can happen to the coordinator. Reading this and effect.h explains the daemon. */
#pragma once
#include "common/bytes.h"
#include "proto/link/link.h"
#include "proto/message/campaign.h"

#include <stdbool.h>
#include <stdint.h>

enum coordinator_event_kind {
    EVENT_TICK,     /* time has passed: coordinator_due_ns was reached */
    EVENT_FRAME,    /* bytes came in from somewhere */
    EVENT_TURN_END, /* no more frames for now: hand out what has gathered, one message where many would do */
    EVENT_AGENT_GONE, /* the agent's process is known to be dead */
    EVENT_REVOKED,    /* an agent may not join any more: no frame of its incarnation comes in from now on */
    EVENT_CREATE,     /* somebody wants a campaign */
    EVENT_STOP,       /* somebody wants it to end */
    EVENT_SCALE,      /* somebody wants it to have another number of workers */
    EVENT_RESTORED, /* this is another process, which has been told all of the above again: nobody is reached
                       until he is heard, and nobody is to blame for the silence */
};

struct coordinator_event {
    enum coordinator_event_kind kind;
    uint64_t now_ns;
    union {
        struct {
            struct envelope envelope;
            struct bytes message;
            /* What the key is called that the connection has shown: who speaks. Empty where there are no
             * keys. */
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
            /* NULL, or where the contents of all files stand one behind the other in memory of their own:
             * taken instead of copied, and NULLed. */
            uint8_t **content;
            struct bytes script;  /* its path, for the report */
            uint32_t agents;      /* deployed as soon as so many have joined; at least 1 */
            uint64_t deadline_ms; /* ended as `aborted` if they have not by then */
            struct bytes key;     /* drawn by who wants it, to be found again by; empty: none. Copied */
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
    };
};
