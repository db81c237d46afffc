/* What happens to a campaign whose agents are lost, for each policy. */
#include "tests/unit/coordinator/core/stand.h"

#include "common/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MANY 4100u /* more than the assignments of a message */

static void finish_all(struct stand *stand)
{
    for (size_t i = 0; i < stand->agent_count; i++) {
        stand_finished(stand, &stand->agents[i]);
    }
}

static void shrink_goes_on_with_the_others(void **state)
{
    struct stand *stand = stand_running(state, 6, 2);
    stand_steps(stand, &stand->agents[0], 10, 0);
    stand_steps(stand, &stand->agents[1], 10, 0);
    assert_int_equal(stand_report(stand)->workers_running, 6);
    stand->agents[1].is_silent = true;
    stand_pass_ms(stand, 15100);
    stand_expect(stand, "forget the route of a2\n");
    const struct campaign_report *report = stand_report(stand);
    assert_int_equal(report->workers_running, 3);
    assert_int_equal(report->agents[1].state, AGENT_LOST);
    assert_int_equal(report->state, CAMPAIGN_RUNNING);
    stand_finished(stand, &stand->agents[0]);
    stand_expect(stand, "campaign 1 stopping\na1: global teardown\ncampaign 1 ended\na1: forget\n");
    stand_expect_verdict(stand, VERDICT_DEGRADED, "agent a2 was lost with 3 workers");
    assert_int_equal(stand_report(stand)->steps_ok, 20);
}

static void shrink_ends_the_waits_of_the_others(void **state)
{
    struct stand *stand = stand_running(state, 2, 2);
    struct operation barrier = {.kind = OPERATION_BARRIER, .name = bytes_of_string("b"), .step = 1};
    stand_operation(stand, &stand->agents[0], barrier, (uint32_t[]){0}, 1);
    stand_expect(stand, "a1: synchronise 0\na2: synchronise 0\n");
    stand_gone(stand, "a2");
    stand_expect(stand, "forget the route of a2\na1: replies barrier ok to worker 0 from rank 1\n");
}

static void replace_deals_the_workers_over_those_that_remain(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(9);
    options.on_loss = ON_LOSS_REPLACE;
    stand_run(stand, &options, 3);
    stand_gone(stand, "a2");
    stand_expect(stand, "forget the route of a2\n"
                        "a1: assign worker 4 from step 1\n"
                        "a3: assign workers 1 and 7 from step 1\n");
    /* They belong to the others now. */
    struct operation set = {.kind = OPERATION_SET,
                            .room = ROOM_CAMPAIGN,
                            .name = bytes_of_string("v"),
                            .value = bytes_of("t", 1)};
    stand_operation(stand, &stand->agents[2], set, (uint32_t[]){7}, 1);
    stand_expect(stand, "a3: replies set_var ok to worker 7\n");
    stand_operation(stand, &stand->agents[0], set, (uint32_t[]){7}, 1);
    stand_expect(stand, "a1: replies set_var refused to worker 7\n");
    stand_steps(stand, &stand->agents[0], 10, 0);
    finish_all(stand);
    stand_expect_verdict(stand, VERDICT_DEGRADED, "agent a2 was lost; 3 of its 3 workers went on elsewhere");
    assert_int_equal(stand_report(stand)->agents[2].workers, 5);
}

/* Only the one that runs it takes the global fixture with it. */
static void another_agent_does_not_run_the_fixture_again(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    struct played *first = stand_agent(stand, "a1");
    struct played *second = stand_agent(stand, "a2");
    first->is_obliging = second->is_obliging = false;
    stand_create(stand, &options, 2);
    stand_done(stand, first, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_forget_story(stand);
    stand_done(stand, second, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_expect(stand, "campaign 1 ready\na1: global setup\n");
    stand_gone(stand, "a2");
    stand_expect(stand, "forget the route of a2\n");
}

/* Each continues at a step of its own, and they do not fit into one message. */
static void replace_announces_many_steps_in_several_messages(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2 * MANY);
    options.room_size = 1;
    options.on_loss = ON_LOSS_REPLACE;
    stand->is_original = true;
    stand_run(stand, &options, 2);
    for (uint32_t worker = 1; worker < 2 * MANY; worker += 2) {
        struct operation past = {.kind = OPERATION_PAST, .room = worker, .step = worker};
        stand_operation(stand, &stand->agents[1], past, &worker, 1);
    }
    stand_forget_story(stand);
    uint32_t before = stand->frames;
    stand_gone(stand, "a2");
    assert_int_equal(stand->frames - before, 2);
    assert_int_equal(stand->agents[0].workers, 2 * MANY);
    stand_forget_story(stand);
}

/* Otherwise it would be unknown where a worker that has never met another continues. */
static void replace_wants_to_know_from_the_beginning_how_far_workers_are(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.room_size = 2;
    options.on_loss = ON_LOSS_REPLACE;
    (void)stand_agent(stand, "a1");
    stand_forget_story(stand);
    stand_create(stand, &options, 1);
    stand_expect(stand, "campaign 1 created\n"
                        "campaign 1 deploying\n"
                        "a1: deploy workers 0–3\n"
                        "a1: synchronise 0 1\n"
                        "campaign 1 ready\n"
                        "a1: global setup\n"
                        "campaign 1 running\n"
                        "a1: begin at 1000100 ms\n");
}

static void replace_goes_on_at_the_next_step(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.on_loss = ON_LOSS_REPLACE;
    stand_run(stand, &options, 2);
    struct operation barrier = {.kind = OPERATION_BARRIER, .name = bytes_of_string("b"), .step = 1};
    stand_operation(stand, &stand->agents[0], barrier, (uint32_t[]){0}, 1);
    struct operation past = {.kind = OPERATION_PAST, .step = 5};
    stand_operation(stand, &stand->agents[1], past, (uint32_t[]){1}, 1);
    past.step = 2;
    stand_operation(stand, &stand->agents[1], past, (uint32_t[]){3}, 1);
    struct operation begun = {.kind = OPERATION_BEGUN, .step = 6};
    stand_operation(stand, &stand->agents[1], begun, (uint32_t[]){1}, 1);
    stand_steps(stand, &stand->agents[1], 3, 1);
    stand_forget_story(stand);
    stand_gone(stand, "a2");
    /* Worker 1 may have been in step 6, worker 3 was not in step 3 yet. */
    stand_expect(stand, "forget the route of a2\na1: assign worker 3 from step 3 worker 1 from step 7\n");
    /* Seven had ended, of which four were counted. */
    assert_int_equal(stand_report(stand)->steps_lost, 3 + 1);
}

static void replace_again_begins_the_step_once_more(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.on_loss = ON_LOSS_REPLACE_AGAIN;
    stand_run(stand, &options, 2);
    struct operation past = {.kind = OPERATION_PAST, .step = 5};
    stand_operation(stand, &stand->agents[1], past, (uint32_t[]){1}, 1);
    struct operation barrier = {.kind = OPERATION_BARRIER, .name = bytes_of_string("b"), .step = 6};
    stand_operation(stand, &stand->agents[1], barrier, (uint32_t[]){1}, 1);
    stand_steps(stand, &stand->agents[1], 5, 0);
    stand_forget_story(stand);
    stand_gone(stand, "a2");
    stand_expect(stand, "forget the route of a2\na1: assign worker 3 from step 1 worker 1 from step 6\n");
    assert_int_equal(stand_report(stand)->steps_lost, 0);
    stand_operation(stand, &stand->agents[0], barrier, (uint32_t[]){1}, 1);
    stand_expect(stand, "");
}

/* The begin of a step waits for that. */
static void a_step_that_begins_is_acknowledged_at_once(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.on_loss = ON_LOSS_REPLACE;
    stand_run(stand, &options, 2);
    uint64_t before = coordinator_overview(stand->coordinator)->frames_sent;
    struct operation begun = {.kind = OPERATION_BEGUN, .step = 1};
    stand_operation(stand, &stand->agents[1], begun, (uint32_t[]){1, 3}, 2);
    assert_int_equal(coordinator_overview(stand->coordinator)->frames_sent, before + 1);
}

/* FINISHED and ASSIGN cross on the wire: a FINISHED sent before the ASSIGN arrived does not count. */
static void a_finish_that_does_not_know_of_the_new_workers_does_not_count(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.on_loss = ON_LOSS_REPLACE;
    stand_run(stand, &options, 2);
    struct played *a1 = &stand->agents[0];
    stand_steps(stand, a1, 10, 0);
    stand_gone(stand, "a2");
    stand_forget_story(stand);
    a1->workers = 2;
    stand_finished(stand, a1);
    stand_expect(stand, "");
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_RUNNING);
    a1->workers = 4;
    stand_finished(stand, a1);
    stand_expect_verdict(stand, VERDICT_DEGRADED, "agent a2 was lost; 2 of its 2 workers went on elsewhere");
}

static void an_agent_that_had_finished_takes_over(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.on_loss = ON_LOSS_REPLACE;
    stand_run(stand, &options, 2);
    stand_steps(stand, &stand->agents[0], 10, 0);
    stand_finished(stand, &stand->agents[0]);
    stand_gone(stand, "a2");
    stand_expect(stand, "forget the route of a2\na1: assign workers 1 and 3 from step 1\n");
    assert_int_equal(stand_report(stand)->agents[0].state, AGENT_RUNNING);
    stand_finished(stand, &stand->agents[0]);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_ENDED);
}

static void who_is_lost_before_the_beginning_is_replaced_behind_it(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(6);
    options.on_loss = ON_LOSS_REPLACE;
    for (unsigned i = 1; i <= 3; i++) {
        stand_agent(stand, i == 1 ? "a1" : i == 2 ? "a2" : "a3")->is_obliging = false;
    }
    stand_create(stand, &options, 3);
    stand_forget_story(stand);
    stand_gone(stand, "a3");
    stand_gone(stand, "a2");
    stand->agents[0].is_obliging = true;
    stand_send(stand, &stand->agents[0],
               &(struct message){.kind = MESSAGE_DEPLOYED, .campaign = 1, .done.is_ok = true});
    stand_expect(stand, "forget the route of a3\n"
                        "forget the route of a2\n"
                        "campaign 1 ready\n"
                        "a1: global setup\n"
                        "campaign 1 running\n"
                        "a1: begin at 1000100 ms\n"
                        "a1: assign workers 1–2 and 4–5 from step 1\n");
}

static void who_says_goodbye_is_replaced_at_once(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.on_loss = ON_LOSS_REPLACE;
    stand_run(stand, &options, 2);
    stand->is_log_told = true;
    stand_send(stand, &stand->agents[1], &(struct message){.kind = MESSAGE_GOODBYE});
    stand_expect(stand, "log: agent a2 has left\n"
                        "a2: refused: goodbye\n"
                        "forget the route of a2\n"
                        "a1: assign workers 1 and 3 from step 1\n");
    assert_int_equal(coordinator_overview(stand->coordinator)->agents_left, 1);
    assert_int_equal(coordinator_overview(stand->coordinator)->agents_lost, 0);
    assert_true(coordinator_overview(stand->coordinator)->agents[1].has_left);
    stand_steps(stand, &stand->agents[0], 10, 0);
    stand_finished(stand, &stand->agents[0]);
    stand_expect_verdict(stand, VERDICT_DEGRADED, "agent a2 has left; 2 of its 2 workers went on elsewhere");
}

static void a_goodbye_that_comes_again_is_answered_again(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = stand_agent(stand, "a1");
    struct message goodbye = {.kind = MESSAGE_GOODBYE};
    stand_send(stand, agent, &goodbye);
    stand_forget_story(stand);
    stand_send(stand, agent, &goodbye);
    stand_expect(stand, "a1: refused: you were declared lost\nforget the route of a1\n");
    assert_int_equal(coordinator_overview(stand->coordinator)->agents_left, 1);
}

static void stand_leaving(struct stand *stand, unsigned agent)
{
    stand_send(stand, &stand->agents[agent], &(struct message){.kind = MESSAGE_LEAVING});
}

static void one_that_is_stopped_is_let_go_after_a_moment(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    stand_run(stand, &options, 2);
    stand->is_log_told = true;
    stand_leaving(stand, 1);
    stand_expect(stand, "log: agent a2 is asked to leave\n");
    stand_pass_ms(stand, 900);
    stand_expect(stand, "");
    stand_pass_ms(stand, 300);
    stand_expect(stand, "a2: leave\n");
    stand_leaving(stand, 1);
    stand_pass_ms(stand, 1500);
    stand_expect(stand, "");
}

static void when_all_are_stopped_the_campaign_ends_in_order(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    stand_run(stand, &options, 2);
    stand_leaving(stand, 1);
    stand_pass_ms(stand, 500);
    stand_expect(stand, "");
    stand_steps(stand, &stand->agents[0], 7, 0);
    stand_steps(stand, &stand->agents[1], 5, 0);
    stand->agents[0].is_obliging = stand->agents[1].is_obliging = false;
    stand_leaving(stand, 0);
    stand_expect(stand, "campaign 1 stopping\n"
                        "a1: stop: all of its agents were stopped\n"
                        "a2: stop: all of its agents were stopped\n");
    stand_pass_ms(stand, 3000);
    stand_expect(stand, ""); /* neither is let go */
    stand->agents[0].is_obliging = true;
    stand_finished(stand, &stand->agents[0]);
    stand_finished(stand, &stand->agents[1]);
    stand_expect(stand, "a1: global teardown\n"
                        "campaign 1 ended\n"
                        "a1: forget\n"
                        "a2: forget\n");
    stand_expect_verdict(stand, VERDICT_ABORTED, "all of its agents were stopped");
    assert_int_equal(stand_report(stand)->steps_ok, 12);
}

static void no_campaign_begins_on_one_that_leaves(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    (void)stand_agent(stand, "a1");
    stand_leaving(stand, 0);
    stand_create(stand, &options, 1);
    stand_forget_story(stand);
    (void)stand_agent(stand, "a2");
    assert_int_equal(stand_report(stand)->agent_count, 1);
}

static void fail_stops_everything(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(6);
    options.on_loss = ON_LOSS_FAIL;
    stand_run(stand, &options, 2);
    stand_gone(stand, "a1");
    stand_expect(stand, "campaign 1 stopping\n"
                        "forget the route of a1\n"
                        "a2: stop: agent a1 was lost with 3 workers\n"
                        "a2: global teardown\n"
                        "campaign 1 ended\n"
                        "a2: forget\n");
    stand_expect_verdict(stand, VERDICT_FAILED, "agent a1 was lost with 3 workers");
}

static void without_agents_it_is_aborted(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(6);
    options.on_loss = ON_LOSS_REPLACE;
    stand_run(stand, &options, 2);
    stand_gone(stand, "a1");
    stand_forget_story(stand);
    stand_gone(stand, "a2");
    stand_expect(stand, "campaign 1 ended\nforget the route of a2\n");
    stand_expect_verdict(stand, VERDICT_ABORTED, "agent a2 was lost, and no other agent is left");
}

static void who_is_lost_when_it_had_finished_costs_nothing(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(6);
    options.on_loss = ON_LOSS_FAIL;
    stand_run(stand, &options, 2);
    stand_steps(stand, &stand->agents[0], 10, 0);
    stand_finished(stand, &stand->agents[0]);
    stand_gone(stand, "a1");
    stand_finished(stand, &stand->agents[1]);
    stand_expect_verdict(stand, VERDICT_PASSED, "");
    assert_int_equal(stand_report(stand)->agents[0].state, AGENT_LOST);
}

static void a_loss_while_stopping_does_not_hold_the_end(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(6);
    options.on_loss = ON_LOSS_REPLACE;
    stand_run(stand, &options, 2);
    stand->agents[0].is_obliging = false;
    stand_stop(stand, false);
    stand_forget_story(stand);
    stand_gone(stand, "a1");
    stand_expect(stand, "forget the route of a1\na2: global teardown\ncampaign 1 ended\na2: forget\n");
    stand_expect_verdict(stand, VERDICT_ABORTED, "interrupted");
}

static void a_loss_during_teardown_moves_it_on(void **state)
{
    struct stand *stand = stand_running(state, 6, 2);
    stand_steps(stand, &stand->agents[1], 10, 0);
    stand->agents[0].is_obliging = false;
    finish_all(stand);
    stand_expect(stand, "campaign 1 stopping\na1: global teardown\n");
    stand_gone(stand, "a1");
    stand_expect(stand, "forget the route of a1\na2: global teardown\ncampaign 1 ended\na2: forget\n");
    stand_expect_verdict(stand, VERDICT_PASSED, "");
}

/* global_teardown is not to blame. */
static void who_falls_silent_during_teardown_is_waited_for_until_it_is_lost(void **state)
{
    struct stand *stand = stand_running(state, 6, 2);
    stand_steps(stand, &stand->agents[1], 10, 0);
    stand->agents[0].is_obliging = false;
    finish_all(stand);
    stand_pass_ms(stand, 20000);
    stand->agents[0].is_silent = true;
    stand_forget_story(stand);
    stand_pass_ms(stand, 14000);
    stand_expect(stand, "");
    stand_pass_ms(stand, 2000);
    stand_expect(stand, "forget the route of a1\na2: global teardown\ncampaign 1 ended\na2: forget\n");
    stand_expect_verdict(stand, VERDICT_PASSED, "");
}

static void a_new_life_of_a_lost_agent_has_no_part_in_it(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    stand_gone(stand, "a2");
    struct played *again = stand_agent(stand, "a2");
    stand_expect(stand, "forget the route of a2\na2: welcome\n");
    stand_finished(stand, again);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_RUNNING);
}

/* What it said last: how much memory its process has. */
static void lose_using(struct stand *stand, uint64_t memory_bytes)
{
    SCOPED(histogram_free) struct histogram *lag_us = histogram_new();
    const struct message gauges = {
        .kind = MESSAGE_GAUGES,
        .gauges = {.interval_us = 1000000, .memory_bytes = memory_bytes, .lag_us = lag_us}};
    stand_steps(stand, &stand->agents[0], 10, 0);
    stand_send(stand, &stand->agents[1], &gauges);
    stand_gone(stand, "a2");
    stand_finished(stand, &stand->agents[0]);
}

static void one_that_had_hardly_any_memory_left_is_told_so(void **state)
{
    struct stand *stand = stand_running(state, 6, 2);
    lose_using(stand, 450u << 20);
    stand_expect_verdict(stand, VERDICT_DEGRADED,
                         "agent a2 was lost (probably out of memory: it used 450 of 512 MiB) with 3 workers");
}

static void one_that_had_enough_is_not(void **state)
{
    struct stand *stand = stand_running(state, 6, 2);
    lose_using(stand, 400u << 20);
    stand_expect_verdict(stand, VERDICT_DEGRADED, "agent a2 was lost with 3 workers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(shrink_goes_on_with_the_others),
        STORY(shrink_ends_the_waits_of_the_others),
        STORY(replace_deals_the_workers_over_those_that_remain),
        STORY(another_agent_does_not_run_the_fixture_again),
        STORY(replace_announces_many_steps_in_several_messages),
        STORY(replace_wants_to_know_from_the_beginning_how_far_workers_are),
        STORY(replace_goes_on_at_the_next_step),
        STORY(replace_again_begins_the_step_once_more),
        STORY(a_step_that_begins_is_acknowledged_at_once),
        STORY(a_finish_that_does_not_know_of_the_new_workers_does_not_count),
        STORY(an_agent_that_had_finished_takes_over),
        STORY(who_is_lost_before_the_beginning_is_replaced_behind_it),
        STORY(who_says_goodbye_is_replaced_at_once),
        STORY(one_that_is_stopped_is_let_go_after_a_moment),
        STORY(when_all_are_stopped_the_campaign_ends_in_order),
        STORY(no_campaign_begins_on_one_that_leaves),
        STORY(a_goodbye_that_comes_again_is_answered_again),
        STORY(fail_stops_everything),
        STORY(without_agents_it_is_aborted),
        STORY(who_is_lost_when_it_had_finished_costs_nothing),
        STORY(a_loss_while_stopping_does_not_hold_the_end),
        STORY(a_loss_during_teardown_moves_it_on),
        STORY(who_falls_silent_during_teardown_is_waited_for_until_it_is_lost),
        STORY(a_new_life_of_a_lost_agent_has_no_part_in_it),
        STORY(one_that_had_hardly_any_memory_left_is_told_so),
        STORY(one_that_had_enough_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
