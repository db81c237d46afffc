/* What a runner says of a call when it ends it by itself, whom it counts, and what comes too late or for
 * nobody. */
#include "tests/unit/agent/core/runner/test_runner_support.h"

#include "agent/core/runner/runner_internal.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <string.h>

/* The answer that the last step gave. */
static const struct reply *last_answer(const struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->effects.count; i++) {
        if (fixture->effects.items[i].kind == RUNNER_ANSWER) {
            return shared_reply_get(fixture->effects.items[i].reply);
        }
    }
    fail_msg("nobody was answered");
    return NULL;
}

static void who_is_never_answered_is_told_what_it_waited_for(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 1);
    struct operation own = operation_of(OPERATION_WAIT_WRITER, "a\tb", 1);
    own.timeout_ms = 5000;
    assert_int_equal(call(fixture, 0, own), RUNNER_CALL_WAITS);
    ignore(fixture);
    tick(fixture);
    for (int second = 0; second < 35; second++) {
        advance(fixture, 1000);
    }
    expect(fixture, "answer(0 timeout #0)");
    assert_true(bytes_equal_string(
        last_answer(fixture)->text,
        "the coordinator has never answered wait_for_writer of a\\tb, not even 30 s after it should have"));
}

static void call_that_is_stopped_is_named_as_it_was_asked(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.workers = 4;
    fixture->options.room_size = 2;
    deploy_stepping(fixture, 4);
    struct operation barrier = operation_of(OPERATION_BARRIER, "line", 1);
    barrier.nth = 9; /* the runner counts */
    assert_int_equal(call(fixture, 3, barrier), RUNNER_CALL_WAITS);
    expect(fixture, "barrier(3 line@1 room 1 nth 0 call 0)");
    struct reply first = {.kind = OPERATION_BARRIER, .name = bytes_of_string("line"), .step = 1, .room = 1};
    worker_set_add(&first.workers, 3);
    reply(fixture, &first);
    ignore(fixture);
    assert_int_equal(call(fixture, 3, barrier), RUNNER_CALL_WAITS);
    expect(fixture, "barrier(3 line@1 room 1 nth 1 call 0)");
    stop(fixture, "enough");
    const struct reply *answer = last_answer(fixture);
    assert_int_equal(answer->kind, OPERATION_BARRIER);
    assert_int_equal(answer->room, 1);
    assert_int_equal(answer->step, 1);
    assert_int_equal(answer->nth, 1);
    assert_true(bytes_equal_string(answer->name, "line"));
    ignore(fixture);
}

static void only_a_barrier_has_an_ordinal_and_only_a_meeting_a_room(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.workers = 4;
    fixture->options.room_size = 2;
    deploy_stepping(fixture, 4);
    struct operation read = operation_of(OPERATION_READ, "pad", 1);
    read.nth = 9;
    assert_int_equal(call(fixture, 3, read), RUNNER_CALL_DONE);
    expect(fixture, "one_read(3 pad@1 room 1 nth 0 call 0)");
    assert_int_equal(call(fixture, 3, operation_of(OPERATION_GET, "v", 0)), RUNNER_CALL_WAITS);
    ignore(fixture);
    stop(fixture, "enough");
    assert_int_equal(last_answer(fixture)->call, 1);
    ignore(fixture);
}

static void names_may_be_so_long(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 1);
    char name[LIMIT_NAME_BYTES + 2];
    memset(name, 'n', sizeof name);
    name[LIMIT_NAME_BYTES] = '\0';
    assert_int_equal(call(fixture, 0, operation_of(OPERATION_READ, name, 1)), RUNNER_CALL_DONE);
    name[LIMIT_NAME_BYTES] = 'n';
    name[LIMIT_NAME_BYTES + 1] = '\0';
    assert_int_equal(call(fixture, 0, operation_of(OPERATION_READ, name, 1)), RUNNER_CALL_REFUSED);
    ignore(fixture);
}

/* More than are looked at in one step: the last one is found too, and the first one again. */
static void among_many_each_call_in_vain_is_found(void **state)
{
    struct fixture *fixture = *state;
    const uint32_t workers = 40000;
    fixture->options.workers = workers;
    deploy(fixture, 0, 1, workers);
    begin(fixture);
    for (int i = 0; i < 100; i++) { /* not all of them start in one step */
        tick(fixture);
        ignore(fixture);
    }
    for (uint32_t worker = 0; worker < workers; worker++) {
        setup_done(fixture, worker);
        ignore(fixture);
    }
    struct operation own = operation_of(OPERATION_WAIT_WRITER, "pad", 1);
    own.timeout_ms = 1;
    const uint32_t waiting[] = {0, 16384, workers - 1};
    for (size_t i = 0; i < 3; i++) {
        enum runner_call happened = call(fixture, waiting[i], own);
        if (happened != RUNNER_CALL_WAITS) {
            fail_msg("%u: %d: %s", waiting[i], (int)happened, fixture->error.text);
        }
    }
    ignore(fixture);
    tick(fixture);
    for (int second = 0; second < 36; second++) {
        advance(fixture, 1000);
    }
    expect(fixture, "answer(0 timeout #0) answer(16384 timeout #0) answer(39999 timeout #0)");
    for (int second = 0; second < 6; second++) {
        advance(fixture, 1000);
    }
    assert_true(runner_due_ns(fixture->runner) == UINT64_MAX);
    assert_int_equal(call(fixture, 0, own), RUNNER_CALL_WAITS);
    ignore(fixture);
    tick(fixture);
    for (int second = 0; second < 36; second++) {
        advance(fixture, 1000);
    }
    expect(fixture, "answer(0 timeout #0)");
}

static void who_is_halted_still_runs(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.workers = 3;
    fixture->options.runs = 0;
    deploy_stepping(fixture, 3);
    synchronise(fixture, 0);
    drain(fixture);
    step_ok(fixture, 0);
    ignore(fixture);
    assert_int_equal(runner_running(fixture->runner), 3);
}

static void who_ended_has_nothing_due(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.workers = 1;
    fixture->options.runs = 1;
    fixture->options.sync_timeout_ms = 1000;
    deploy_stepping(fixture, 1);
    step_ok(fixture, 0);
    expect(fixture, "ended(0) teardown(0)");
    advance(fixture, 1000);
    advance(fixture, 1000);
    torn_down(fixture, 0);
    expect(fixture, "finished(1)");
    assert_int_equal(runner_refused_events(fixture->runner), 0);
}

static void step_that_is_known_is_nothing_to_who_did_not_ask(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.workers = 3;
    deploy_stepping(fixture, 2);
    struct command *command = command_new(COMMAND_KNOWN, CAMPAIGN);
    worker_set_add(&command->workers, 0);
    worker_set_add(&command->workers, 2); /* is not here */
    give(fixture, command);
    expect(fixture, "");
    assert_int_equal(runner_refused_events(fixture->runner), 0);
}

static void only_a_wait_settles(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 1);
    assert_int_equal(call_of_task(fixture, 0, 5, operation_of(OPERATION_GET, "v", 0)), RUNNER_CALL_WAITS);
    ignore(fixture);
    settle(fixture, 0);
    give_up(fixture, 0, 5);
    expect(fixture, "");
    assert_int_equal(call_of_task(fixture, 0, 6, operation_of(OPERATION_WAIT_WRITER, "pad", 1)),
                     RUNNER_CALL_WAITS);
    ignore(fixture);
    give_up(fixture, 0, 5); /* of the call that is no wait */
    expect(fixture, "");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(who_is_never_answered_is_told_what_it_waited_for),
        CASE(call_that_is_stopped_is_named_as_it_was_asked),
        CASE(only_a_barrier_has_an_ordinal_and_only_a_meeting_a_room),
        CASE(names_may_be_so_long),
        CASE(among_many_each_call_in_vain_is_found),
        CASE(who_is_halted_still_runs),
        CASE(who_ended_has_nothing_due),
        CASE(step_that_is_known_is_nothing_to_who_did_not_ask),
        CASE(only_a_wait_settles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
