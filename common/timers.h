/* Deadlines in a binary heap; equal ones fire in the order in which they were set. Pure: the time is given.
 */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_UNSET SIZE_MAX
#define TIMERS_NEVER UINT64_MAX

/* Embedded in whatever is due; `position` is TIMER_UNSET while it is not set (timer_init). */
struct timer {
    uint64_t due_ns;
    uint64_t order;
    size_t position;
};

struct timers;

MUST_CHECK struct timers *timers_new(void);
/* Timers that are still set are simply forgotten. */
void timers_free(struct timers **timers);
void timer_init(struct timer *timer);
/* Sets it anew where it was set already. */
void timers_set(struct timers *timers, struct timer *timer, uint64_t due_ns);
void timers_unset(struct timers *timers, struct timer *timer);
/* To copy timers so that the copies fire in the same order: the order that the next one to be set gets, and a
 * timer, which is not set, with the time and the order of its original. */
uint64_t timers_order(const struct timers *timers);
void timers_set_order(struct timers *timers, uint64_t order);
void timers_put(struct timers *timers, struct timer *timer, uint64_t due_ns, uint64_t order);
/* When the next one is due, TIMERS_NEVER when none is set. */
uint64_t timers_next_ns(const struct timers *timers);
/* Takes out one that is due at `now_ns`, or gives NULL. */
struct timer *timers_take_due(struct timers *timers, uint64_t now_ns);
