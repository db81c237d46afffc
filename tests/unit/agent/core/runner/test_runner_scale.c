/* A runner whose campaign changes its number of workers. */
#include "tests/unit/agent/core/runner/test_runner_support.h"

#include "agent/core/runner/runner_internal.h"
#include "common/memory.h"

static void scale(struct fixture *fixture, uint32_t workers, uint64_t from_step)
{
    struct command *command = command_new(COMMAND_SCALE, CAMPAIGN);
    command->worker_count = workers;
    if (from_step > 0) {
        command->room_steps = memory_new(1, sizeof *command->room_steps);
        command->room_steps[0] = (struct room_step){.room = 0, .step = from_step};
        command->room_step_count = 1;
    }
    give(fixture, command);
}

/* Three workers are in step 1. */
static struct fixture *running(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.workers = 3;
    fixture->options.runs = 0;
    deploy_stepping(fixture, 3);
    return fixture;
}

static void those_that_are_too_many_end_behind_their_step(void **state)
{
    struct fixture *fixture = running(state);
    assert_int_equal(runner_worker_count(fixture->runner, 0), 3);
    scale(fixture, 2, 0);
    expect(fixture, "");
    assert_int_equal(runner_worker_count(fixture->runner, 0), 2);
    step_ok(fixture, 2);
    expect(fixture, "ended(2) teardown(2)");
    step_ok(fixture, 1);
    expect(fixture, "step(1@2)");
}

static void where_workers_meet_the_number_changes_between_two_steps(void **state)
{
    struct fixture *fixture = running(state);
    synchronise(fixture, 0);
    ignore(fixture);
    scale(fixture, 2, 3);
    assert_int_equal(runner_worker_count(fixture->runner, 0), 3);
    step_ok(fixture, 0);
    step_ok(fixture, 2);
    expect(fixture, "past(0@1) step(0@2) past(2@1) step(2@2)");
    assert_int_equal(runner_worker_count(fixture->runner, 0), 3);
    step_ok(fixture, 0);
    step_ok(fixture, 2);
    expect(fixture, "past(0@2) step(0@3) past(2@2) ended(2)"); /* its session is kept for the others */
    assert_int_equal(runner_worker_count(fixture->runner, 0), 2);
    scale(fixture, 5, 6);
    assert_int_equal(runner_worker_count(fixture->runner, 0), 2);
    assert_int_equal(runner_worker_count(fixture->runner, 1), 3); /* still in step 1 */
}

static void who_sets_up_sees_the_number_of_its_first_step(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.workers = 3;
    fixture->options.runs = 0;
    deploy(fixture, 0, 1, 3);
    begin(fixture);
    scale(fixture, 5, 1);
    assert_int_equal(runner_worker_count(fixture->runner, 0), 5);
    scale(fixture, 6, 3);
    assert_int_equal(runner_worker_count(fixture->runner, 0), 5); /* from its third step on */
    ignore(fixture);
}

static void who_rests_ends_if_it_has_no_next_step(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.workers = 3;
    fixture->options.runs = 0;
    fixture->options.delay_ms = 100000;
    deploy_stepping(fixture, 3);
    step_ok(fixture, 2);
    ignore(fixture);
    scale(fixture, 2, 3);
    expect(fixture, ""); /* its second step is one of three workers */
    scale(fixture, 2, 2);
    expect(fixture, "ended(2) teardown(2)");
}

static void who_is_one_too_many_does_not_begin(void **state)
{
    struct fixture *fixture = running(state);
    scale(fixture, 5, 0);
    assign(fixture, 5, 1);
    expect(fixture, "ended(5)");
}

static void a_change_of_other_rooms_is_seen_behind_the_last_of_this(void **state)
{
    struct fixture *fixture = running(state);
    synchronise(fixture, 0);
    scale(fixture, 2, 2);
    step_ok(fixture, 0);
    assert_int_equal(runner_worker_count(fixture->runner, 0), 2);
    scale(fixture, 5, 0);
    assert_int_equal(runner_worker_count(fixture->runner, 0), 5);
    assert_int_equal(runner_worker_count(fixture->runner, 1), 3); /* still in step 1 */
    ignore(fixture);
}

static void the_last_changes_are_remembered(void **state)
{
    struct fixture *fixture = running(state);
    const struct worker *worker = worker_index_find(fixture->runner->index, 0);
    for (uint32_t i = 1; i <= 40; i++) {
        scale(fixture, 3 + i, 10 + i);
    }
    for (uint32_t i = 26; i <= 40; i++) {
        assert_int_equal(runner_count_at(fixture->runner, worker, 10 + i), 3 + i);
    }
    assert_int_equal(runner_count_at(fixture->runner, worker, 1000), 43);
    ignore(fixture);
}

static void a_room_that_there_cannot_be_is_not_made(void **state)
{
    struct fixture *fixture = running(state);
    struct command *command = command_new(COMMAND_SCALE, CAMPAIGN);
    command->worker_count = 4;
    command->room_steps = memory_new(1, sizeof *command->room_steps);
    command->room_steps[0] = (struct room_step){.room = 1, .step = 2}; /* all are one room */
    command->room_step_count = 1;
    give(fixture, command);
    assert_null(runner_room(fixture->runner, 1));
    synchronise(fixture, 1);
    rooms_done(fixture, 1);
    assert_null(runner_room(fixture->runner, 1));
    ignore(fixture);
}

static void who_rests_or_has_not_begun_ends_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 0;
    fixture->options.delay_ms = 100000;
    deploy_ramping(fixture, 3, 1500);
    setup_done(fixture, 1);
    step_ok(fixture, 1);
    ignore(fixture);
    scale(fixture, 1, 0);
    expect(fixture, "ended(1) teardown(1) ended(2)");
}

static void more_workers_begin_at_their_step(void **state)
{
    struct fixture *fixture = running(state);
    scale(fixture, 5, 0);
    assign(fixture, 4, 1);
    expect(fixture, "setup(4)");
    setup_done(fixture, 4);
    expect(fixture, "step(4@1)");
    assert_int_equal(runner_worker_count(fixture->runner, 4), 5);
}

static void who_comes_back_is_torn_down_first(void **state)
{
    struct fixture *fixture = running(state);
    synchronise(fixture, 0);
    scale(fixture, 2, 2);
    step_ok(fixture, 2);
    ignore(fixture);
    scale(fixture, 3, 5);
    assign(fixture, 2, 5);
    expect(fixture, "teardown(2)"); /* it was held until its room is done */
    torn_down(fixture, 2);
    expect(fixture, "past(2@4) setup(2)");
    setup_done(fixture, 2);
    expect(fixture, "step(2@5)");
    stop(fixture, "enough");
    for (uint32_t worker = 0; worker < 3; worker++) {
        step_stopped(fixture, worker);
        torn_down(fixture, worker);
    }
    ignore(fixture);
    assert_int_equal(runner_refused_events(fixture->runner), 0);
}

static void who_has_gone_comes_back_at_once(void **state)
{
    struct fixture *fixture = running(state);
    scale(fixture, 2, 0);
    step_ok(fixture, 2);
    torn_down(fixture, 2);
    ignore(fixture);
    scale(fixture, 3, 0);
    assign(fixture, 2, 1);
    expect(fixture, "setup(2)");
    stop(fixture, "enough");
    ignore(fixture);
    setup_done(fixture, 2);
    for (uint32_t worker = 0; worker < 2; worker++) {
        step_stopped(fixture, worker);
    }
    ignore(fixture);
    for (uint32_t worker = 0; worker < 3; worker++) {
        torn_down(fixture, worker);
    }
    expect(fixture, "finished(4)");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(those_that_are_too_many_end_behind_their_step),
        CASE(where_workers_meet_the_number_changes_between_two_steps),
        CASE(who_sets_up_sees_the_number_of_its_first_step),
        CASE(who_rests_ends_if_it_has_no_next_step),
        CASE(who_is_one_too_many_does_not_begin),
        CASE(a_change_of_other_rooms_is_seen_behind_the_last_of_this),
        CASE(the_last_changes_are_remembered),
        CASE(a_room_that_there_cannot_be_is_not_made),
        CASE(who_rests_or_has_not_begun_ends_at_once),
        CASE(more_workers_begin_at_their_step),
        CASE(who_comes_back_is_torn_down_first),
        CASE(who_has_gone_comes_back_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
