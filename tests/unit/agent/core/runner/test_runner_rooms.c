/* Rooms that synchronise: progress, ending together, draining. Four workers; rooms of two: 0 is workers 0 and
 * 1, 1 is workers 2 and 3. */
#include "tests/unit/agent/core/runner/test_runner_support.h"

#include "common/memory.h"
#include "proto/message/limits.h"

#include <string.h>

static void deploy_all(struct fixture *fixture)
{
    fixture->options.room_size = 2;
    deploy_stepping(fixture, 4);
}

static void tells_nothing_of_rooms_that_do_not_synchronise(void **state)
{
    struct fixture *fixture = *state;
    deploy_all(fixture);
    step_ok(fixture, 0);
    step_failed(fixture, 2, "no page");
    expect(fixture, "step(0@2) step(2@2)");
}

static void tells_where_everyone_is_when_a_room_begins_to_synchronise(void **state)
{
    struct fixture *fixture = *state;
    deploy_all(fixture);
    step_failed(fixture, 0, "no page");
    step_ok(fixture, 2);
    ignore(fixture);
    synchronise(fixture, 0);
    expect(fixture, "past(0@1 no page) past(1@0)");
    synchronise(fixture, 0);
    expect(fixture, "");
}

static void snapshot_leaves_out_who_has_told_its_end(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 1;
    deploy_all(fixture);
    step_ok(fixture, 0);
    ignore(fixture);
    synchronise(fixture, 0);
    expect(fixture, "past(1@0)");
}

static void tells_each_end_of_a_step_of_a_room_that_synchronises(void **state)
{
    struct fixture *fixture = *state;
    deploy_all(fixture);
    synchronise(fixture, 0);
    ignore(fixture);
    step_ok(fixture, 0);
    expect(fixture, "past(0@1) step(0@2)");
    step_failed(fixture, 0, NULL);
    expect(fixture, "past(0@2 failed) step(0@3)");
    step_stopped(fixture, 1);
    expect(fixture, "past(1@1 stopped) step(1@2)");
    step_ok(fixture, 2);
    expect(fixture, "step(2@2)");
    step_ok(fixture, 0);
    expect(fixture, "past(0@3) ended(0)");
}

static void cuts_a_failure_to_what_a_message_may_hold(void **state)
{
    struct fixture *fixture = *state;
    deploy_all(fixture);
    synchronise(fixture, 0);
    char text[3 * LIMIT_TEXT_BYTES];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    step_failed(fixture, 0, text);
    assert_int_equal(fixture->effects.items[0].notice->operation->text.size, LIMIT_TEXT_BYTES);
}

static void keeps_a_session_until_its_room_is_done(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 1;
    deploy_all(fixture);
    synchronise(fixture, 0);
    ignore(fixture);
    step_ok(fixture, 0);
    expect(fixture, "past(0@1) ended(0)");
    assert_int_equal(runner_running(fixture->runner), 4);
    rooms_done(fixture, 1);
    expect(fixture, "");
    rooms_done(fixture, 0);
    expect(fixture, "teardown(0)");
    assert_true(runner_due_ns(fixture->runner) == UINT64_MAX); /* nothing is left to wait for */
    step_ok(fixture, 1);
    expect(fixture, "past(1@1) ended(1) teardown(1)");
}

static void keeps_a_session_no_longer_than_a_wait_may_last(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 1;
    fixture->options.sync_timeout_ms = 500;
    deploy_all(fixture);
    synchronise(fixture, 0);
    ignore(fixture);
    step_ok(fixture, 0);
    ignore(fixture);
    advance(fixture, 499);
    expect(fixture, "");
    advance(fixture, 1);
    expect(fixture, "teardown(0)");
}

static void keeps_a_session_after_a_signal_that_nobody_has_answered_yet(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 1;
    deploy_all(fixture);
    assert_int_equal(call(fixture, 0, operation_of(OPERATION_READ, "pad", 1)), RUNNER_CALL_DONE);
    ignore(fixture);
    step_ok(fixture, 0);
    expect(fixture, "ended(0)");
    step_ok(fixture, 1); /* of the same room */
    expect(fixture, "ended(1)");
    rooms_done(fixture, 0);
    expect(fixture, "teardown(0) teardown(1)");
}

static void variables_alone_hold_nobody(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 1;
    deploy_all(fixture);
    assert_int_equal(call(fixture, 0, operation_of(OPERATION_GET, "price", 0)), RUNNER_CALL_WAITS);
    ignore(fixture);
    step_ok(fixture, 0);
    expect(fixture, "ended(0) teardown(0)");
}

static void stop_releases_who_is_held(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 1;
    deploy_all(fixture);
    synchronise(fixture, 0);
    step_ok(fixture, 0);
    ignore(fixture);
    stop(fixture, "enough");
    expect(fixture, "teardown(0)");
    step_ok(fixture, 1);
    expect(fixture, "past(1@1) ended(1 enough) teardown(1)");
}

static void drains_at_the_next_boundary_where_nobody_synchronises(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.delay_ms = 100;
    fixture->options.room_size = 2;
    deploy_ramping(fixture, 4, 2000);
    setup_done(fixture, 0);
    setup_done(fixture, 1);
    step_ok(fixture, 1); /* is pausing */
    ignore(fixture);
    drain(fixture); /* 2 is in its setup, 3 has not begun */
    expect(fixture, "ended(1) teardown(1) ended(3) drained()");
    step_ok(fixture, 0);
    expect(fixture, "ended(0) teardown(0)");
    setup_done(fixture, 2);
    expect(fixture, "ended(2) teardown(2)");
    for (uint32_t worker = 0; worker < 3; worker++) {
        torn_down(fixture, worker);
    }
    expect(fixture, "finished(4)");
    drain(fixture);
    expect(fixture, "");
}

static void drains_a_room_that_synchronises_to_a_common_step(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 10;
    fixture->options.delay_ms = 100;
    deploy_all(fixture);
    synchronise(fixture, 0);
    step_ok(fixture, 0);
    advance(fixture, 100); /* 0 is in step 2, 1 in step 1 */
    step_ok(fixture, 2);   /* is pausing */
    ignore(fixture);
    drain(fixture);
    expect(fixture, "ended(2) teardown(2) drained(0@2)");
    step_ok(fixture, 1);
    expect(fixture, "past(1@1)"); /* begins nothing until it is told up to which step */
    advance(fixture, 100);
    expect(fixture, "");
    run_until(fixture, 0, 3); /* some other agent has been in step 3 */
    expect(fixture, "step(1@2)");
    step_ok(fixture, 0);
    expect(fixture, "past(0@2)");
    advance(fixture, 100);
    expect(fixture, "step(0@3)");
    step_ok(fixture, 0);
    expect(fixture, "past(0@3) ended(0)");
    step_ok(fixture, 1);
    advance(fixture, 100);
    step_ok(fixture, 1);
    expect(fixture, "past(1@2) step(1@3) past(1@3) ended(1)");
}

static void halts_a_worker_whose_rest_or_setup_is_cut_by_the_drain(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.delay_ms = 100;
    fixture->options.room_size = 4;
    deploy(fixture, 0, 1, 2);
    begin(fixture);
    setup_done(fixture, 0);
    synchronise(fixture, 0);
    step_ok(fixture, 0); /* is pausing; 1 is in its setup */
    ignore(fixture);
    drain(fixture);
    expect(fixture, "drained(0@1)");
    advance(fixture, 1000);
    setup_done(fixture, 1);
    expect(fixture, "");
    run_until(fixture, 0, 1);
    expect(fixture, "ended(0) step(1@1)");
}

static void ends_who_waits_to_start_in_a_room_that_synchronises(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.room_size = 4;
    deploy(fixture, 0, 1, 1);
    synchronise(fixture, 0);
    expect(fixture, "past(0@0)");
    drain(fixture);
    expect(fixture, "ended(0) drained(0@0) finished(1)");
}

static void runs_limit_a_drain_as_well(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 1;
    deploy_all(fixture);
    synchronise(fixture, 0);
    drain(fixture);
    run_until(fixture, 0, 5);
    ignore(fixture);
    step_ok(fixture, 0);
    expect(fixture, "past(0@1) ended(0)");
}

static void room_that_synchronises_after_the_drain_ends_at_its_boundary(void **state)
{
    struct fixture *fixture = *state;
    deploy_all(fixture);
    drain(fixture);
    ignore(fixture);
    synchronise(fixture, 0);
    expect(fixture, "past(0@0) past(1@0)");
    step_ok(fixture, 0);
    expect(fixture, "past(0@1) ended(0)");
    run_until(fixture, 0, 9); /* cannot happen; it is ignored */
    step_ok(fixture, 1);
    expect(fixture, "past(1@1) ended(1)");
}

static void signal_alone_does_not_halt_a_room(void **state)
{
    struct fixture *fixture = *state;
    deploy_all(fixture);
    assert_int_equal(call(fixture, 0, operation_of(OPERATION_READ, "pad", 1)), RUNNER_CALL_DONE);
    drain(fixture); /* the coordinator learned of it too late to ask */
    ignore(fixture);
    step_ok(fixture, 1);
    expect(fixture, "ended(1)");
}

static void stop_ends_who_is_halted(void **state)
{
    struct fixture *fixture = *state;
    deploy_all(fixture);
    synchronise(fixture, 0);
    drain(fixture);
    step_ok(fixture, 0);
    ignore(fixture);
    stop(fixture, "enough");
    expect(fixture, "ended(0 enough) teardown(0)");
}

static void ignores_rooms_that_do_not_exist(void **state)
{
    struct fixture *fixture = *state;
    deploy_all(fixture);
    synchronise(fixture, 2);
    rooms_done(fixture, 4000000000u);
    run_until(fixture, 77, 3);
    drain(fixture);
    expect(fixture, "drained()");
}

static void assigned_worker_reopens_a_room_that_was_done(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.room_size = 2;
    fixture->options.runs = 1;
    deploy(fixture, 0, 1, 1);
    begin(fixture);
    setup_done(fixture, 0);
    synchronise(fixture, 0);
    rooms_done(fixture, 0);
    ignore(fixture);
    assign(fixture, 1, 1);
    setup_done(fixture, 1);
    step_ok(fixture, 1);
    /* Its previous agent may have been lost silently: where it begins is reported at once. */
    expect(fixture, "past(1@0) setup(1) step(1@1) past(1@1) ended(1)");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(tells_nothing_of_rooms_that_do_not_synchronise),
        CASE(tells_where_everyone_is_when_a_room_begins_to_synchronise),
        CASE(snapshot_leaves_out_who_has_told_its_end),
        CASE(tells_each_end_of_a_step_of_a_room_that_synchronises),
        CASE(cuts_a_failure_to_what_a_message_may_hold),
        CASE(keeps_a_session_until_its_room_is_done),
        CASE(keeps_a_session_no_longer_than_a_wait_may_last),
        CASE(keeps_a_session_after_a_signal_that_nobody_has_answered_yet),
        CASE(variables_alone_hold_nobody),
        CASE(stop_releases_who_is_held),
        CASE(drains_at_the_next_boundary_where_nobody_synchronises),
        CASE(drains_a_room_that_synchronises_to_a_common_step),
        CASE(halts_a_worker_whose_rest_or_setup_is_cut_by_the_drain),
        CASE(ends_who_waits_to_start_in_a_room_that_synchronises),
        CASE(runs_limit_a_drain_as_well),
        CASE(room_that_synchronises_after_the_drain_ends_at_its_boundary),
        CASE(signal_alone_does_not_halt_a_room),
        CASE(stop_ends_who_is_halted),
        CASE(ignores_rooms_that_do_not_exist),
        CASE(assigned_worker_reopens_a_room_that_was_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
