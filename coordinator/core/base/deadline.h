/* A deadline of one of the coordinator's parts, and its owner. */
#pragma once
#include "common/container.h"
#include "common/timers.h"

enum deadline_kind {
    DEADLINE_MEMBER,  /* a frame has to leave, or it has been silent too long */
    DEADLINE_LIFE,    /* a campaign has been in its state as long as it may */
    DEADLINE_ROOMS,   /* a wait of a campaign ends, or the search for a deadlock is due */
    DEADLINE_STAGE,   /* the number of its workers may have to change */
    DEADLINE_JUDGE,   /* the thresholds of a campaign are looked at */
    DEADLINE_LEAVING, /* agents that leave may be let go */
};

struct deadline {
    struct timer timer;
    enum deadline_kind kind;
    void *owner;
};

static inline void deadline_init(struct deadline *due, enum deadline_kind kind, void *owner)
{
    timer_init(&due->timer);
    due->kind = kind;
    due->owner = owner;
}

/* TIMERS_NEVER unsets it. */
static inline void deadline_set(struct timers *timers, struct deadline *due, uint64_t due_ns)
{
    if (due_ns == TIMERS_NEVER) {
        timers_unset(timers, &due->timer);
    } else {
        timers_set(timers, &due->timer, due_ns);
    }
}

/* NULL when nothing is due. */
static inline struct deadline *due_take(struct timers *timers, uint64_t now_ns)
{
    struct timer *timer = timers_take_due(timers, now_ns);
    return timer == NULL ? NULL : CONTAINER_OF(timer, struct deadline, timer);
}

/* `now_ns` + `milliseconds`; TIMERS_NEVER where that overflows. */
static inline uint64_t due_after_ms(uint64_t now_ns, uint64_t milliseconds)
{
    uint64_t delay_ns = 0;
    uint64_t due_ns = 0;
    bool is_too_far = __builtin_mul_overflow(milliseconds, 1000000u, &delay_ns) ||
                      __builtin_add_overflow(now_ns, delay_ns, &due_ns);
    return is_too_far ? TIMERS_NEVER : due_ns;
}
