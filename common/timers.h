/* Deadlines in a binary heap; equal ones fire in the order in which they were set. Pure: the time is given.
 */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_UNSET SIZE_MAX
#define TIMERS_NEVER UINT64_MAX

/* Embedded in the object that has the deadline; `position` is TIMER_UNSET while it is not set
 * (timer_init). */
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
/* Sets the timer, or moves it if it is already set. */
void timers_set(struct timers *timers, struct timer *timer, uint64_t due_ns);
void timers_unset(struct timers *timers, struct timer *timer);
/* For copying timers so that the copies fire in the same order: the order that the next timer will get, and
 * setting an unset timer with the time and the order of its original. */
uint64_t timers_order(const struct timers *timers);
void timers_set_order(struct timers *timers, uint64_t order);
void timers_put(struct timers *timers, struct timer *timer, uint64_t due_ns, uint64_t order);
/* The earliest deadline, TIMERS_NEVER if none is set. */
uint64_t timers_next_ns(const struct timers *timers);
/* Removes and returns a timer that is due at `now_ns`, or returns NULL. */
struct timer *timers_take_due(struct timers *timers, uint64_t now_ns);
