/* One worker as its runner sees it. */
#include "agent/core/runner/worker.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <string.h>

/* Enough to recognise a failure; a hundred thousand workers may fail at once. */
#define REMEMBERED_BYTES 256

static_assert(sizeof(struct worker) <= 80, "a hundred thousand of them are to be cheap");

struct pending {
    struct pending *next;
    uint64_t ticket;
    enum operation_kind kind;
    uint32_t room;
    uint64_t step;
    uint32_t nth;
    uint32_t call;
    uint64_t timeout_ms; /* 0: the campaign's */
    uint64_t seen_ns;    /* when it was first found waiting; 0: not yet */
    size_t name_size;
    uint8_t name[];
};

/* A list, since a step has few barriers. */
struct arrivals {
    struct arrivals *next;
    uint32_t count;
    size_t name_size;
    uint8_t name[];
};

void worker_init(struct worker *worker, uint32_t id, uint64_t first_step)
{
    assert(first_step > 0);
    *worker = (struct worker){.id = id, .step = first_step - 1, .state = WORKER_WAITING};
    timer_init(&worker->timer);
}

void worker_finish(struct worker *worker)
{
    while (worker->pending != NULL) {
        worker_wait_over(worker, worker->pending);
    }
    worker_forget_arrivals(worker);
    memory_free(worker->last_text);
    worker->last_text = NULL;
}

void worker_remember(struct worker *worker, const char *text)
{
    memory_free(worker->last_text);
    worker->last_text = NULL;
    if (text != NULL) {
        char start[REMEMBERED_BYTES];
        bytes_to_text(bytes_of_string(text), start, sizeof start);
        worker->last_text = memory_copy_string(start);
    }
}

uint64_t worker_ended_step(const struct worker *worker)
{
    bool has_begun = worker->state == WORKER_STEPPING || worker->state == WORKER_ASKING;
    return has_begun ? worker->step - 1 : worker->step;
}

bool worker_has_ended(const struct worker *worker)
{
    return worker->state == WORKER_HELD || worker->state == WORKER_TEARDOWN || worker->state == WORKER_GONE;
}

static struct arrivals *find_arrivals(const struct worker *worker, struct bytes name)
{
    for (struct arrivals *arrivals = worker->arrivals; arrivals != NULL; arrivals = arrivals->next) {
        if (bytes_equal(bytes_of(arrivals->name, arrivals->name_size), name)) {
            return arrivals;
        }
    }
    return NULL;
}

uint32_t worker_arrive(struct worker *worker, struct bytes name)
{
    struct arrivals *arrivals = find_arrivals(worker, name);
    if (arrivals == NULL) {
        arrivals = memory_new(1, sizeof *arrivals + name.size);
        arrivals->name_size = name.size;
        if (name.size > 0) {
            memcpy(arrivals->name, name.data, name.size);
        }
        arrivals->next = worker->arrivals;
        worker->arrivals = arrivals;
    }
    return arrivals->count++;
}

uint32_t worker_last_arrival(const struct worker *worker, struct bytes name)
{
    const struct arrivals *arrivals = find_arrivals(worker, name);
    return arrivals == NULL ? 0 : arrivals->count - 1;
}

void worker_forget_arrivals(struct worker *worker)
{
    while (worker->arrivals != NULL) {
        struct arrivals *next = worker->arrivals->next;
        memory_free(worker->arrivals);
        worker->arrivals = next;
    }
}

void worker_wait(struct worker *worker, const struct operation *operation, uint64_t ticket)
{
    assert(!worker_is_busy_for(worker, operation->kind));
    struct pending *pending = memory_new(1, sizeof *pending + operation->name.size);
    pending->next = worker->pending;
    pending->ticket = ticket;
    pending->kind = operation->kind;
    pending->room = operation->room;
    pending->step = operation->step;
    pending->nth = operation->nth;
    pending->call = operation->call;
    pending->timeout_ms = operation->timeout_ms;
    pending->name_size = operation->name.size;
    if (operation->name.size > 0) {
        memcpy(pending->name, operation->name.data, operation->name.size);
    }
    worker->pending = pending;
}

bool worker_is_busy_for(const struct worker *worker, enum operation_kind kind)
{
    size_t count = 0;
    for (const struct pending *pending = worker->pending; pending != NULL; pending = pending->next) {
        count++;
    }
    return count >= LIMIT_CALLS_AT_ONCE || (operation_is_wait(kind) && worker_find_wait(worker) != NULL);
}

struct pending *worker_next_pending(const struct worker *worker, const struct pending *before)
{
    return before == NULL ? worker->pending : before->next;
}

static bool pending_is_ended_by(const struct pending *pending, const struct reply *reply)
{
    if (pending->kind != reply->kind) {
        return false;
    }
    if (!operation_is_aggregated(pending->kind)) {
        return pending->call == reply->call;
    }
    return pending->room == reply->room && pending->step == reply->step && pending->nth == reply->nth &&
           bytes_equal(bytes_of(pending->name, pending->name_size), reply->name);
}

struct pending *worker_find_pending(const struct worker *worker, const struct reply *reply)
{
    struct pending *pending = worker->pending;
    while (pending != NULL && !pending_is_ended_by(pending, reply)) {
        pending = pending->next;
    }
    return pending;
}

struct pending *worker_find_wait(const struct worker *worker)
{
    struct pending *pending = worker->pending;
    while (pending != NULL && !operation_is_wait(pending->kind)) {
        pending = pending->next;
    }
    return pending;
}

uint64_t pending_ticket(const struct pending *pending)
{
    return pending->ticket;
}

uint64_t pending_since_ns(struct pending *pending, uint64_t now_ns, uint64_t *timeout_ms)
{
    pending->seen_ns = pending->seen_ns == 0 ? now_ns : pending->seen_ns;
    *timeout_ms = pending->timeout_ms;
    return pending->seen_ns;
}

void pending_describe(const struct pending *pending, struct reply *reply)
{
    reply->kind = pending->kind;
    reply->room = pending->room;
    reply->step = pending->step;
    reply->nth = pending->nth;
    reply->call = pending->call;
    reply->name = bytes_of(pending->name, pending->name_size);
}

void worker_wait_over(struct worker *worker, struct pending *pending)
{
    struct pending **at = &worker->pending;
    while (*at != pending) {
        at = &(*at)->next;
    }
    *at = pending->next;
    memory_free(pending);
}
