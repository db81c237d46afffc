/* What a campaign does once: its script is loaded, global_setup before the workers, global_teardown after
 * them. */
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_script_that_does_not_load_fails_it(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(5);
    stand_agent(stand, "a1")->is_obliging = false;
    struct played *a2 = stand_agent(stand, "a2");
    a2->is_obliging = false;
    stand_create(stand, &options, 2);
    stand_forget_story(stand);
    stand_done(stand, a2, MESSAGE_DEPLOYED, GLOBAL_SETUP, "pad.lua:12: unexpected symbol near '}'");
    stand_expect(stand, "campaign 1 ended\na2: forget\na1: forget\n");
    stand_expect_verdict(stand, VERDICT_FAILED, "pad.lua:12: unexpected symbol near '}'");
    stand_done(stand, &stand->agents[0], MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_expect(stand, "");
}

static struct stand *with_setup_timeout(void **state, struct campaign_options *options)
{
    *options = stand_options(4);
    options->setup_timeout_ms = 2000;
    return (struct stand *)*state;
}

static void agents_that_do_not_load_the_script_are_named(void **state)
{
    struct campaign_options options;
    struct stand *stand = with_setup_timeout(state, &options);
    struct played *a1 = stand_agent(stand, "a1");
    struct played *a2 = stand_agent(stand, "a2");
    struct played *a3 = stand_agent(stand, "a3");
    a1->is_obliging = a2->is_obliging = a3->is_obliging = false;
    stand_create(stand, &options, 3);
    stand_done(stand, a2, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_pass_ms(stand, 1900);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_DEPLOYING);
    stand_pass_ms(stand, 200);
    stand_expect_verdict(stand, VERDICT_ABORTED,
                         "agent a1, a3 did not load the script within 2 s (--setup-timeout)");
}

static void a_global_setup_that_fails_fails_it(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *a1 = stand_setting_up(stand, 2);
    stand_done(stand, a1, MESSAGE_GLOBAL_DONE, GLOBAL_SETUP, "global_setup: no pad server");
    stand_expect(stand, "campaign 1 ended\na1: forget\n");
    stand_expect_verdict(stand, VERDICT_FAILED, "global_setup: no pad server");
}

static void a_global_setup_that_does_not_end_is_given_up(void **state)
{
    struct campaign_options options;
    struct stand *stand = with_setup_timeout(state, &options);
    struct played *a1 = stand_agent(stand, "a1");
    a1->is_obliging = false;
    stand_create(stand, &options, 1);
    stand_pass_ms(stand, 1500);
    stand_done(stand, a1, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_pass_ms(stand, 1900);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_READY);
    stand_pass_ms(stand, 200);
    stand_expect_verdict(stand, VERDICT_ABORTED,
                         "global_setup on agent a1 did not end within 2 s (--setup-timeout)");
}

static void the_setups_time_is_not_that_of_the_workers(void **state)
{
    struct campaign_options options;
    struct stand *stand = with_setup_timeout(state, &options);
    stand_run(stand, &options, 1);
    stand_pass_ms(stand, 60000);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_RUNNING);
}

static void a_global_setup_moves_on_when_its_agent_is_lost(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    struct played *a1 = stand_agent(stand, "a1");
    (void)stand_agent(stand, "a2");
    a1->is_obliging = false;
    stand_create(stand, &options, 2);
    stand_done(stand, a1, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_forget_story(stand);
    stand_gone(stand, "a1");
    stand_expect(stand, "forget the route of a1\n"
                        "a2: global setup\n"
                        "campaign 1 running\n"
                        "a2: begin at 1000100 ms\n");
}

/* Two agents; a1 is in global_setup. */
static struct stand *setting_up_of_two(void **state, enum on_loss on_loss)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.on_loss = on_loss;
    struct played *a1 = stand_agent(stand, "a1");
    (void)stand_agent(stand, "a2");
    a1->is_obliging = false;
    stand_create(stand, &options, 2);
    stand_done(stand, a1, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_forget_story(stand);
    return stand;
}

static void a_global_setup_that_is_stopped_ends_with_its_agent(void **state)
{
    struct stand *stand = setting_up_of_two(state, ON_LOSS_SHRINK);
    stand_stop(stand, false);
    stand_expect(stand, "campaign 1 stopping\n");
    stand_gone(stand, "a1");
    stand_expect(stand, "campaign 1 ended\nforget the route of a1\na2: forget\n");
}

static void a_loss_that_fails_the_campaign_waits_for_no_setup_of_the_lost(void **state)
{
    struct stand *stand = setting_up_of_two(state, ON_LOSS_FAIL);
    stand_gone(stand, "a1");
    stand_expect(stand, "campaign 1 stopping\ncampaign 1 ended\nforget the route of a1\na2: forget\n");
    stand_expect_verdict(stand, VERDICT_FAILED, "agent a1 was lost with 2 workers");
}

static void a_loss_that_fails_the_campaign_waits_for_the_setup_of_another(void **state)
{
    struct stand *stand = setting_up_of_two(state, ON_LOSS_FAIL);
    stand_gone(stand, "a2");
    stand_expect(stand, "campaign 1 stopping\nforget the route of a2\n");
    stand->agents[0].is_obliging = true;
    stand_done(stand, &stand->agents[0], MESSAGE_GLOBAL_DONE, GLOBAL_SETUP, NULL);
    stand_expect(stand, "a1: global teardown\ncampaign 1 ended\na1: forget\n");
    stand_expect_verdict(stand, VERDICT_FAILED, "agent a2 was lost with 2 workers");
}

static void a_global_teardown_that_fails_spoils_a_pass(void **state)
{
    struct stand *stand = stand_running(state, 2, 1);
    struct played *a1 = &stand->agents[0];
    stand_steps(stand, a1, 10, 0);
    a1->is_obliging = false;
    stand_finished(stand, a1);
    stand_done(stand, a1, MESSAGE_GLOBAL_DONE, GLOBAL_TEARDOWN, "global_teardown: pad.lua:80: boom");
    stand_expect_verdict(stand, VERDICT_FAILED, "global_teardown: pad.lua:80: boom");
    const struct campaign_report *report = stand_report(stand);
    assert_int_equal(report->error_count, 1);
    assert_true(bytes_equal_string(report->errors[0].text, "global_teardown: pad.lua:80: boom"));
}

static void a_global_teardown_without_end_is_given_up(void **state)
{
    struct stand *stand = stand_running(state, 2, 1);
    struct played *a1 = &stand->agents[0];
    stand_steps(stand, a1, 10, 0);
    a1->is_obliging = false;
    stand_finished(stand, a1);
    stand_forget_story(stand);
    stand_pass_ms(stand, 29999);
    stand_expect(stand, "");
    stand_pass_ms(stand, 1);
    stand_expect(stand, "campaign 1 ended\na1: forget\n");
    stand_expect_verdict(stand, VERDICT_FAILED, "global_teardown did not end in time");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_script_that_does_not_load_fails_it),
        STORY(agents_that_do_not_load_the_script_are_named),
        STORY(a_global_setup_that_fails_fails_it),
        STORY(a_global_setup_that_does_not_end_is_given_up),
        STORY(the_setups_time_is_not_that_of_the_workers),
        STORY(a_global_setup_moves_on_when_its_agent_is_lost),
        STORY(a_global_setup_that_is_stopped_ends_with_its_agent),
        STORY(a_loss_that_fails_the_campaign_waits_for_no_setup_of_the_lost),
        STORY(a_loss_that_fails_the_campaign_waits_for_the_setup_of_another),
        STORY(a_global_teardown_that_fails_spoils_a_pass),
        STORY(a_global_teardown_without_end_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
