/* The life of a campaign as stories: what its agents are told, and how it ends. */
#include "tests/unit/coordinator/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static struct stand stand;
    stand_init(&stand);
    *state = &stand;
    return 0;
}

static int tear_down(void **state)
{
    stand_finish((struct stand *)*state);
    return 0;
}

static void say_done(struct stand *stand, struct played *agent, enum message_kind kind,
                     enum global_phase phase, const char *why_not)
{
    struct message message = {
        .kind = kind,
        .campaign = 1,
        .done = {.phase = phase, .is_ok = why_not == NULL, .text = bytes_of_string(why_not)}};
    stand_send(stand, agent, &message);
}

static void a_campaign_from_creation_to_the_end(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(5);
    stand_create(stand, &options, 2);
    struct played *a2 = stand_agent(stand, "a2");
    stand_expect(stand, "campaign 1 created\na2: welcome\n");
    struct played *a1 = stand_agent(stand, "a1");
    stand_expect(stand, "campaign 1 deploying\n"
                        "a1: welcome\n"
                        "a1: deploy workers 0, 2 and 4\n"
                        "a2: deploy workers 1 and 3\n"
                        "campaign 1 ready\n"
                        "a1: global setup\n"
                        "campaign 1 running\n"
                        "a1: begin at 1000100 ms\n"
                        "a2: begin at 1000100 ms\n");
    stand_pass_ms(stand, 5100);
    stand_steps(stand, a1, 30, 0);
    stand_steps(stand, a2, 20, 0);
    const struct campaign_report *report = stand_report(stand);
    assert_int_equal(report->workers_running, 5);
    assert_int_equal(report->running_ns, 5000000000u);
    assert_int_equal(report->verdict, VERDICT_NONE);
    assert_string_equal(agent_state_name(report->agents[0].state), "running");
    stand_finished(stand, a1);
    stand_expect(stand, "");
    assert_string_equal(agent_state_name(stand_report(stand)->agents[0].state), "finished");
    stand_finished(stand, a2);
    stand_expect(stand, "campaign 1 stopping\n"
                        "a1: global teardown\n"
                        "campaign 1 ended\n"
                        "a1: forget\n"
                        "a2: forget\n");
    stand_expect_verdict(stand, VERDICT_PASSED, "");
    stand_pass_ms(stand, 60000);
    stand_expect(stand, "");
    report = stand_report(stand);
    assert_int_equal(report->running_ns, 5000000000u);
    assert_int_equal(report->steps_ok, 50);
    assert_int_equal(report->agent_count, 2);
    assert_int_equal(report->agents[0].workers, 3);
    assert_int_equal(report->agents[0].pid, 42);
    assert_true(bytes_equal_string(report->agents[1].name, "a2"));
    assert_true(bytes_equal_string(report->script, "pad.lua"));
}

static void agents_that_do_not_come_abort_it(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(5);
    (void)stand_agent(stand, "a1");
    stand_create(stand, &options, 3);
    stand_forget_story(stand);
    stand_pass_ms(stand, 9999);
    stand_expect(stand, "");
    stand_pass_ms(stand, 1);
    stand_expect(stand, "campaign 1 ended\n");
    stand_expect_verdict(stand, VERDICT_ABORTED, "only 1 of 3 agents joined within 10 s");
}

static void agents_without_a_worker_are_left_alone(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(1);
    stand_run(stand, &options, 2);
    stand_gone(stand, "a2");
    stand_expect(stand, "forget the route of a2\n");
    stand_steps(stand, &stand->agents[0], 1, 0);
    stand_finished(stand, &stand->agents[0]);
    stand_expect_verdict(stand, VERDICT_PASSED, "");
}

static void a_script_that_does_not_load_fails_it(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(5);
    stand_agent(stand, "a1")->is_obliging = false;
    struct played *a2 = stand_agent(stand, "a2");
    a2->is_obliging = false;
    stand_create(stand, &options, 2);
    stand_forget_story(stand);
    say_done(stand, a2, MESSAGE_DEPLOYED, GLOBAL_SETUP, "pad.lua:12: unexpected symbol near '}'");
    stand_expect(stand, "campaign 1 ended\na2: forget\na1: forget\n");
    stand_expect_verdict(stand, VERDICT_FAILED, "pad.lua:12: unexpected symbol near '}'");
    say_done(stand, &stand->agents[0], MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_expect(stand, "");
}

static void a_global_setup_that_fails_fails_it(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    struct played *a1 = stand_agent(stand, "a1");
    a1->is_obliging = false;
    stand_create(stand, &options, 1);
    say_done(stand, a1, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_forget_story(stand);
    say_done(stand, a1, MESSAGE_GLOBAL_DONE, GLOBAL_SETUP, "global_setup: no pad server");
    stand_expect(stand, "campaign 1 ended\na1: forget\n");
    stand_expect_verdict(stand, VERDICT_FAILED, "global_setup: no pad server");
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
    say_done(stand, a2, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_pass_ms(stand, 1900);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_DEPLOYING);
    stand_pass_ms(stand, 200);
    stand_expect_verdict(stand, VERDICT_ABORTED,
                         "agent a1, a3 did not load the script within 2 s (--setup-timeout)");
}

static void a_global_setup_that_does_not_end_is_given_up(void **state)
{
    struct campaign_options options;
    struct stand *stand = with_setup_timeout(state, &options);
    struct played *a1 = stand_agent(stand, "a1");
    a1->is_obliging = false;
    stand_create(stand, &options, 1);
    stand_pass_ms(stand, 1500);
    say_done(stand, a1, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
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
    say_done(stand, a1, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_forget_story(stand);
    stand_gone(stand, "a1");
    stand_expect(stand, "forget the route of a1\n"
                        "a2: global setup\n"
                        "campaign 1 running\n"
                        "a2: begin at 1000100 ms\n");
}

static void a_duration_ends_in_a_common_last_step(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.duration_ms = 3000;
    options.room_size = 2;
    stand_run(stand, &options, 2);
    stand_pass_ms(stand, 3099);
    stand_expect(stand, "");
    stand_pass_ms(stand, 1);
    stand_expect(stand, "a1: drain\na2: drain\n");
    struct room_step of_a1[] = {{.room = 1, .step = 7}};
    struct room_step of_a2[] = {{.room = 0, .step = 3}, {.room = 1, .step = 6}};
    stand_send(stand, &stand->agents[0],
               &(struct message){
                   .kind = MESSAGE_DRAINED, .campaign = 1, .room_steps = {.items = of_a1, .count = 1}});
    stand_expect(stand, "");
    stand_send(stand, &stand->agents[1],
               &(struct message){
                   .kind = MESSAGE_DRAINED, .campaign = 1, .room_steps = {.items = of_a2, .count = 2}});
    stand_expect(stand, "a2: run_until 0:3 1:7\na1: run_until 0:3 1:7\n");
    stand_steps(stand, &stand->agents[0], 9, 0);
    stand_finished(stand, &stand->agents[0]);
    stand_finished(stand, &stand->agents[1]);
    stand_expect_verdict(stand, VERDICT_PASSED, "");
}

static void who_ends_because_of_the_duration_leaves_nobody_short(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    options.duration_ms = 1000;
    stand_run(stand, &options, 1);
    struct played *a1 = &stand->agents[0];
    struct operation wait = {.kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = 1};
    stand_operation(stand, a1, wait, (uint32_t[]){0}, 1);
    stand_operation(stand, a1, (struct operation){.kind = OPERATION_PAST}, (uint32_t[]){0, 1}, 2);
    stand_pass_ms(stand, 1100);
    stand_forget_story(stand);
    stand_operation(stand, a1, (struct operation){.kind = OPERATION_ENDED}, (uint32_t[]){1}, 1);
    stand_expect(stand, "a1: replies wait_for_writer stopped to worker 0\n");
}

static void nobody_waits_for_a_lost_agent_to_drain(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.duration_ms = 1000;
    options.on_loss = ON_LOSS_REPLACE;
    stand_run(stand, &options, 2);
    stand_pass_ms(stand, 1100);
    stand_send(stand, &stand->agents[0], &(struct message){.kind = MESSAGE_DRAINED, .campaign = 1});
    stand_forget_story(stand);
    stand_gone(stand, "a2"); /* no step begins any more, so there is nothing to go on with elsewhere */
    stand_expect(stand, "forget the route of a2\na1: run_until 0:0\n");
    stand_steps(stand, &stand->agents[0], 9, 0);
    stand_finished(stand, &stand->agents[0]);
    stand_expect_verdict(stand, VERDICT_DEGRADED, "agent a2 was lost with 2 workers");
}

static void the_first_failure_stops_it_when_asked_for(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    options.is_stopped_by_failure = true;
    stand_run(stand, &options, 2);
    struct message message = {
        .kind = MESSAGE_FAILURE,
        .campaign = 1,
        .failure = {.worker = 1, .step = 4, .text = bytes_of_string("pad.lua:9: wrong text")}};
    stand_send(stand, &stand->agents[1], &message);
    stand_expect(stand, "campaign 1 stopping\n"
                        "a2: stop: worker 1 failed at step 4: pad.lua:9: wrong text\n"
                        "a1: stop: worker 1 failed at step 4: pad.lua:9: wrong text\n"
                        "a1: global teardown\n"
                        "campaign 1 ended\n"
                        "a1: forget\n"
                        "a2: forget\n");
    stand_expect_verdict(stand, VERDICT_FAILED, "worker 1 failed at step 4: pad.lua:9: wrong text");
}

static void a_failure_is_only_counted_when_not(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    stand_run(stand, &options, 1);
    struct message message = {.kind = MESSAGE_FAILURE, .campaign = 1, .failure = {.worker = 1, .step = 4}};
    stand_send(stand, &stand->agents[0], &message);
    stand_expect(stand, "");
    stand_steps(stand, &stand->agents[0], 99, 1);
    stand_finished(stand, &stand->agents[0]);
    stand_expect_verdict(stand, VERDICT_FAILED, "1 of 100 steps failed (the limit is 1)");
}

static void who_interrupts_it_gets_its_teardown(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    stand_run(stand, &options, 2);
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
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    stand_run(stand, &options, 1);
    stand->agents[0].is_obliging = false;
    struct operation barrier = {.kind = OPERATION_BARRIER, .name = bytes_of_string("b"), .step = 1};
    stand_operation(stand, &stand->agents[0], barrier, (uint32_t[]){1}, 1);
    stand_forget_story(stand);
    stand_stop(stand, false);
    stand_expect(stand,
                 "campaign 1 stopping\na1: stop: interrupted\na1: replies barrier stopped to worker 1\n");
    barrier.step = 2; /* and so is who comes later */
    stand_operation(stand, &stand->agents[0], barrier, (uint32_t[]){0}, 1);
    stand_expect(stand, "a1: replies barrier stopped to worker 0\n");
}

static void who_was_given_up_is_not_heard_any_more(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    stand_run(stand, &options, 2);
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
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    stand_run(stand, &options, 2);
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

static void an_interruption_during_setup_tears_down_what_was_set_up(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    struct played *a1 = stand_agent(stand, "a1");
    a1->is_obliging = false;
    stand_create(stand, &options, 1);
    say_done(stand, a1, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_forget_story(stand);
    stand_stop(stand, false);
    stand_expect(stand, "campaign 1 stopping\n");
    a1->is_obliging = true;
    say_done(stand, a1, MESSAGE_GLOBAL_DONE, GLOBAL_SETUP, NULL);
    stand_expect(stand, "a1: global teardown\ncampaign 1 ended\na1: forget\n");
    stand_expect_verdict(stand, VERDICT_ABORTED, "interrupted");
}

static void a_setup_without_end_does_not_hold_an_interruption(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    struct played *a1 = stand_agent(stand, "a1");
    a1->is_obliging = false;
    stand_create(stand, &options, 1);
    say_done(stand, a1, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_stop(stand, false);
    stand_forget_story(stand);
    stand_pass_ms(stand, 30000);
    stand_expect(stand, "campaign 1 ended\na1: forget\n");
    stand_expect_verdict(stand, VERDICT_ABORTED, "interrupted; global_setup did not end in time");
}

static void a_global_teardown_that_fails_spoils_a_pass(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    stand_run(stand, &options, 1);
    struct played *a1 = &stand->agents[0];
    stand_steps(stand, a1, 10, 0);
    a1->is_obliging = false;
    stand_finished(stand, a1);
    say_done(stand, a1, MESSAGE_GLOBAL_DONE, GLOBAL_TEARDOWN, "global_teardown: pad.lua:80: boom");
    stand_expect_verdict(stand, VERDICT_FAILED, "global_teardown: pad.lua:80: boom");
    const struct campaign_report *report = stand_report(stand);
    assert_int_equal(report->error_count, 1);
    assert_true(bytes_equal_string(report->errors[0].text, "global_teardown: pad.lua:80: boom"));
}

static void a_global_teardown_without_end_is_given_up(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    stand_run(stand, &options, 1);
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

static void nothing_done_is_no_pass(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    options.ramp_up_ms = 60000;
    options.duration_ms = 1000;
    stand_run(stand, &options, 1);
    stand_pass_ms(stand, 1100);
    stand_finished(stand, &stand->agents[0]);
    stand_expect_verdict(stand, VERDICT_FAILED,
                         "no step succeeded: the ramp-up of 1 m leaves nothing of the duration of 1 s");
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_campaign_from_creation_to_the_end),
        STORY(agents_that_do_not_come_abort_it),
        STORY(agents_without_a_worker_are_left_alone),
        STORY(a_script_that_does_not_load_fails_it),
        STORY(a_global_setup_that_fails_fails_it),
        STORY(agents_that_do_not_load_the_script_are_named),
        STORY(a_global_setup_that_does_not_end_is_given_up),
        STORY(the_setups_time_is_not_that_of_the_workers),
        STORY(a_global_setup_moves_on_when_its_agent_is_lost),
        STORY(a_duration_ends_in_a_common_last_step),
        STORY(who_ends_because_of_the_duration_leaves_nobody_short),
        STORY(nobody_waits_for_a_lost_agent_to_drain),
        STORY(the_first_failure_stops_it_when_asked_for),
        STORY(a_failure_is_only_counted_when_not),
        STORY(who_interrupts_it_gets_its_teardown),
        STORY(an_agent_that_does_not_finish_is_given_up),
        STORY(who_waits_is_told_that_it_stops),
        STORY(who_was_given_up_is_not_heard_any_more),
        STORY(a_second_interruption_ends_it_within_a_second),
        STORY(an_interruption_during_setup_tears_down_what_was_set_up),
        STORY(a_setup_without_end_does_not_hold_an_interruption),
        STORY(a_global_teardown_that_fails_spoils_a_pass),
        STORY(a_global_teardown_without_end_is_given_up),
        STORY(nothing_done_is_no_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
