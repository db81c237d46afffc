/* The life of workers from start to end: setup, steps, delays, runs, failure, assignment, stop. */
#include "tests/unit/agent/core/runner/test_runner_support.h"

#include <string.h>

static void takes_a_worker_through_its_life(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 2;
    deploy(fixture, 1, 1, 1);
    assert_true(runner_due_ns(fixture->runner) == UINT64_MAX);
    begin(fixture);
    expect(fixture, "setup(1)");
    assert_int_equal(runner_running(fixture->runner), 0);
    assert_int_equal(runner_worker_step(fixture->runner, 1), 0);
    setup_done(fixture, 1);
    assert_int_equal(runner_running(fixture->runner), 1);
    assert_int_equal(runner_worker_step(fixture->runner, 1), 1);
    step_ok(fixture, 1);
    expect(fixture, "step(1@1) step(1@2)");
    step_ok(fixture, 1);
    expect(fixture, "ended(1) teardown(1)");
    torn_down(fixture, 1);
    expect(fixture, "finished(1)");
    assert_int_equal(runner_running(fixture->runner), 0);
    assert_int_equal(runner_refused_events(fixture->runner), 0);
}

static void starts_each_worker_at_its_place_in_the_ramp_up(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.ramp_up_ms = 1000;
    deploy(fixture, 1, 2, 2); /* workers 1 and 3 of four */
    begin_at(fixture, START_NS + 100 * MS);
    assert_int_equal(runner_due_ns(fixture->runner), START_NS + 350 * MS);
    advance(fixture, 349);
    expect(fixture, "");
    advance(fixture, 1);
    expect(fixture, "started(1 +100 ms) setup(1)");
    assert_int_equal(runner_due_ns(fixture->runner), START_NS + 850 * MS);
    advance(fixture, 507); /* 7 late: the part that is comparable with the others */
    expect(fixture, "started(3 +107 ms) setup(3)");
}

static void begins_only_once(void **state)
{
    struct fixture *fixture = *state;
    deploy(fixture, 0, 1, 1);
    begin_at(fixture, START_NS + 10 * MS);
    begin_at(fixture, START_NS + 500 * MS);
    advance(fixture, 10);
    expect(fixture, "started(0 +10 ms) setup(0)");
}

static void rests_between_steps_but_not_before_the_first_or_after_the_last(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.delay_ms = 50;
    fixture->options.runs = 2;
    deploy(fixture, 0, 1, 1);
    begin(fixture);
    setup_done(fixture, 0);
    expect(fixture, "setup(0) step(0@1)");
    step_ok(fixture, 0);
    expect(fixture, "");
    advance(fixture, 49);
    expect(fixture, "");
    advance(fixture, 1);
    expect(fixture, "step(0@2)");
    step_ok(fixture, 0);
    expect(fixture, "ended(0) teardown(0)");
}

static void goes_on_for_ever_without_a_limit_of_runs(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 0;
    deploy(fixture, 0, 1, 1);
    begin(fixture);
    setup_done(fixture, 0);
    for (int i = 0; i < 1000; i++) {
        step_ok(fixture, 0);
    }
    assert_int_equal(runner_worker_step(fixture->runner, 0), 1001);
}

static void goes_on_after_a_failed_step(void **state)
{
    struct fixture *fixture = *state;
    deploy(fixture, 0, 1, 1);
    begin(fixture);
    setup_done(fixture, 0);
    step_failed(fixture, 0, "no page");
    expect(fixture, "setup(0) step(0@1) step(0@2)");
}

static void tells_the_first_failure_when_the_campaign_stops_by_it(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.is_stopped_by_failure = true;
    deploy_stepping(fixture, 2);
    step_failed(fixture, 1, "no page");
    expect(fixture, "failure(1@1 no page) step(1@2)");
    step_failed(fixture, 0, "no page either");
    expect(fixture, "step(0@2)");
    step_stopped(fixture, 1);
    expect(fixture, "step(1@3)");
}

static void ends_a_worker_whose_setup_fails(void **state)
{
    struct fixture *fixture = *state;
    deploy(fixture, 0, 1, 1);
    begin(fixture);
    setup_failed(fixture, 0, "setup: line 3\n\tno such host");
    expect(fixture, "setup(0) ended(0 setup: line 3\\n\\tno such host) teardown(0)");
    torn_down(fixture, 0);
    expect(fixture, "finished(1)");
}

static void a_setup_that_takes_too_long_is_cut_short(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.setup_timeout_ms = 2000;
    deploy(fixture, 0, 1, 2);
    begin(fixture);
    assert_int_equal(runner_due_ns(fixture->runner), START_NS + 2000 * MS);
    advance(fixture, 1999);
    setup_done(fixture, 1);
    ignore(fixture);
    advance(fixture, 1);
    expect(fixture, "late(0)");
    assert_true(runner_due_ns(fixture->runner) == UINT64_MAX); /* said once */
    setup_failed(fixture, 0, "too long");
    expect(fixture, "ended(0 too long) teardown(0)");
    assert_int_equal(runner_refused_events(fixture->runner), 0);
}

static void a_setup_may_take_for_ever_without_a_limit(void **state)
{
    struct fixture *fixture = *state;
    deploy(fixture, 0, 1, 1);
    begin(fixture);
    assert_true(runner_due_ns(fixture->runner) == UINT64_MAX);
}

static void finishes_at_once_without_workers(void **state)
{
    struct fixture *fixture = *state;
    deploy(fixture, 0, 1, 0);
    expect(fixture, "");
    begin(fixture);
    expect(fixture, "finished(0)");
}

static void takes_up_workers_of_a_lost_agent_at_their_next_step(void **state)
{
    struct fixture *fixture = *state;
    deploy(fixture, 0, 1, 1);
    begin(fixture);
    ignore(fixture);
    assign(fixture, 2, 3);
    expect(fixture, "setup(2)");
    assert_int_equal(runner_worker_step(fixture->runner, 2), 0);
    setup_done(fixture, 2);
    step_ok(fixture, 2);
    expect(fixture, "step(2@3) ended(2) teardown(2)");
    assign(fixture, 3, 4); /* has used up its three runs */
    expect(fixture, "ended(3)");
    assign(fixture, 2, 1); /* has already arrived */
    expect(fixture, "");
    assert_int_equal(runner_refused_events(fixture->runner), 0);
}

static void finishes_again_when_more_workers_were_assigned(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.runs = 1;
    deploy(fixture, 0, 1, 0);
    begin(fixture);
    expect(fixture, "finished(0)");
    assign(fixture, 1, 1);
    setup_done(fixture, 1);
    step_ok(fixture, 1);
    torn_down(fixture, 1);
    expect(fixture, "setup(1) step(1@1) ended(1) teardown(1) finished(1)");
}

static void assignment_before_the_beginning_leaves_the_others_waiting(void **state)
{
    struct fixture *fixture = *state;
    deploy(fixture, 0, 1, 1);
    assign(fixture, 1, 1);
    expect(fixture, "setup(1)");
    begin(fixture);
    expect(fixture, "setup(0)");
}

static void stop_ends_every_state_its_own_way(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.delay_ms = 100000;
    fixture->options.runs = 2;
    deploy_ramping(fixture, 6, 4000); /* 5 has not begun */
    setup_done(fixture, 1);
    setup_done(fixture, 2);
    setup_done(fixture, 3);
    step_ok(fixture, 2); /* is pausing */
    setup_failed(fixture, 4, "no");
    ignore(fixture);

    stop(fixture, "interrupted");
    expect(fixture, "ended(2 interrupted) teardown(2) ended(5 interrupted)");
    setup_done(fixture, 0); /* its setup was running */
    expect(fixture, "ended(0 interrupted) teardown(0)");
    step_stopped(fixture, 1);
    expect(fixture, "ended(1 interrupted) teardown(1)");
    step_ok(fixture, 3);
    expect(fixture, "ended(3 interrupted) teardown(3)");
    stop(fixture, "again");
    assign(fixture, 5, 1); /* was about to come back */
    expect(fixture, "ended(5 interrupted)");
    for (uint32_t worker = 0; worker < 5; worker++) {
        torn_down(fixture, worker);
    }
    expect(fixture, "finished(7)");
    assert_int_equal(runner_refused_events(fixture->runner), 0);
}

static void stop_before_the_beginning_finishes(void **state)
{
    struct fixture *fixture = *state;
    deploy(fixture, 0, 1, 2);
    stop(fixture, "");
    expect(fixture, "ended(0 the campaign is stopping) ended(1 the campaign is stopping) finished(2)");
    begin(fixture);
    assign(fixture, 3, 1);
    expect(fixture, "ended(3 the campaign is stopping) finished(3)");
}

static void forgotten_runner_does_nothing_any_more(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.delay_ms = 5;
    deploy(fixture, 0, 1, 2);
    begin(fixture);
    setup_done(fixture, 0);
    step_ok(fixture, 0);
    ignore(fixture);
    forget(fixture);
    assert_true(runner_due_ns(fixture->runner) == UINT64_MAX);
    advance(fixture, 1000);
    setup_done(fixture, 1);
    expect(fixture, "");
}

static void refuses_what_cannot_happen(void **state)
{
    struct fixture *fixture = *state;
    deploy(fixture, 0, 1, 1);
    begin(fixture);
    ignore(fixture);
    step_ok(fixture, 0);
    torn_down(fixture, 0);
    setup_done(fixture, 3); /* not ours */
    expect(fixture, "");
    assert_int_equal(runner_refused_events(fixture->runner), 3);
    setup_done(fixture, 0);
    expect(fixture, "step(0@1)");
}

static void bounds_the_work_of_one_tick(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.workers = 3000;
    deploy(fixture, 0, 1, 3000);
    begin_at(fixture, 0);
    size_t started = 0;
    int ticks = 0;
    while (runner_due_ns(fixture->runner) <= fixture->now_ns) {
        tick(fixture);
        assert_true(fixture->effects.count > 0 && fixture->effects.count <= 1024);
        started += fixture->effects.count;
        ticks++;
    }
    assert_int_equal(started, 3000);
    assert_int_equal(ticks, 3);
    ignore(fixture);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(takes_a_worker_through_its_life),
        CASE(starts_each_worker_at_its_place_in_the_ramp_up),
        CASE(begins_only_once),
        CASE(rests_between_steps_but_not_before_the_first_or_after_the_last),
        CASE(goes_on_for_ever_without_a_limit_of_runs),
        CASE(goes_on_after_a_failed_step),
        CASE(tells_the_first_failure_when_the_campaign_stops_by_it),
        CASE(ends_a_worker_whose_setup_fails),
        CASE(a_setup_that_takes_too_long_is_cut_short),
        CASE(a_setup_may_take_for_ever_without_a_limit),
        CASE(finishes_at_once_without_workers),
        CASE(takes_up_workers_of_a_lost_agent_at_their_next_step),
        CASE(finishes_again_when_more_workers_were_assigned),
        CASE(assignment_before_the_beginning_leaves_the_others_waiting),
        CASE(stop_ends_every_state_its_own_way),
        CASE(stop_before_the_beginning_finishes),
        CASE(forgotten_runner_does_nothing_any_more),
        CASE(refuses_what_cannot_happen),
        CASE(bounds_the_work_of_one_tick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
