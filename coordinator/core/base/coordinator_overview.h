/* The agents and campaigns of a coordinator, for an observer outside the core. */
#pragma once
#include "common/bytes.h"
#include "coordinator/core/base/campaign_state.h"
#include "proto/message/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lost agents that are still listed, until one of the same name joins; the oldest is dropped first. */
#define OVERVIEW_LOST_KEPT 64u

struct agent_overview {
    struct bytes name;
    struct bytes host;
    uint32_t pid;
    uint32_t cores;
    uint32_t shards;
    uint64_t memory_bytes;
    struct bytes labels;
    struct bytes program; /* its version, as it says */
    uint32_t capacity;    /* 0: any number of workers */
    uint64_t held;        /* workers placed on it by campaigns that have not ended */
    uint64_t heard_ns;
    bool is_lost;
    const struct gauges *gauges; /* its latest; NULL: none yet, or it is lost */
    uint64_t link_backlog;       /* messages that it has not acknowledged */
    uint64_t held_bytes;         /* likewise */
    uint64_t unread;             /* its messages that were not taken in until it acknowledged more */
    uint64_t malformed;          /* its messages and operations that were refused */
    bool has_left;               /* it said goodbye */
    uint32_t workers_running;
    const uint64_t *campaigns; /* that it takes part in and have not ended, by rising id */
    size_t campaign_count;
};

struct campaign_overview {
    uint64_t campaign;
    enum campaign_state state;
    uint16_t target_port; /* of the practice target that it uses; 0: none */
};

struct coordinator_overview {
    const struct agent_overview *agents; /* in the order in which they joined; then the lost ones */
    size_t agent_count;
    size_t lost_count;                         /* of `agents` */
    const struct campaign_overview *campaigns; /* by rising id; ended ones as long as their report is kept */
    size_t campaign_count;
    size_t live_campaign_count; /* that have not ended */
    /* Since the coordinator began. */
    uint64_t campaigns_created;
    uint64_t agents_joined;
    uint64_t agents_lost; /* without those that left */
    uint64_t agents_left;
    uint64_t frames_received;
    uint64_t frames_sent;
    uint64_t operations; /* of workers, in however few messages */
};
