/* Whose turn it is on a shard. Workers that can go on are queued, for each campaign in their order; the
 * campaigns take turns by how long theirs have had the thread. */
#pragma once
#include "agent/shard/alarms.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct lease;
struct loop_lag;
struct mailbox;
struct net;
struct pulse;
struct turns;
struct vu;

/* The queued workers of one campaign. */
struct turn_queue {
    struct turns *turns;
    struct turn_queue *next_ready;
    struct vu *first;
    struct vu *last;
    size_t queued;
    uint64_t served_ns; /* how long it has had turns since it came to the front */
    bool is_ready;      /* among those that have turns: some worker is queued */
    bool is_resting;    /* it has kept the thread for too long: its workers wait for rest_alarm */
    struct alarm rest_alarm;
};

/* All borrowed. */
struct turns_settings {
    uv_loop_t *loop;
    struct alarms *alarms;
    const struct lease *lease; /* turns are given only while it is held */
    struct loop_lag *lag;      /* told how long a worker has been queued */
    struct mailbox *notices;   /* no turns while too much waits in it */
    struct pulse *pulse;       /* may be NULL */
};

struct turns {
    struct turns_settings settings;
    struct net *net;                /* that workers speak over; NULL: none has */
    uv_timer_t retry;               /* while workers may not act */
    uv_idle_t busy;                 /* while there are turns to give: the loop does not sleep */
    struct turn_queue *first_ready; /* each in order */
    struct turn_queue *last_ready;
    size_t queued;        /* workers of those */
    size_t queue_count;   /* of all campaigns, ready or not */
    uint64_t now_ns;      /* when the clock was last read; while a worker is queued, not long ago */
    uint64_t began_ns;    /* the present turn of a worker */
    uint64_t ended_ns;    /* likewise; 0: not known */
    uint64_t refused_ns;  /* when workers were last kept from acting */
    unsigned short_turns; /* in a row, as far as that matters */
    uint64_t gather_ns;   /* since when their requests wait for others; 0: none does */
};

#define TURNS_HANDLES 2u

/* The net's streams speak together, for what several workers have to say. Borrowed. */
void turns_set_net(struct turns *turns, struct net *net);
void turns_open(struct turns *turns, const struct turns_settings *settings);
/* on_closed comes for each of TURNS_HANDLES, with `data` as the handle's. */
void turns_close(struct turns *turns, uv_close_cb on_closed, void *data);

void turn_queue_init(struct turn_queue *queue, struct turns *turns);
/* No worker of it is queued any more. */
void turn_queue_finish(struct turn_queue *queue);
/* It is the worker's turn as soon as there is a lease; does nothing if it is queued. */
void turn_queue_add(struct turn_queue *queue, struct vu *vu);
void turn_queue_remove(struct turn_queue *queue, struct vu *vu);

/* From the loop's check, after the sockets: gives turns for a bounded time. True if one of them took so long
 * that what other workers did should wait no more. */
bool turns_give(struct turns *turns);
/* The lease has changed: looks again. */
void turns_resume(struct turns *turns);
/* The clock was read elsewhere: as the loop is about to wait, an alarm is due, a command has come or a step
 * has ended. */
void turns_note_time(struct turns *turns, uint64_t now_ns);
/* It was read at the end of what the present turn has run: nothing that takes time follows in it. */
void turns_note_end(struct turns *turns, uint64_t now_ns);
/* When it was read last. */
uint64_t turns_now_ns(const struct turns *turns);
/* Whether a worker is queued that is not kept from acting by its campaign's rest. */
bool turns_any(const struct turns *turns);
/* Likewise, and turns are being given. */
bool turns_are_given(const struct turns *turns);
/* When the present turn began. */
uint64_t turns_began_ns(const struct turns *turns);
