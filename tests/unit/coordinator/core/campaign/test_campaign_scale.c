/* A campaign that gets more workers, and fewer, while it runs. */
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void scale(struct stand *stand, uint32_t workers)
{
    struct coordinator_event event = {
        .kind = EVENT_SCALE, .now_ns = stand->now_ns, .scale = {.campaign = 1, .workers = workers}};
    stand_step(stand, &event);
    stand_exchange(stand);
}

static void does(struct stand *stand, uint32_t worker, struct operation operation)
{
    operation.room = 0;
    stand_operation(stand, &stand->agents[worker % 2], operation, &worker, 1);
}

static void past(struct stand *stand, uint32_t worker, uint64_t step)
{
    does(stand, worker, (struct operation){.kind = OPERATION_PAST, .step = step});
}

static void ended(struct stand *stand, uint32_t worker, uint64_t step)
{
    does(stand, worker, (struct operation){.kind = OPERATION_ENDED, .step = step});
}

/* All four have ended step 1 of a room that synchronises. */
static void meet(struct stand *stand)
{
    struct operation wait = {.kind = OPERATION_BARRIER, .name = bytes_of_string("b"), .step = 1};
    for (uint32_t worker = 0; worker < 4; worker++) {
        does(stand, worker, wait);
        past(stand, worker, worker == 0 ? 0 : 1);
    }
    past(stand, 0, 1);
    stand_forget_story(stand);
}

static void new_workers_are_dealt_on_in_turn(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(3);
    stand_run(stand, &options, 2);
    scale(stand, 6);
    stand_expect(stand, "a1: scale to 6\n"
                        "a1: assign worker 4 from step 1\n"
                        "a2: scale to 6\n"
                        "a2: assign workers 3 and 5 from step 1\n");
    assert_int_equal(stand_report(stand)->options->workers, 6);
    assert_int_equal(stand_report(stand)->agents[1].workers, 3);
    stand_steps(stand, &stand->agents[0], 10, 0);
    stand_finished(stand, &stand->agents[0]);
    stand_finished(stand, &stand->agents[1]);
    stand_expect_verdict(stand, VERDICT_PASSED, "");
}

static void who_joins_a_room_that_synchronises_begins_where_nobody_is(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    meet(stand);
    scale(stand, 5);
    stand_expect(stand, "a1: scale to 5 0:4\na1: assign worker 4 from step 4\na2: scale to 5 0:4\n");
    /* No worker waits for it before, and all do from there on. */
    struct operation wait = {.kind = OPERATION_BARRIER, .name = bytes_of_string("b"), .step = 3};
    for (uint32_t worker = 0; worker < 4; worker++) {
        past(stand, worker, 2);
        does(stand, worker, wait);
    }
    stand_expect(stand, "a2: replies barrier ok to workers 0–3 from rank 1\n"
                        "a1: replies barrier ok to workers 0–3 from rank 1\n");
    wait.step = 4;
    for (uint32_t worker = 0; worker < 4; worker++) {
        past(stand, worker, 3);
        does(stand, worker, wait);
    }
    stand_expect(stand, "");
    past(stand, 4, 3);
    does(stand, 4, wait);
    assert_int_equal(stand_report(stand)->live_waits, 0);
}

static void those_that_are_too_many_are_waited_for_until_they_have_ended(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    meet(stand);
    scale(stand, 2);
    stand_expect(stand, "a1: scale to 2 0:4\na2: scale to 2 0:4\n");
    struct operation wait = {.kind = OPERATION_BARRIER, .name = bytes_of_string("b"), .step = 4};
    for (uint32_t worker = 0; worker < 2; worker++) {
        past(stand, worker, 3);
        does(stand, worker, wait);
    }
    ended(stand, 2, 3);
    assert_int_equal(stand_report(stand)->live_waits, 2);
    ended(stand, 3, 3);
    assert_int_equal(stand_report(stand)->live_waits, 0);
}

static void who_is_wanted_again_comes_back_when_it_has_ended(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    scale(stand, 2);
    scale(stand, 5);
    stand_expect(stand, "a1: scale to 2\na2: scale to 2\n");
    ended(stand, 2, 7);
    stand_expect(stand, "");
    ended(stand, 3, 7);
    stand_expect(stand, "a2: scale to 5\n"
                        "a2: assign worker 3 from step 1\n"
                        "a1: scale to 5\n"
                        "a1: assign workers 2 and 4 from step 1\n");
    assert_int_equal(stand_report(stand)->agents[0].workers, 3); /* 0, 2, 4: however often 2 came back */
    assert_int_equal(stand_report(stand)->workers_ran, 5);
}

static void a_later_word_replaces_one_that_waits(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    stand_run(stand, &options, 2);
    scale(stand, 3);
    scale(stand, 6);
    scale(stand, 3);
    ended(stand, 3, 1);
    stand_expect(stand, "a1: scale to 3\na2: scale to 3\n");
    assert_int_equal(stand_report(stand)->options->workers, 3);
}

static void those_of_a_lost_agent_that_were_to_end_do_not_go_on(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.on_loss = ON_LOSS_REPLACE;
    stand_run(stand, &options, 2);
    scale(stand, 3);
    stand_forget_story(stand);
    stand_gone(stand, "a2");
    stand_expect(stand, "forget the route of a2\na1: assign worker 1 from step 1\n");
}

static void expect_refusal(struct stand *stand, uint64_t campaign, uint32_t workers, const char *why)
{
    struct error error;
    assert_false(coordinator_may_scale(stand->coordinator, campaign, workers, &error));
    assert_string_equal(error.text, why);
    if (campaign == 1) {
        scale(stand, workers);
        stand_expect(stand, "");
    }
}

static void what_cannot_be_is_refused(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.duration_ms = 5000;
    stand->capacity = 3;
    stand_create(stand, &options, 2);
    stand_forget_story(stand);
    expect_refusal(stand, 1, 5, "campaign 1 is created: only a running campaign can be scaled");
    (void)stand_agent(stand, "a1");
    (void)stand_agent(stand, "a2");
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_RUNNING);
    stand_forget_story(stand);
    expect_refusal(stand, 2, 5, "there is no campaign 2");
    expect_refusal(stand, 1, 0, "a campaign needs workers; tutti stop 1 ends it");
    expect_refusal(stand, 1, 1000001, "1000001 workers are too many: a campaign may have at most 1000000");
    expect_refusal(
        stand, 1, 7,
        "only 2 of 3 more workers fit on the 2 agents of campaign 1, by what their --capacity leaves");
    struct error error;
    assert_true(coordinator_may_scale(stand->coordinator, 1, 6, &error));
    stand_pass_ms(stand, 6000);
    stand_forget_story(stand);
    expect_refusal(stand, 1, 5, "the duration of campaign 1 is over: its workers are finishing");
    stand_stop(stand, false);
    stand_forget_story(stand);
    expect_refusal(stand, 1, 5, "campaign 1 is ended: only a running campaign can be scaled");
}

/* The capacity of workers that were told to end stays taken; new ones need capacity of their own. */
static void who_comes_back_needs_no_more_room(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(3);
    struct error error;
    stand->capacity = 2;
    stand_run(stand, &options, 2);
    expect_refusal(
        stand, 1, 5,
        "only 1 of 2 more workers fit on the 2 agents of campaign 1, by what their --capacity leaves");
    scale(stand, 4);
    stand_forget_story(stand);
    expect_refusal(
        stand, 1, 5,
        "only 0 of 1 more worker fit on the 2 agents of campaign 1, by what their --capacity leaves");
    scale(stand, 2);
    stand_forget_story(stand);
    assert_true(coordinator_may_scale(stand->coordinator, 1, 4, &error));
    expect_refusal(
        stand, 1, 5,
        "only 0 of 1 more worker fit on the 2 agents of campaign 1, by what their --capacity leaves");
}

static void who_comes_back_goes_elsewhere_when_its_agent_is_lost(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    scale(stand, 2);
    ended(stand, 2, 7);
    ended(stand, 3, 7);
    stand_gone(stand, "a2");
    stand_forget_story(stand);
    scale(stand, 4);
    stand_expect(stand, "a1: scale to 4\na1: assign workers 2–3 from step 1\n");
}

static void no_agent_scales(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    stand_run(stand, &options, 2);
    stand_send(stand, &stand->agents[0],
               &(struct message){.kind = MESSAGE_SCALE, .campaign = 1, .scale.workers = 9});
    stand_expect(stand, "");
    assert_int_equal(stand_report(stand)->options->workers, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(new_workers_are_dealt_on_in_turn),
        STORY(who_joins_a_room_that_synchronises_begins_where_nobody_is),
        STORY(those_that_are_too_many_are_waited_for_until_they_have_ended),
        STORY(who_is_wanted_again_comes_back_when_it_has_ended),
        STORY(a_later_word_replaces_one_that_waits),
        STORY(those_of_a_lost_agent_that_were_to_end_do_not_go_on),
        STORY(what_cannot_be_is_refused),
        STORY(who_comes_back_needs_no_more_room),
        STORY(who_comes_back_goes_elsewhere_when_its_agent_is_lost),
        STORY(no_agent_scales),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
