/* Steps that must not be begun twice: each is reported, and begins when the coordinator has acknowledged
 * it. */
#include "tests/unit/agent/core/runner/test_runner_support.h"

static void known(struct fixture *fixture, uint32_t worker)
{
    struct command *command = command_new(COMMAND_KNOWN, CAMPAIGN);
    worker_set_add(&command->workers, worker);
    give(fixture, command);
}

/* Two workers that are set up. */
static void deploy_asking(struct fixture *fixture, enum on_loss on_loss)
{
    fixture->options.on_loss = on_loss;
    deploy(fixture, 0, 1, 2);
    begin(fixture);
    ignore(fixture);
    setup_done(fixture, 0);
}

static void a_step_begins_when_the_coordinator_knows_of_it(void **state)
{
    struct fixture *fixture = *state;
    deploy_asking(fixture, ON_LOSS_REPLACE);
    expect(fixture, "begun(0@1)");
    known(fixture, 1); /* which has not asked */
    expect(fixture, "");
    known(fixture, 0);
    expect(fixture, "step(0@1)");
    known(fixture, 0);
    expect(fixture, "");
    assert_int_equal(runner_running(fixture->runner), 1);
}

static void the_next_one_tells_that_the_last_has_ended_well(void **state)
{
    struct fixture *fixture = *state;
    deploy_asking(fixture, ON_LOSS_REPLACE);
    known(fixture, 0);
    synchronise(fixture, 0);
    ignore(fixture);
    step_ok(fixture, 0);
    expect(fixture, "begun(0@2)");
    assert_int_equal(runner_running(fixture->runner), 1);
    known(fixture, 0);
    step_failed(fixture, 0, "no page");
    expect(fixture, "step(0@2) past(0@2 no page) begun(0@3)");
}

static void who_rests_has_not_begun(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.delay_ms = 100;
    deploy_asking(fixture, ON_LOSS_REPLACE);
    known(fixture, 0);
    synchronise(fixture, 0);
    ignore(fixture);
    step_ok(fixture, 0);
    expect(fixture, "past(0@1)");
    advance(fixture, 100);
    tick(fixture);
    expect(fixture, "begun(0@2)");
}

static void elsewhere_steps_begin_at_once(void **state)
{
    struct fixture *fixture = *state;
    deploy_asking(fixture, ON_LOSS_REPLACE_AGAIN);
    expect(fixture, "step(0@1)");
    step_ok(fixture, 0);
    expect(fixture, "step(0@2)");
}

static void who_asks_when_the_campaign_stops_does_not_begin(void **state)
{
    struct fixture *fixture = *state;
    deploy_asking(fixture, ON_LOSS_REPLACE);
    ignore(fixture);
    stop(fixture, "enough");
    expect(fixture, "ended(0 enough) teardown(0)");
    known(fixture, 0);
    expect(fixture, "");
}

static void who_asks_when_the_campaign_drains_does_its_step(void **state)
{
    struct fixture *fixture = *state;
    deploy_asking(fixture, ON_LOSS_REPLACE);
    synchronise(fixture, 0);
    setup_done(fixture, 1);
    ignore(fixture);
    drain(fixture);
    expect(fixture, "drained(0@1)");
    run_until(fixture, 0, 1);
    known(fixture, 0);
    expect(fixture, "step(0@1)");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_step_begins_when_the_coordinator_knows_of_it),
        CASE(the_next_one_tells_that_the_last_has_ended_well),
        CASE(who_rests_has_not_begun),
        CASE(elsewhere_steps_begin_at_once),
        CASE(who_asks_when_the_campaign_stops_does_not_begin),
        CASE(who_asks_when_the_campaign_drains_does_its_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
