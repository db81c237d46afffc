/* Everything that the coordinator can ask its shell to do. */
#pragma once
#include "common/attributes.h"
#include "common/log.h"
#include "coordinator/core/base/campaign_state.h"
#include "proto/link/link.h"

#include <stddef.h>

enum coordinator_effect_kind {
    EFFECT_SEND,         /* put a frame on the wire to the agent of this incarnation; may get lost */
    EFFECT_LOG,          /* tell the operator */
    EFFECT_CAMPAIGN,     /* a campaign has entered this state */
    EFFECT_DEADLOCK,     /* was found; `text` names each worker and what it waits for */
    EFFECT_FORGET_ROUTE, /* nothing will be sent to this incarnation any more */
};

struct coordinator_effect {
    enum coordinator_effect_kind kind;
    uint64_t incarnation;
    struct envelope envelope;
    struct shared *message; /* NULL: there is none; borrowed until the next coordinator_step */
    enum log_level level;
    struct log_subject subject; /* of LOG; borrowed likewise */
    uint64_t campaign;
    enum campaign_state state;
    const char *text; /* borrowed until the next coordinator_step */
};

/* Kept by the caller from step to step to reuse its memory; zeroed to begin with. */
struct coordinator_effects {
    struct coordinator_effect *items;
    size_t count;
    size_t capacity;
};
void coordinator_effects_finish(struct coordinator_effects *effects);
