/* The inside of a link, for the files that it is made of. */
#pragma once
#include "proto/link/link.h"

#include <assert.h>

/* Doublings after which the part of the timeout that depends on the bytes stops growing. */
#define LINK_MAXIMUM_BACKOFF 3u
/* Messages of a longer queue are not all added up by link_check. */
#define LINK_CHECKED_MESSAGES 512u

/* Sequences of our messages: all below `oldest` are acknowledged, those from `oldest` up to `next` are in
 * flight in this pass, those from `next` up to `end` wait. `highest_sent` is what any pass has reached: a
 * timeout takes `next` back. */
struct link {
    uint64_t incarnation;
    uint64_t epoch;
    uint64_t heartbeat_ns;
    uint64_t started_ns;

    struct shared **ring; /* held; message `sequence` is at sequence mod capacity */
    size_t ring_capacity;
    uint64_t oldest;
    uint64_t next;
    uint64_t end;
    uint64_t highest_sent;
    size_t in_flight_bytes;
    size_t held_bytes;    /* of all from `oldest` up to `end` */
    uint64_t progress_ns; /* when the other end last acknowledged something, or had nothing to acknowledge */
    unsigned backoff;
    bool is_probing;         /* sent again after a timeout, without a sign of life yet */
    uint64_t timer_start_ns; /* valid while anything is in flight */
    uint64_t last_sent_ns;   /* the newest instant at which a frame left; 0: none yet */
    uint64_t beat_ns;        /* from when the next heartbeat counts */

    uint64_t expected;
    bool is_acknowledgement_owed;
    uint64_t acknowledge_due_ns;   /* valid while one is owed */
    unsigned unacknowledged_count; /* messages taken in since a frame left */
    uint64_t heard_ns;
    uint64_t newest_received_ns; /* the peer's clock */
    uint64_t newest_arrived_ns;  /* when that one came in */
    uint64_t newest_echo_ns;     /* our clock, as echoed by the peer; 0: none yet */
    struct link_sample sample;
    bool has_sample;
};

static inline struct shared **link_queued_at(const struct link *link, uint64_t sequence)
{
    assert(sequence >= link->oldest && sequence < link->end);
    return &link->ring[sequence & (link->ring_capacity - 1)];
}

static inline size_t link_size_at(const struct link *link, uint64_t sequence)
{
    return shared_bytes(*link_queued_at(link, sequence)).size;
}

/* link_send for a link that is still being unpacked. */
void link_append(struct link *link, struct shared *message);

/* Asserts, in debug builds, what holds whenever no function of the link is running. */
#ifdef LINK_CHECKS
void link_check(const struct link *link);
#else
static inline void link_check(const struct link *link)
{
    (void)link;
}
#endif
