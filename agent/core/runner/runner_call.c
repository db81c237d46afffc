/* Calls of workers to the coordinator, and the replies that end them. */
#include "agent/core/runner/runner_internal.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <inttypes.h>

#define SHOWN_NAME_BYTES 80

/* Notifiers and barriers: what makes a room synchronise. */
static bool is_meeting(enum operation_kind kind)
{
    return kind == OPERATION_READ || kind == OPERATION_WRITTEN || kind == OPERATION_WRITING ||
           kind == OPERATION_DECLARE || kind == OPERATION_WAIT_WRITER || kind == OPERATION_WAIT_READERS ||
           kind == OPERATION_BARRIER;
}

static bool is_signal(enum operation_kind kind)
{
    return kind == OPERATION_READ || kind == OPERATION_WRITTEN || kind == OPERATION_WRITING ||
           kind == OPERATION_BARRIER;
}

static bool check_signal(const struct worker *worker, const struct operation *operation, const char *name,
                         struct error *error)
{
    if (worker->state == WORKER_STEPPING && operation->step == worker->step) {
        return true;
    }
    if (worker->state != WORKER_STEPPING) {
        return error_set(error,
                         "%s() on step %" PRIu64 " of %s, but worker %" PRIu32
                         " has not begun a step: signals belong to the current step",
                         operation_name(operation->kind), operation->step, name, worker->id);
    }
    return error_set(error,
                     "%s() on step %" PRIu64 " of %s, but worker %" PRIu32 " is in step %" PRIu64
                     ": signals belong to the current step",
                     operation_name(operation->kind), operation->step, name, worker->id, worker->step);
}

static bool check_meeting(const struct worker *worker, const struct operation *operation, struct error *error)
{
    const char *call = operation_name(operation->kind);
    char name[SHOWN_NAME_BYTES];
    bytes_to_text(operation->name, name, sizeof name);
    if (worker->state == WORKER_WAITING) {
        return error_set(error, "%s() of %s outside of a worker's setup and steps", call, name);
    }
    if (worker_has_ended(worker)) {
        return error_set(error, "%s() of %s in a teardown: worker %" PRIu32 " is past every step", call, name,
                         worker->id);
    }
    if (operation->step == 0) {
        return error_set(error, "%s() on step 0 of %s: steps start at 1", call, name);
    }
    return !is_signal(operation->kind) || check_signal(worker, operation, name, error);
}

static bool check(const struct worker *worker, const struct operation *operation, struct error *error)
{
    if (operation->name.size == 0 || operation->name.size > LIMIT_NAME_BYTES) {
        return error_set(error, "%s(): a name has 1 to %u bytes, not %zu", operation_name(operation->kind),
                         LIMIT_NAME_BYTES, operation->name.size);
    }
    return !is_meeting(operation->kind) || check_meeting(worker, operation, error);
}

/* Fills in what the shell does not know. */
static void runner_call_fill(const struct runner *runner, struct worker *worker, struct operation *operation)
{
    if (is_meeting(operation->kind) || operation->kind == OPERATION_RELEASED) {
        operation->room = worker_index_room(runner->index, worker);
    }
    operation->nth = 0;
    if (operation->kind == OPERATION_BARRIER) {
        operation->nth = worker_arrive(worker, operation->name);
    } else if (operation->kind == OPERATION_RELEASED) {
        operation->nth = worker_last_arrival(worker, operation->name);
    }
    bool is_numbered = operation_is_answered(operation->kind) && !operation_is_aggregated(operation->kind);
    operation->call = is_numbered ? ++worker->calls : 0;
}

enum runner_call runner_call(struct runner *runner, uint32_t worker, const struct operation *operation,
                             uint64_t ticket, struct runner_effects *effects, struct error *error)
{
    assert(operation->kind != OPERATION_PAST && operation->kind != OPERATION_ENDED);
    runner_effects_clear(effects);
    struct worker *caller = worker_index_find(runner->index, worker);
    if (caller == NULL) {
        error_set(error, "%s(): there is no worker %" PRIu32 " here", operation_name(operation->kind),
                  worker);
        return RUNNER_CALL_REFUSED;
    }
    if (runner->is_forgotten || (runner->is_stopping && operation_is_wait(operation->kind))) {
        return RUNNER_CALL_STOPPED;
    }
    if (!check(caller, operation, error)) {
        return RUNNER_CALL_REFUSED;
    }
    if (operation_is_answered(operation->kind) && worker_is_busy_for(caller, operation->kind)) {
        return RUNNER_CALL_BUSY;
    }
    struct operation filled = *operation;
    struct worker_run run;
    filled.workers = runner_only(&run, caller);
    runner_call_fill(runner, caller, &filled);
    runner_tell(runner, effects, &filled);
    if (is_meeting(operation->kind)) {
        runner_ensure_room(runner, filled.room)->is_signalled = true;
    }
    if (!operation_is_answered(operation->kind)) {
        return RUNNER_CALL_DONE;
    }
    worker_wait(caller, &filled, ticket);
    runner_expect_answer(runner);
    return RUNNER_CALL_WAITS;
}

/* Takes the hold over; gives the reply back. */
static struct shared_reply *runner_call_keep(struct runner *runner, struct shared_reply *reply)
{
    runner->answers = memory_reserve(runner->answers, &runner->answer_capacity, runner->answer_count + 1,
                                     sizeof(struct shared_reply *));
    return runner->answers[runner->answer_count++] = reply;
}

static void runner_call_answer(struct runner *runner, struct worker *worker, struct pending *pending,
                               struct shared_reply *kept, uint64_t rank)
{
    struct runner_effect *effect = runner_add_effect(runner->effects, RUNNER_ANSWER);
    effect->worker = worker->id;
    effect->reply = kept;
    effect->rank = rank;
    effect->ticket = pending_ticket(pending);
    worker_wait_over(worker, pending);
}

void runner_take_reply(struct runner *runner, const struct command *command)
{
    const struct reply *reply = shared_reply_get(command->reply);
    struct shared_reply *kept = NULL;
    struct worker_cursor cursor = {0};
    for (uint64_t i = 0; worker_set_next(&command->workers, &cursor); i++) {
        struct worker *worker = worker_index_find(runner->index, cursor.worker);
        struct pending *pending = worker != NULL ? worker_find_pending(worker, reply) : NULL;
        if (pending == NULL) {
            continue; /* it was stopped meanwhile, or never asked */
        }
        kept = kept == NULL ? runner_call_keep(runner, shared_reply_hold(command->reply)) : kept;
        uint64_t rank = command->ranks == NULL ? reply->rank + i : command->ranks[i];
        runner_call_answer(runner, worker, pending, kept, reply->kind == OPERATION_BARRIER ? rank : 0);
    }
}

void runner_answer(struct runner *runner, struct worker *worker, struct pending *pending,
                   const struct reply *reply)
{
    runner_call_answer(runner, worker, pending, runner_call_keep(runner, shared_reply_new(reply)), 0);
}

void runner_stop_calls(struct runner *runner, struct worker *worker, const char *text)
{
    struct pending *pending;
    while ((pending = worker_next_pending(worker, NULL)) != NULL) {
        struct reply reply = {.outcome = OUTCOME_STOPPED, .text = bytes_of_string(text)};
        pending_describe(pending, &reply);
        runner_answer(runner, worker, pending, &reply);
    }
}

static void tell_of_wait(struct runner *runner, const struct worker *worker, enum operation_kind kind,
                         struct runner_effects *effects)
{
    struct worker_run run;
    struct operation operation = {.kind = kind, .workers = runner_only(&run, worker)};
    runner_tell(runner, effects, &operation);
}

void runner_give_up(struct runner *runner, uint32_t worker, uint64_t ticket, struct runner_effects *effects)
{
    runner_effects_clear(effects);
    const struct worker *caller = worker_index_find(runner->index, worker);
    const struct pending *wait = caller != NULL ? worker_find_wait(caller) : NULL;
    if (wait != NULL && pending_ticket(wait) == ticket && !runner->is_forgotten) {
        tell_of_wait(runner, caller, OPERATION_GIVEN_UP, effects);
    }
}

void runner_settle(struct runner *runner, uint32_t worker, struct runner_effects *effects)
{
    runner_effects_clear(effects);
    const struct worker *caller = worker_index_find(runner->index, worker);
    if (caller != NULL && worker_find_wait(caller) != NULL && !runner->is_forgotten) {
        tell_of_wait(runner, caller, OPERATION_SETTLED, effects);
    }
}
