/* Deadlines in a binary heap; equal ones fire in the order in which they were set. */
#include "common/timers.h"
#include "common/memory.h"

#include <assert.h>

struct timers {
    struct timer **heap;
    size_t count;
    size_t capacity;
    uint64_t next_order;
};

struct timers *timers_new(void)
{
    return MEMORY_NEW(struct timers);
}

void timers_free(struct timers **timers)
{
    if (*timers != NULL) {
        memory_free((*timers)->heap);
        memory_free(*timers);
        *timers = NULL;
    }
}

void timer_init(struct timer *timer)
{
    *timer = (struct timer){.position = TIMER_UNSET};
}

static bool is_before(const struct timer *left, const struct timer *right)
{
    return left->due_ns != right->due_ns ? left->due_ns < right->due_ns : left->order < right->order;
}

static void place(struct timers *timers, struct timer *timer, size_t position)
{
    timers->heap[position] = timer;
    timer->position = position;
}

/* Sifts `timer` up from the free `position`; returns its final position. */
static size_t rise(struct timers *timers, struct timer *timer, size_t position)
{
    while (position > 0) {
        size_t parent = (position - 1) / 2;
        if (!is_before(timer, timers->heap[parent])) {
            break;
        }
        place(timers, timers->heap[parent], position);
        position = parent;
    }
    return position;
}

static size_t sink(struct timers *timers, struct timer *timer, size_t position)
{
    for (;;) {
        size_t child = 2 * position + 1;
        if (child >= timers->count) {
            return position;
        }
        if (child + 1 < timers->count && is_before(timers->heap[child + 1], timers->heap[child])) {
            child++;
        }
        if (!is_before(timers->heap[child], timer)) {
            return position;
        }
        place(timers, timers->heap[child], position);
        position = child;
    }
}

uint64_t timers_order(const struct timers *timers)
{
    return timers->next_order;
}

void timers_set_order(struct timers *timers, uint64_t order)
{
    timers->next_order = order;
}

void timers_set(struct timers *timers, struct timer *timer, uint64_t due_ns)
{
    timers_unset(timers, timer);
    timers_put(timers, timer, due_ns, timers->next_order++);
}

void timers_put(struct timers *timers, struct timer *timer, uint64_t due_ns, uint64_t order)
{
    assert(timer->position == TIMER_UNSET);
    timer->due_ns = due_ns;
    timer->order = order;
    timers->heap = memory_reserve(timers->heap, &timers->capacity, timers->count + 1, sizeof(struct timer *));
    size_t position = rise(timers, timer, timers->count++);
    place(timers, timer, position);
}

void timers_unset(struct timers *timers, struct timer *timer)
{
    size_t position = timer->position;
    if (position == TIMER_UNSET) {
        return;
    }
    assert(position < timers->count && timers->heap[position] == timer);
    timer->position = TIMER_UNSET;
    struct timer *last = timers->heap[--timers->count];
    if (last != timer) {
        position = rise(timers, last, position);
        position = sink(timers, last, position);
        place(timers, last, position);
    }
}

uint64_t timers_next_ns(const struct timers *timers)
{
    return timers->count == 0 ? TIMERS_NEVER : timers->heap[0]->due_ns;
}

struct timer *timers_take_due(struct timers *timers, uint64_t now_ns)
{
    if (timers->count == 0 || timers->heap[0]->due_ns > now_ns) {
        return NULL;
    }
    struct timer *timer = timers->heap[0];
    timers_unset(timers, timer);
    return timer;
}
