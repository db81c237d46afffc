/* A shard's look at the agent's lease: whether what its workers want may leave the agent now. Asked where
 * bytes leave, not only where a worker begins to act, for a process may be frozen anywhere in between. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Who has not looked for so long while the lease ran out was frozen: others may live on in its place. */
#define LEASE_FROZEN_NS 5000000000ull
/* What is held for longer than this is given up. */
#define LEASE_MOST_HELD_NS 30000000000ull

enum lease_state {
    LEASE_HOLDS, /* go on */
    LEASE_OVER,  /* nothing leaves until there is another; what was begun is kept */
    LEASE_GONE   /* likewise, and what was begun is given up: as `lost` */
};

struct lease {
    const _Atomic(uint64_t) *until_ns; /* of the agent; NULL: no lease is needed */
    uint64_t looked_ns;
    uint64_t over_ns; /* when it was first seen to be over; 0: it was held at the last look */
};

void lease_init(struct lease *lease, const _Atomic(uint64_t) *until_ns);
/* Takes note of the look; to be called in every turn of the loop that anything may leave in. */
enum lease_state lease_look(struct lease *lease, uint64_t now_ns);
/* The same question where nothing can be held any more. */
bool lease_is_held(const struct lease *lease, uint64_t now_ns);
