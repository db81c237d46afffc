/* The waits of a campaign: which worker waits for what, and until when. */
#include "coordinator/core/sync/wait.h"
#include "common/container.h"
#include "common/memory.h"
#include "common/time_units.h"

#include <assert.h>
#include <string.h>

#define SPARE_MAX 16384u

void waits_init(struct waits *waits, uint32_t worker_count)
{
    *waits = (struct waits){.worker_count = worker_count, .timers = timers_new()};
}

void waits_extend(struct waits *waits, uint32_t worker_count)
{
    if (waits->by_worker != NULL) {
        struct wait **by_worker = memory_new(worker_count, sizeof(struct wait *));
        memcpy(by_worker, waits->by_worker, waits->worker_count * sizeof(struct wait *));
        memory_free(waits->by_worker);
        waits->by_worker = by_worker;
    }
    waits->worker_count = worker_count;
}

static struct wait *take_spare(struct waits *waits)
{
    struct wait *wait = waits->spare;
    if (wait == NULL) {
        return MEMORY_NEW(struct wait);
    }
    waits->spare = wait->next;
    waits->spare_count--;
    return wait;
}

static void give_back(struct waits *waits, struct wait *wait)
{
    if (waits->spare_count == SPARE_MAX) {
        memory_free(wait);
        return;
    }
    wait->next = waits->spare;
    waits->spare = wait;
    waits->spare_count++;
}

void waits_finish(struct waits *waits)
{
    for (uint32_t worker = 0; waits->by_worker != NULL && worker < waits->worker_count; worker++) {
        if (waits->by_worker[worker] != NULL) {
            give_back(waits, waits->by_worker[worker]);
        }
    }
    while (waits->spare_count > 0) {
        memory_free(take_spare(waits));
    }
    memory_free(waits->by_worker);
    timers_free(&waits->timers);
}

struct wait *waits_of(const struct waits *waits, uint32_t worker)
{
    return waits->by_worker == NULL ? NULL : waits->by_worker[worker];
}

static void link_last(struct wait_list *list, struct wait *wait)
{
    wait->list = list;
    wait->previous = list->last;
    wait->next = NULL;
    *(list->last == NULL ? &list->first : &list->last->next) = wait;
    list->last = wait;
    list->count++;
}

static void take_out(struct wait *wait)
{
    struct wait_list *list = wait->list;
    *(wait->previous == NULL ? &list->first : &wait->previous->next) = wait->next;
    *(wait->next == NULL ? &list->last : &wait->next->previous) = wait->previous;
    list->count--;
}

static uint64_t due_ns(uint64_t now_ns, uint64_t timeout_ms)
{
    uint64_t due;
    bool is_beyond = __builtin_mul_overflow(timeout_ms, NS_PER_MS, &due) ||
                     __builtin_add_overflow(due, now_ns, &due) || due == TIMERS_NEVER;
    return is_beyond ? TIMERS_NEVER - 1 : due;
}

/* Its timer was set when it began. */
uint64_t wait_waited_ns(const struct wait *wait, uint64_t now_ns)
{
    uint64_t left_ns = wait->timer.due_ns > now_ns ? wait->timer.due_ns - now_ns : 0;
    uint64_t whole_ns = due_ns(0, wait->timeout_ms);
    return whole_ns > left_ns ? whole_ns - left_ns : 0;
}

struct wait *waits_put(struct waits *waits, struct wait_list *list, const struct wait *like)
{
    if (waits->by_worker == NULL) {
        waits->by_worker = memory_new(waits->worker_count, sizeof(struct wait *));
    }
    assert(waits->by_worker[like->worker] == NULL);
    struct wait *wait = take_spare(waits);
    *wait = *like;
    waits->by_worker[wait->worker] = wait;
    waits->count++;
    if (wait->tally != NULL) {
        (*wait->tally)++;
        waits->tallied++;
    }
    timer_init(&wait->timer);
    link_last(list, wait);
    return wait;
}

struct wait *waits_begin(struct waits *waits, uint64_t now_ns, struct wait_list *list,
                         const struct wait *like)
{
    struct wait *wait = waits_put(waits, list, like);
    timers_set(waits->timers, &wait->timer, due_ns(now_ns, wait->timeout_ms));
    return wait;
}

void waits_end(struct waits *waits, struct wait *wait)
{
    take_out(wait);
    timers_unset(waits->timers, &wait->timer);
    if (wait->tally != NULL) {
        assert(*wait->tally > 0);
        (*wait->tally)--;
        waits->tallied--;
    }
    waits->count--;
    waits->by_worker[wait->worker] = NULL;
    give_back(waits, wait);
}

bool wait_is_for_variable(const struct wait *wait)
{
    return wait->kind == OPERATION_GET_OR_MAKE || wait->kind == OPERATION_WAIT_SET ||
           wait->kind == OPERATION_WAIT_CHANGED;
}

void waits_tally(struct waits *waits, struct wait *wait, uint32_t *tally)
{
    assert(wait->tally == NULL);
    wait->tally = tally;
    (*tally)++;
    waits->tallied++;
}

void wait_move(struct wait *wait, struct wait_list *list)
{
    take_out(wait);
    link_last(list, wait);
}

struct wait *waits_take_due(struct waits *waits, uint64_t now_ns)
{
    struct timer *timer = timers_take_due(waits->timers, now_ns);
    return timer == NULL ? NULL : CONTAINER_OF(timer, struct wait, timer);
}
