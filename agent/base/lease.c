/* A shard's view of the agent's lease. */
#include "agent/base/lease.h"

#include <stddef.h>

void lease_init(struct lease *lease, const _Atomic(uint64_t) *until_ns)
{
    *lease = (struct lease){.until_ns = until_ns};
}

bool lease_is_held(const struct lease *lease, uint64_t now_ns)
{
    return lease->until_ns == NULL || now_ns < atomic_load_explicit(lease->until_ns, memory_order_acquire);
}

enum lease_state lease_look(struct lease *lease, uint64_t now_ns)
{
    uint64_t before_ns = lease->looked_ns;
    bool was_held = lease->over_ns == 0;
    lease->looked_ns = now_ns;
    if (lease_is_held(lease, now_ns)) {
        lease->over_ns = 0;
        return LEASE_HOLDS;
    }
    if (was_held) {
        lease->over_ns = now_ns;
        bool was_frozen = before_ns != 0 && now_ns - before_ns >= LEASE_FROZEN_NS;
        return was_frozen ? LEASE_GONE : LEASE_OVER;
    }
    return now_ns - lease->over_ns >= LEASE_MOST_HELD_NS ? LEASE_GONE : LEASE_OVER;
}
