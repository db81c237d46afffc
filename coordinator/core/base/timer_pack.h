/* Deadlines as bytes and back, with their order among those that are due at the same time. */
#pragma once
#include "common/pack.h"
#include "common/timers.h"

static inline void timer_pack(const struct timer *timer, struct buffer *into)
{
    bool is_set = timer->position != TIMER_UNSET;
    pack_flag(into, is_set);
    if (is_set) {
        pack_number(into, timer->due_ns);
        pack_number(into, timer->order);
    }
}

/* `timer` is not set; the caller restores the order of `timers` itself. */
static inline void timer_unpack(struct timers *timers, struct timer *timer, struct unpack *from)
{
    if (unpack_flag(from)) {
        uint64_t due_ns = unpack_number(from);
        uint64_t order = unpack_number(from);
        timers_put(timers, timer, due_ns, order);
    }
}
