/* One worker as its runner sees it: where it is in its life, and the calls that its tasks wait in. Small:
 * there may be a hundred thousand of them. */
#pragma once
#include "agent/core/runner/worker_lifecycle.h"
#include "common/timers.h"
#include "proto/message/operation.h"

#include <stdbool.h>
#include <stdint.h>

struct pending;
struct arrivals;

struct worker {
    struct timer timer; /* to start, to be set up, to rest, or to be held no longer: by the state */
    uint64_t
        step; /* that it is in, is about to begin, or has ended last; before its first, the one before that */
    uint64_t intended_ns;      /* when that step was to begin; 0: at no instant of its own */
    struct pending *pending;   /* its calls that are not answered yet, the last one first; NULL: none */
    struct arrivals *arrivals; /* the barriers that it has come to in this step */
    char *last_text; /* how its last step ended, NULL if well; kept while nobody asks for its progress */
    uint32_t id;
    uint32_t calls; /* answered ones that are not aggregated, so far */
    enum worker_state state;
};

void worker_init(struct worker *worker, uint32_t id, uint64_t first_step);
void worker_finish(struct worker *worker);
/* Keeps the start of `text`, NULL for nothing, as how its last step ended. */
void worker_remember(struct worker *worker, const char *text);

/* The last step that it has ended; 0 if none. */
uint64_t worker_ended_step(const struct worker *worker);
/* Whether it has reported, or is about to report, that it is past every step. */
bool worker_has_ended(const struct worker *worker);

/* It arrives once more at the barrier of this name in its step. Gives the ordinal of this arrival, from 0. */
uint32_t worker_arrive(struct worker *worker, struct bytes name);
/* The ordinal of its last arrival there; 0 if it never arrived. */
uint32_t worker_last_arrival(const struct worker *worker, struct bytes name);
void worker_forget_arrivals(struct worker *worker);

/* Remembers a call, which has to be answered: at most LIMIT_CALLS_AT_ONCE, and one wait among them. `ticket`
 * says whose it is. */
void worker_wait(struct worker *worker, const struct operation *operation, uint64_t ticket);
/* Whether a further call of this kind has to wait until another one is answered. */
bool worker_is_busy_for(const struct worker *worker, enum operation_kind kind);
/* Its next call after `before`, from NULL on; NULL: there are no more. */
struct pending *worker_next_pending(const struct worker *worker, const struct pending *before);
/* The call that this reply ends, or NULL. */
struct pending *worker_find_pending(const struct worker *worker, const struct reply *reply);
/* The wait among them, or NULL. */
struct pending *worker_find_wait(const struct worker *worker);
uint64_t pending_ticket(const struct pending *pending);
/* Since when it has waited for its answer, counted from the first look at it. `timeout_ms` is how long that
 * may take, as the coordinator was told (0: the campaign's default). */
uint64_t pending_since_ns(struct pending *pending, uint64_t now_ns, uint64_t *timeout_ms);
/* Fills in kind and key of the call; the name is borrowed until worker_wait_over. */
void pending_describe(const struct pending *pending, struct reply *reply);
/* It is answered, or the answer does not matter any more. */
void worker_wait_over(struct worker *worker, struct pending *pending);
