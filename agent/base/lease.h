/* A shard's view of the agent's lease: whether bytes from its workers may leave the agent now. It is checked
 * where bytes leave, not only where a worker begins to act, since a process may be frozen anywhere in
 * between. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A shard that has not looked for this long while the lease ran out was frozen: its workers may have been
 * replaced. */
#define LEASE_FROZEN_NS 5000000000ull
/* Bytes that are held for longer than this are given up. */
#define LEASE_MOST_HELD_NS 30000000000ull

enum lease_state {
    LEASE_HOLDS, /* proceed */
    LEASE_OVER,  /* nothing leaves until there is a new lease; what was begun is kept */
    LEASE_GONE   /* nothing leaves, and what was begun is given up as `lost` */
};

struct lease {
    const _Atomic(uint64_t) *until_ns; /* of the agent; NULL: no lease is needed */
    uint64_t looked_ns;
    uint64_t over_ns; /* when it was first seen to be over; 0: it was valid at the last look */
};

void lease_init(struct lease *lease, const _Atomic(uint64_t) *until_ns);
/* Looks at the lease and records the time; call it in every turn of the loop in which bytes may leave. */
enum lease_state lease_look(struct lease *lease, uint64_t now_ns);
/* The same without recording, for callers that cannot hold anything back. */
bool lease_is_held(const struct lease *lease, uint64_t now_ns);
