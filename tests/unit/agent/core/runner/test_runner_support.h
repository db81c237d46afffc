/* A runner whose effects are recorded as a transcript, for the tests of the runner. */
#pragma once
#include "agent/core/runner/runner.h"
#include "common/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)
#define START_NS (1000 * MS)
#define CAMPAIGN 7u

struct fixture {
    struct campaign_options options;
    struct deployment *deployment;
    struct runner *runner;
    struct runner_effects effects;
    struct buffer transcript;
    struct error error;
    uint64_t now_ns;
};

/* cmocka's set-up and tear-down; the runner itself is created by `deploy`. */
int set_up(void **state);
int tear_down(void **state);

/* Creates the runner from fixture->options and gives it workers first, first + stride, …, `count` of them. */
void deploy(struct fixture *fixture, uint32_t first, uint32_t stride, uint32_t count);
/* The same with workers 0…count-1, all of which are in step 1; the transcript is empty. */
void deploy_stepping(struct fixture *fixture, uint32_t count);
/* The same with as many workers as the campaign has, which begin one second apart; `milliseconds` have
 * passed. */
void deploy_ramping(struct fixture *fixture, uint32_t count, uint64_t milliseconds);
void advance(struct fixture *fixture, uint64_t milliseconds);

/* Each takes a step and appends the effects to the transcript, separated by spaces:
 *   setup(W)  step(W@S)  teardown(W)  answer(W OUTCOME #RANK)  finished(N)  failure(W@S TEXT)
 *   started(W +MS after START_NS)  begun(W@S)  past(W@S TEXT)  ended(W TEXT)  drained(ROOM@S …)  NAME(W …)
 * for other operations */
void tick(struct fixture *fixture);
void tick_without_lease(struct fixture *fixture);
void begin(struct fixture *fixture);
void begin_at(struct fixture *fixture, uint64_t at_ns);
void assign(struct fixture *fixture, uint32_t worker, uint64_t first_step);
void synchronise(struct fixture *fixture, uint32_t room);
void rooms_done(struct fixture *fixture, uint32_t room);
void drain(struct fixture *fixture);
void run_until(struct fixture *fixture, uint32_t room, uint64_t step);
void stop(struct fixture *fixture, const char *text);
void forget(struct fixture *fixture);
void setup_done(struct fixture *fixture, uint32_t worker);
void setup_failed(struct fixture *fixture, uint32_t worker, const char *text);
void step_ok(struct fixture *fixture, uint32_t worker);
void step_failed(struct fixture *fixture, uint32_t worker, const char *text);
void step_stopped(struct fixture *fixture, uint32_t worker);
void torn_down(struct fixture *fixture, uint32_t worker);
/* Takes ownership of the command. */
void give(struct fixture *fixture, struct command *command);
/* `reply` goes to the runner as COMMAND_REPLY; its worker set is finished. */
void reply(struct fixture *fixture, struct reply *reply);

/* A call of `worker`'s script. */
enum runner_call call(struct fixture *fixture, uint32_t worker, struct operation operation);
enum runner_call call_of_task(struct fixture *fixture, uint32_t worker, uint64_t ticket,
                              struct operation operation);
/* The task of this ticket waits no more. */
void give_up(struct fixture *fixture, uint32_t worker, uint64_t ticket);
/* Nothing of the worker moves any more. */
void settle(struct fixture *fixture, uint32_t worker);
struct operation operation_of(enum operation_kind kind, const char *name, uint64_t step);

/* Compares the transcript and empties it. */
void expect(struct fixture *fixture, const char *transcript);
/* Discards it. */
void ignore(struct fixture *fixture);
