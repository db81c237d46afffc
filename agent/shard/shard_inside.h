/* What shard.c (its life, and commands) and shard_turns.c (whose turn it is, and when) share of a shard. */
#pragma once
#include "agent/base/lease.h"
#include "agent/shard/loop_lag.h"
#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"

struct shard {
    struct shard_settings settings;
    char *agent;
    uv_thread_t thread; /* where the loop is our own */
    uv_loop_t own_loop;
    uv_loop_t *loop;
    unsigned open_handles;
    struct mailbox *commands;
    struct lease lease;
    struct http_engine *http;
    struct drivers *drivers; /* NULL: nobody has needed a browser */
    struct memory_account memory;
    struct timers *timers;
    uv_timer_t wakeup;
    uv_timer_t retry; /* while workers may not act */
    uv_idle_t busy;   /* while there are turns to give */
    uv_check_t turns;
    uv_prepare_t parting; /* before the loop may sleep */
    void **posts;         /* notices of this turn: they leave together, and wake the agent's thread once */
    size_t post_count;
    size_t post_capacity;
    uint64_t waiting_ns;                /* since when posts wait for others to join; 0: they do not */
    bool is_hurried;                    /* what is to be posted does not wait for others */
    uint64_t turn_ns;                   /* when the present turn of a worker began */
    struct shard_campaign *first_ready; /* campaigns with workers whose turn it is: one of each in order */
    struct shard_campaign *last_ready;
    size_t queued; /* workers of those */
    struct shard_campaign *campaigns;
    struct loop_lag lag;
    struct alarm lag_alarm;
    uint64_t now_ns;     /* when the clock was last read; while it is anybody's turn, not long ago */
    uint64_t refused_ns; /* when workers were last kept from acting */
    bool is_stopping;
};

/* Handles and alarms of the turns, on the shard's loop; closing calls on_closed of each handle. */
#define SHARD_TURN_HANDLES 5u
void shard_open_turns(struct shard *shard);
void shard_close_turns(struct shard *shard, uv_close_cb on_closed);
/* The lease is another: who pauses looks again. */
void shard_resume_turns(struct shard *shard);
/* What was posted leaves, unless it may wait for others to join. */
void shard_send_posts(struct shard *shard);
