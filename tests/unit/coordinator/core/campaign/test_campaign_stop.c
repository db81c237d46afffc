/* A campaign that is interrupted: what is ended in order, and what is abandoned. */
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void who_interrupts_it_gets_its_teardown(void **state)
{
    struct stand *stand = stand_running(state, 2, 2);
    stand->agents[0].is_obliging = false;
    stand_stop(stand, false);
    stand_expect(stand, "campaign 1 stopping\na1: stop: interrupted\na2: stop: interrupted\n");
    stand_stop(stand, false);
    stand_expect(stand, "");
    stand->agents[0].is_obliging = true;
    stand_finished(stand, &stand->agents[0]);
    stand_expect(stand, "a1: global teardown\ncampaign 1 ended\na1: forget\na2: forget\n");
    stand_expect_verdict(stand, VERDICT_ABORTED, "interrupted");
}

static void an_agent_that_does_not_finish_is_given_up(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    options.sync_timeout_ms = 5000;
    stand_run(stand, &options, 2);
    stand->agents[0].is_obliging = false;
    struct operation past = {.kind = OPERATION_ENDED, .step = 3};
    stand_operation(stand, &stand->agents[1], past, (uint32_t[]){1}, 1);
    stand_stop(stand, false);
    stand_forget_story(stand);
    stand_pass_ms(stand, 34999);
    stand_expect(stand, "");
    stand_pass_ms(stand, 1);
    stand_expect(stand, "a1: forget\na2: global teardown\ncampaign 1 ended\na2: forget\n");
    stand_expect_verdict(stand, VERDICT_ABORTED, "interrupted");
}

static void who_waits_is_told_that_it_stops(void **state)
{
    struct stand *stand = stand_running(state, 2, 1);
    stand->agents[0].is_obliging = false;
    struct operation barrier = {.kind = OPERATION_BARRIER, .name = bytes_of_string("b"), .step = 1};
    stand_operation(stand, &stand->agents[0], barrier, (uint32_t[]){1}, 1);
    stand_forget_story(stand);
    stand_stop(stand, false);
    stand_expect(stand,
                 "campaign 1 stopping\na1: stop: interrupted\na1: replies barrier stopped to worker 1\n");
    barrier.step = 2; /* and so is an agent that joins later */
    stand_operation(stand, &stand->agents[0], barrier, (uint32_t[]){0}, 1);
    stand_expect(stand, "a1: replies barrier stopped to worker 0\n");
}

static void who_was_given_up_is_not_heard_any_more(void **state)
{
    struct stand *stand = stand_running(state, 2, 2);
    stand->agents[0].is_obliging = false;
    stand_stop(stand, false);
    stand->agents[1].is_obliging = false;
    stand_pass_ms(stand, 90000);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_STOPPING); /* global_teardown runs */
    stand_steps(stand, &stand->agents[0], 50, 0);
    assert_int_equal(stand_report(stand)->steps_ok, 0);
    assert_int_equal(stand_report(stand)->workers_running, 0);
}

static void a_second_interruption_ends_it_within_a_second(void **state)
{
    struct stand *stand = stand_running(state, 2, 2);
    stand->agents[0].is_obliging = false;
    stand_stop(stand, false);
    stand_pass_ms(stand, 500);
    stand_stop(stand, true);
    stand_forget_story(stand);
    stand_pass_ms(stand, 999);
    stand_expect(stand, "");
    stand_pass_ms(stand, 1);
    stand_expect(stand, "campaign 1 ended\na1: forget\na2: forget\n");
    stand_expect_verdict(stand, VERDICT_ABORTED, "interrupted");
}

static void a_second_interruption_gives_no_more_time_than_there_was(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    options.sync_timeout_ms = 5000;
    stand_run(stand, &options, 1);
    stand->agents[0].is_obliging = false;
    stand_stop(stand, false);
    stand_pass_ms(stand, 34500);
    stand_stop(stand, true);
    stand_forget_story(stand);
    stand_pass_ms(stand, 499);
    stand_expect(stand, "");
    stand_pass_ms(stand, 1);
    stand_expect(stand, "campaign 1 ended\na1: forget\n");
}

static void an_interruption_during_setup_tears_down_what_was_set_up(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *a1 = stand_setting_up(stand, 2);
    stand_stop(stand, false);
    stand_expect(stand, "campaign 1 stopping\n");
    a1->is_obliging = true;
    stand_done(stand, a1, MESSAGE_GLOBAL_DONE, GLOBAL_SETUP, NULL);
    stand_expect(stand, "a1: global teardown\ncampaign 1 ended\na1: forget\n");
    stand_expect_verdict(stand, VERDICT_ABORTED, "interrupted");
}

static void a_setup_without_end_does_not_hold_an_interruption(void **state)
{
    struct stand *stand = (struct stand *)*state;
    (void)stand_setting_up(stand, 2);
    stand_stop(stand, false);
    stand_forget_story(stand);
    stand_pass_ms(stand, 30000);
    stand_expect(stand, "campaign 1 ended\na1: forget\n");
    stand_expect_verdict(stand, VERDICT_ABORTED, "interrupted; global_setup did not end in time");
}

static void an_ended_campaign_waits_for_nothing(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    stand_create(stand, &options, 1);
    assert_in_range(coordinator_due_ns(stand->coordinator), stand->now_ns, stand->now_ns + 10000000000u);
    stand_stop(stand, true);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_ENDED);
    assert_true(coordinator_due_ns(stand->coordinator) == UINT64_MAX);
    stand_forget_story(stand);
}

static void an_ended_campaign_waits_for_none_of_its_rooms(void **state)
{
    struct stand *stand = stand_running(state, 2, 1);
    struct operation barrier = {.kind = OPERATION_BARRIER, .name = bytes_of_string("b"), .step = 1};
    stand_operation(stand, &stand->agents[0], barrier, (uint32_t[]){1}, 1);
    stand_gone(stand, "a1");
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_ENDED);
    assert_true(coordinator_due_ns(stand->coordinator) == UINT64_MAX);
    stand_forget_story(stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(who_interrupts_it_gets_its_teardown),
        STORY(an_agent_that_does_not_finish_is_given_up),
        STORY(who_waits_is_told_that_it_stops),
        STORY(who_was_given_up_is_not_heard_any_more),
        STORY(a_second_interruption_ends_it_within_a_second),
        STORY(a_second_interruption_gives_no_more_time_than_there_was),
        STORY(an_interruption_during_setup_tears_down_what_was_set_up),
        STORY(a_setup_without_end_does_not_hold_an_interruption),
        STORY(an_ended_campaign_waits_for_nothing),
        STORY(an_ended_campaign_waits_for_none_of_its_rooms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
