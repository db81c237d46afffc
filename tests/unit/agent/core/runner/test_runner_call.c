/* Calls of workers and the replies that end them. */
#include "tests/unit/agent/core/runner/test_runner_support.h"

#include "common/memory.h"
#include "proto/message/limits.h"

#include <string.h>

static struct reply reply_to(enum operation_kind kind, const char *name, uint64_t step)
{
    return (struct reply){.kind = kind, .name = bytes_of_string(name), .step = step};
}

static void signal_is_sent_and_not_answered(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 2);
    assert_int_equal(call(fixture, 1, operation_of(OPERATION_READ, "pad", 1)), RUNNER_CALL_DONE);
    expect(fixture, "one_read(1 pad@1 room 0 nth 0 call 0)");
}

static void expect_gathered(struct batcher *batcher, enum operation_kind kind, uint64_t workers)
{
    struct operation *operation = batcher_take(batcher);
    assert_non_null(operation);
    assert_int_equal(operation->kind, kind);
    assert_int_equal(worker_set_count(&operation->workers), workers);
    operation_free(&operation);
}

static void gathering_takes_what_would_be_notices(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 2);
    struct batcher *batcher = batcher_new(2);
    runner_gather_into(fixture->runner, batcher);
    synchronise(fixture, 0);
    assert_int_equal(call(fixture, 0, operation_of(OPERATION_READ, "pad", 1)), RUNNER_CALL_DONE);
    assert_int_equal(call(fixture, 1, operation_of(OPERATION_READ, "pad", 1)), RUNNER_CALL_DONE);
    assert_false(batcher_is_urgent(batcher));
    assert_int_equal(call(fixture, 1, operation_of(OPERATION_WRITTEN, "pad", 1)), RUNNER_CALL_WAITS);
    assert_true(batcher_is_urgent(batcher));
    step_ok(fixture, 0);
    expect(fixture, "step(0@2)");
    expect_gathered(batcher, OPERATION_PAST, 2);
    expect_gathered(batcher, OPERATION_READ, 2);
    expect_gathered(batcher, OPERATION_WRITTEN, 1);
    expect_gathered(batcher, OPERATION_PAST, 1);
    assert_null(batcher_take(batcher));
    assert_false(batcher_is_urgent(batcher));
    batcher_free(&batcher);
}

/* The coordinator ends each wait in time; if it does not, for whatever reason, the agent does so later. */
static void call_that_is_never_answered_ends(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 2);
    struct operation own = operation_of(OPERATION_WAIT_WRITER, "pad", 1);
    own.timeout_ms = 5000;
    assert_int_equal(call(fixture, 0, own), RUNNER_CALL_WAITS);
    assert_int_equal(call(fixture, 1, operation_of(OPERATION_GET, "v", 0)), RUNNER_CALL_WAITS);
    ignore(fixture);
    assert_int_equal(runner_due_ns(fixture->runner), 0); /* it does not know yet what time it is */
    tick(fixture);
    for (int second = 1; second < 35; second++) {
        assert_true(runner_due_ns(fixture->runner) <= fixture->now_ns + 1000 * MS);
        advance(fixture, 1000);
    }
    expect(fixture, "");
    advance(fixture, 1000);
    expect(fixture, "answer(0 timeout #0)");
    for (int second = 36; second < 90; second++) {
        advance(fixture, 1000);
    }
    expect(fixture, "");
    advance(fixture, 1000);
    expect(fixture, "answer(1 timeout #0)");
    advance(fixture, 1000);
    advance(fixture, 1000);
    assert_true(runner_due_ns(fixture->runner) == UINT64_MAX); /* nobody waits any more */
}

/* A coordinator that is away for a long time may still come back and answer. */
static void who_hears_nothing_of_the_coordinator_does_not_give_up(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 1);
    assert_int_equal(call(fixture, 0, operation_of(OPERATION_GET, "v", 0)), RUNNER_CALL_WAITS);
    ignore(fixture);
    tick(fixture);
    for (int second = 0; second < 500; second++) {
        fixture->now_ns += 1000 * MS;
        tick_without_lease(fixture);
    }
    for (int second = 0; second < 89; second++) {
        advance(fixture, 1000);
    }
    expect(fixture, "");
    advance(fixture, 1000);
    expect(fixture, "answer(0 timeout #0)");
}

static void wait_ends_with_the_reply_of_its_key(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 3);
    for (uint32_t worker = 0; worker < 3; worker++) {
        struct operation operation = operation_of(OPERATION_WAIT_WRITER, "pad", worker == 2 ? 2 : 1);
        assert_int_equal(call(fixture, worker, operation), RUNNER_CALL_WAITS);
    }
    expect(fixture,
           "wait_for_writer(0 pad@1 room 0 nth 0 call 0) wait_for_writer(1 pad@1 room 0 nth 0 call 0) "
           "wait_for_writer(2 pad@2 room 0 nth 0 call 0)");
    struct reply answer = reply_to(OPERATION_WAIT_WRITER, "pad", 1);
    answer.outcome = OUTCOME_SHORT;
    for (uint32_t worker = 0; worker < 4; worker++) {
        worker_set_add(&answer.workers, worker);
    }
    reply(fixture, &answer);
    expect(fixture, "answer(0 short #0) answer(1 short #0)"); /* 2 waits for another step, 3 is not here */
}

static void replies_that_nobody_waits_for_are_ignored(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 1);
    (void)call(fixture, 0, operation_of(OPERATION_WAIT_READERS, "pad", 1));
    ignore(fixture);
    struct reply answers[] = {
        reply_to(OPERATION_WAIT_WRITER, "pad", 1),  reply_to(OPERATION_WAIT_READERS, "pat", 1),
        reply_to(OPERATION_WAIT_READERS, "pad", 2), reply_to(OPERATION_WAIT_READERS, "pad", 1),
        reply_to(OPERATION_WAIT_READERS, "pad", 1),
    };
    answers[3].room = 1;
    answers[4].nth = 1;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        worker_set_add(&answers[i].workers, 0);
        reply(fixture, &answers[i]);
    }
    expect(fixture, "");
    struct reply right = reply_to(OPERATION_WAIT_READERS, "pad", 1);
    worker_set_add(&right.workers, 0);
    reply(fixture, &right);
    expect(fixture, "answer(0 ok #0)");
    worker_set_add(&right.workers, 0);
    reply(fixture, &right);
    expect(fixture, "");
}

static void calls_for_one_worker_are_matched_by_number(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 1);
    assert_int_equal(call(fixture, 0, operation_of(OPERATION_GET, "price", 0)), RUNNER_CALL_WAITS);
    step_failed(fixture, 0, "out of its budget"); /* nobody waits for that answer any more */
    assert_int_equal(call(fixture, 0, operation_of(OPERATION_GET, "price", 0)), RUNNER_CALL_WAITS);
    expect(fixture,
           "get_var(0 price@0 room 0 nth 0 call 1) step(0@2) get_var(0 price@0 room 0 nth 0 call 2)");
    struct reply late = reply_to(OPERATION_GET, "price", 0);
    late.call = 1;
    worker_set_add(&late.workers, 0);
    reply(fixture, &late);
    expect(fixture, "");
    struct reply answer = reply_to(OPERATION_GET, "price", 0);
    answer.call = 2;
    answer.value = bytes_of_string("t");
    worker_set_add(&answer.workers, 0);
    reply(fixture, &answer);
    assert_true(bytes_equal_string(shared_reply_get(fixture->effects.items[0].reply)->value, "t"));
    expect(fixture, "answer(0 ok #0)");
}

static void barrier_calls_are_counted_by_name_within_the_step(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 1);
    static const char *const NAMES[] = {"line", "line", "gate", "line"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(call(fixture, 0, operation_of(OPERATION_BARRIER, NAMES[i], 1)), RUNNER_CALL_WAITS);
        struct reply answer = reply_to(OPERATION_BARRIER, NAMES[i], 1);
        answer.nth = i == 1 ? 1 : i == 3 ? 2 : 0;
        answer.rank = 1;
        worker_set_add(&answer.workers, 0);
        reply(fixture, &answer);
    }
    expect(fixture,
           "barrier(0 line@1 room 0 nth 0 call 0) answer(0 ok #1) barrier(0 line@1 room 0 nth 1 call 0) "
           "answer(0 ok #1) barrier(0 gate@1 room 0 nth 0 call 0) answer(0 ok #1) "
           "barrier(0 line@1 room 0 nth 2 call 0) answer(0 ok #1)");
    (void)call(fixture, 0, operation_of(OPERATION_RELEASED, "line", 1));
    expect(fixture, "released(0 line@1 room 0 nth 2 call 0)");
    step_ok(fixture, 0);
    ignore(fixture);
    (void)call(fixture, 0, operation_of(OPERATION_BARRIER, "line", 2));
    expect(fixture, "barrier(0 line@2 room 0 nth 0 call 0)");
}

static void wait_all_at_the_barrier(struct fixture *fixture)
{
    deploy_stepping(fixture, 3);
    for (uint32_t worker = 0; worker < 3; worker++) {
        (void)call(fixture, worker, operation_of(OPERATION_BARRIER, "line", 1));
    }
    ignore(fixture);
}

static void ranks_follow_the_order_of_the_reply(void **state)
{
    struct fixture *fixture = *state;
    wait_all_at_the_barrier(fixture);
    struct reply answer = reply_to(OPERATION_BARRIER, "line", 1);
    answer.rank = 4;
    worker_set_add(&answer.workers, 2);
    worker_set_add(&answer.workers, 0);
    worker_set_add(&answer.workers, 1);
    reply(fixture, &answer);
    expect(fixture, "answer(2 ok #4) answer(0 ok #5) answer(1 ok #6)");
}

static void ranks_are_their_own_where_other_shards_lie_between(void **state)
{
    struct fixture *fixture = *state;
    wait_all_at_the_barrier(fixture);
    struct reply answer = reply_to(OPERATION_BARRIER, "line", 1);
    worker_set_add(&answer.workers, 1);
    worker_set_add(&answer.workers, 2);
    struct command *command = command_new(COMMAND_REPLY, CAMPAIGN);
    command->reply = shared_reply_new(&answer);
    command->workers = answer.workers;
    command->ranks = memory_new(2, sizeof *command->ranks);
    command->ranks[0] = 3;
    command->ranks[1] = 9;
    give(fixture, command);
    expect(fixture, "answer(1 ok #3) answer(2 ok #9)");
}

static void expect_refused(struct fixture *fixture, uint32_t worker, struct operation operation,
                           const char *text)
{
    assert_int_equal(call(fixture, worker, operation), RUNNER_CALL_REFUSED);
    assert_string_equal(fixture->error.text, text);
    expect(fixture, "");
}

static void signals_belong_to_the_current_step(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 4);
    step_ok(fixture, 3);
    step_ok(fixture, 3);
    ignore(fixture);
    expect_refused(
        fixture, 3, operation_of(OPERATION_READ, "pad", 2),
        "one_read() on step 2 of pad, but worker 3 is in step 3: signals belong to the current step");
    expect_refused(
        fixture, 3, operation_of(OPERATION_WRITTEN, "pad", 4),
        "written() on step 4 of pad, but worker 3 is in step 3: signals belong to the current step");
    expect_refused(
        fixture, 3, operation_of(OPERATION_BARRIER, "line", 1),
        "barrier() on step 1 of line, but worker 3 is in step 3: signals belong to the current step");
    assert_int_equal(call(fixture, 3, operation_of(OPERATION_WAIT_READERS, "pad", 2)), RUNNER_CALL_WAITS);
    assert_int_equal(call(fixture, 0, operation_of(OPERATION_DECLARE, "pad", 7)), RUNNER_CALL_WAITS);
}

static void meetings_are_for_setup_and_steps(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 1;
    deploy(fixture, 0, 1, 2);
    expect_refused(fixture, 0, operation_of(OPERATION_WAIT_WRITER, "pad", 1),
                   "wait_for_writer() of pad outside of a worker's setup and steps");
    begin(fixture);
    ignore(fixture);
    expect_refused(
        fixture, 0, operation_of(OPERATION_WRITTEN, "pad", 1),
        "written() on step 1 of pad, but worker 0 has not begun a step: signals belong to the current "
        "step");
    expect_refused(fixture, 0, operation_of(OPERATION_WAIT_WRITER, "pad", 0),
                   "wait_for_writer() on step 0 of pad: steps start at 1");
    assert_int_equal(call(fixture, 0, operation_of(OPERATION_WAIT_WRITER, "pad", 1)), RUNNER_CALL_WAITS);
    setup_done(fixture, 1);
    step_ok(fixture, 1);
    ignore(fixture);
    expect_refused(fixture, 1, operation_of(OPERATION_WAIT_READERS, "pad", 1),
                   "wait_for_readers() of pad in a teardown: worker 1 is past every step");
}

static void variables_are_for_all_times(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 1;
    deploy(fixture, 0, 1, 1);
    struct operation operation = operation_of(OPERATION_SET, "price", 0);
    operation.room = ROOM_CAMPAIGN;
    assert_int_equal(call(fixture, 0, operation), RUNNER_CALL_WAITS); /* a global fixture, in its name */
    struct reply answer = reply_to(OPERATION_SET, "price", 0);
    answer.call = 1;
    worker_set_add(&answer.workers, 0);
    reply(fixture, &answer);
    expect(fixture, "set_var(0 price@0 room 4294967295 nth 0 call 1) answer(0 ok #0)");
    begin(fixture);
    setup_done(fixture, 0);
    step_ok(fixture, 0);
    torn_down(fixture, 0);
    ignore(fixture);
    assert_int_equal(call(fixture, 0, operation), RUNNER_CALL_WAITS);
    expect(fixture, "set_var(0 price@0 room 4294967295 nth 0 call 2)");
}

static void refuses_bad_names_and_strangers(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 1);
    expect_refused(fixture, 0, operation_of(OPERATION_READ, "", 1),
                   "one_read(): a name has 1 to 255 bytes, not 0");
    char name[LIMIT_NAME_BYTES + 2];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    expect_refused(fixture, 0, operation_of(OPERATION_GET, name, 0),
                   "get_var(): a name has 1 to 255 bytes, not 256");
    expect_refused(fixture, 9, operation_of(OPERATION_GET, "price", 0),
                   "get_var(): there is no worker 9 here");
}

static void a_worker_has_one_wait_at_once_and_a_bounded_number_of_calls(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 1);
    assert_int_equal(call_of_task(fixture, 0, 7, operation_of(OPERATION_WAIT_WRITER, "pad", 1)),
                     RUNNER_CALL_WAITS);
    assert_int_equal(call_of_task(fixture, 0, 8, operation_of(OPERATION_BARRIER, "all", 1)),
                     RUNNER_CALL_BUSY);
    assert_int_equal(call(fixture, 0, operation_of(OPERATION_READ, "pad", 1)), RUNNER_CALL_DONE);
    for (uint64_t i = 1; i < LIMIT_CALLS_AT_ONCE; i++) {
        assert_int_equal(call_of_task(fixture, 0, 8 + i, operation_of(OPERATION_GET, "price", 0)),
                         RUNNER_CALL_WAITS);
    }
    assert_int_equal(call_of_task(fixture, 0, 30, operation_of(OPERATION_GET, "price", 0)), RUNNER_CALL_BUSY);
    struct reply answer = reply_to(OPERATION_GET, "price", 0);
    answer.call = 3;
    worker_set_add(&answer.workers, 0);
    ignore(fixture);
    reply(fixture, &answer);
    assert_int_equal(fixture->effects.items[0].ticket, 11);
    expect(fixture, "answer(0 ok #0)");
    assert_int_equal(call_of_task(fixture, 0, 31, operation_of(OPERATION_GET, "price", 0)),
                     RUNNER_CALL_WAITS);
    assert_int_equal(call_of_task(fixture, 0, 32, operation_of(OPERATION_WAIT_SET, "price", 0)),
                     RUNNER_CALL_BUSY);
}

static void a_wait_of_a_task_outlives_the_step_until_it_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 1);
    (void)call_of_task(fixture, 0, 7, operation_of(OPERATION_WAIT_SET, "price", 0));
    step_ok(fixture, 0);
    ignore(fixture);
    assert_int_equal(call_of_task(fixture, 0, 8, operation_of(OPERATION_WAIT_SET, "price", 0)),
                     RUNNER_CALL_BUSY);
    give_up(fixture, 0, 6);
    expect(fixture, "");
    settle(fixture, 0);
    expect(fixture, "settled(0)");
    give_up(fixture, 0, 7);
    expect(fixture, "given_up(0)");
    struct reply answer = reply_to(OPERATION_WAIT_SET, "price", 0);
    answer.call = 1;
    worker_set_add(&answer.workers, 0);
    reply(fixture, &answer);
    expect(fixture, "answer(0 ok #0)");
    assert_int_equal(call_of_task(fixture, 0, 8, operation_of(OPERATION_WAIT_SET, "price", 0)),
                     RUNNER_CALL_WAITS);
}

static void nothing_is_left_to_answer_to_a_worker_past_its_last_step(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 1);
    (void)call_of_task(fixture, 0, 7, operation_of(OPERATION_WAIT_SET, "price", 0));
    ignore(fixture);
    drain(fixture);
    ignore(fixture);
    step_ok(fixture, 0);
    expect(fixture, "ended(0) answer(0 stopped #0) teardown(0)");
}

static void stop_ends_every_pending_call_and_every_later_wait(void **state)
{
    struct fixture *fixture = *state;
    deploy_stepping(fixture, 3);
    (void)call(fixture, 0, operation_of(OPERATION_WAIT_WRITER, "pad", 1));
    (void)call(fixture, 1, operation_of(OPERATION_GET, "price", 0));
    ignore(fixture);
    stop(fixture, "interrupted");
    const struct reply *answer = shared_reply_get(fixture->effects.items[0].reply);
    assert_int_equal(answer->kind, OPERATION_WAIT_WRITER);
    assert_true(bytes_equal_string(answer->name, "pad"));
    assert_true(bytes_equal_string(answer->text, "interrupted"));
    expect(fixture, "answer(0 stopped #0) answer(1 stopped #0)");

    struct reply late = reply_to(OPERATION_WAIT_WRITER, "pad", 1);
    worker_set_add(&late.workers, 0);
    reply(fixture, &late);
    expect(fixture, "");
    assert_int_equal(call(fixture, 2, operation_of(OPERATION_BARRIER, "line", 1)), RUNNER_CALL_STOPPED);
    assert_int_equal(call(fixture, 2, operation_of(OPERATION_GET_OR_MAKE, "price", 0)), RUNNER_CALL_STOPPED);
    expect(fixture, "");
    assert_int_equal(call(fixture, 2, operation_of(OPERATION_GET, "price", 0)), RUNNER_CALL_WAITS);
    expect(fixture, "get_var(2 price@0 room 0 nth 0 call 1)");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(signal_is_sent_and_not_answered),
        CASE(gathering_takes_what_would_be_notices),
        CASE(call_that_is_never_answered_ends),
        CASE(who_hears_nothing_of_the_coordinator_does_not_give_up),
        CASE(wait_ends_with_the_reply_of_its_key),
        CASE(replies_that_nobody_waits_for_are_ignored),
        CASE(calls_for_one_worker_are_matched_by_number),
        CASE(barrier_calls_are_counted_by_name_within_the_step),
        CASE(ranks_follow_the_order_of_the_reply),
        CASE(ranks_are_their_own_where_other_shards_lie_between),
        CASE(signals_belong_to_the_current_step),
        CASE(meetings_are_for_setup_and_steps),
        CASE(variables_are_for_all_times),
        CASE(refuses_bad_names_and_strangers),
        CASE(a_worker_has_one_wait_at_once_and_a_bounded_number_of_calls),
        CASE(a_wait_of_a_task_outlives_the_step_until_it_is_given_up),
        CASE(nothing_is_left_to_answer_to_a_worker_past_its_last_step),
        CASE(stop_ends_every_pending_call_and_every_later_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
