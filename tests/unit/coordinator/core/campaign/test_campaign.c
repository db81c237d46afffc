/* The life cycle of a campaign as stories: what its agents are told, and how it ends. */
#include "common/memory.h"
#include "proto/message/limits.h"
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

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
    assert_int_equal(stand_report(stand)->workers_running, 2);
    assert_int_equal(stand_report(stand)->campaign, 1);
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
    struct stand *stand = stand_running(state, 1, 2);
    stand_gone(stand, "a2");
    stand_expect(stand, "forget the route of a2\n");
    stand_steps(stand, &stand->agents[0], 1, 0);
    stand_finished(stand, &stand->agents[0]);
    stand_expect_verdict(stand, VERDICT_PASSED, "");
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

/* An agent with more rooms than fit in one message reports the rest in the next one. */
static void a_full_message_of_last_steps_is_followed_by_another(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.duration_ms = 1000;
    options.room_size = 2;
    stand_run(stand, &options, 1);
    stand_pass_ms(stand, 1100);
    stand_forget_story(stand);
    struct room_step *items = memory_new(LIMIT_BATCH_ITEMS, sizeof *items);
    for (size_t i = 0; i < LIMIT_BATCH_ITEMS; i++) {
        items[i] = (struct room_step){.room = 0, .step = 3};
    }
    struct message message = {
        .kind = MESSAGE_DRAINED, .campaign = 1, .room_steps = {.items = items, .count = LIMIT_BATCH_ITEMS}};
    stand_send(stand, &stand->agents[0], &message);
    stand_expect(stand, "");
    items[0] = (struct room_step){.room = 1, .step = 5};
    message.room_steps.count = 1;
    stand_send(stand, &stand->agents[0], &message);
    stand_expect(stand, "a1: run_until 0:3 1:5\n");
    memory_free(items);
}

/* Before its time, or when the last steps are known already. */
static void what_agents_send_at_the_wrong_time_changes_nothing(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.duration_ms = 1000;
    options.room_size = 2;
    stand_run(stand, &options, 1);
    struct played *a1 = &stand->agents[0];
    struct room_step step = {.room = 1, .step = 5};
    struct message drained = {
        .kind = MESSAGE_DRAINED, .campaign = 1, .room_steps = {.items = &step, .count = 1}};
    stand_done(stand, a1, MESSAGE_DEPLOYED, GLOBAL_SETUP, "pad.lua:1: no such file");
    stand_done(stand, a1, MESSAGE_GLOBAL_DONE, GLOBAL_SETUP, "too late");
    stand_done(stand, a1, MESSAGE_GLOBAL_DONE, GLOBAL_TEARDOWN, "too early");
    stand_send(stand, a1, &drained);
    stand_expect(stand, "");
    stand_pass_ms(stand, 1100);
    stand_forget_story(stand);
    stand_send(stand, a1, &drained);
    stand_expect(stand, "a1: run_until 1:5\n");
    step.step = 9;
    stand_send(stand, a1, &drained);
    stand_expect(stand, "");
    stand_steps(stand, a1, 9, 0);
    stand_finished(stand, a1);
    stand_expect_verdict(stand, VERDICT_PASSED, "");
}

static void an_agent_of_no_campaign_is_not_heard_in_one(void **state)
{
    struct stand *stand = stand_running(state, 2, 1);
    struct played *a2 = stand_agent(stand, "a2");
    stand_forget_story(stand);
    stand->is_log_told = true;
    stand_steps(stand, a2, 5, 0);
    stand_expect(stand, "log: agent a2: dropped a message (1 so far): a campaign that is not its own\n");
    assert_int_equal(stand_report(stand)->steps_ok, 0);
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
    stand_gone(stand, "a2"); /* no step begins any more, so there is nothing to continue elsewhere */
    stand_expect(stand, "forget the route of a2\na1: run_until 0:0\n");
    stand_steps(stand, &stand->agents[0], 9, 0);
    stand_finished(stand, &stand->agents[0]);
    stand_expect_verdict(stand, VERDICT_DEGRADED, "agent a2 was lost with 2 workers");
}

static void why_a_teardown_failed_is_told_in_full(void **state)
{
    struct stand *stand = stand_running(state, 2, 1);
    struct played *a1 = &stand->agents[0];
    char why[LIMIT_TEXT_BYTES];
    memset(why, 'x', sizeof why);
    why[sizeof why - 1] = '\0';
    a1->is_obliging = false;
    stand_steps(stand, a1, 1, 0);
    stand_finished(stand, a1);
    stand_done(stand, a1, MESSAGE_GLOBAL_DONE, GLOBAL_TEARDOWN, why);
    stand_expect_verdict(stand, VERDICT_FAILED, why);
    assert_int_equal(stand_report(stand)->error_count, 1);
    assert_true(bytes_equal_string(stand_report(stand)->errors[0].text, why));
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

/* There was no coordinator when it failed, and the duration was over when there was one again. */
static void a_failure_that_is_told_after_the_end_counts(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    options.is_stopped_by_failure = true;
    options.fail_steps = 0;
    options.duration_ms = 1000;
    options.has_grace = true;
    stand_run(stand, &options, 1);
    stand->agents[0].is_obliging = false;
    stand_pass_ms(stand, 1100);
    struct message message = {
        .kind = MESSAGE_FAILURE,
        .campaign = 1,
        .failure = {.worker = 1, .step = 4, .text = bytes_of_string("pad.lua:9: wrong text")}};
    stand_send(stand, &stand->agents[0], &message);
    stand_steps(stand, &stand->agents[0], 99, 1);
    stand_finished(stand, &stand->agents[0]);
    stand_done(stand, &stand->agents[0], MESSAGE_GLOBAL_DONE, GLOBAL_TEARDOWN, NULL);
    stand_expect_verdict(stand, VERDICT_FAILED, "worker 1 failed at step 4: pad.lua:9: wrong text");
}

static void a_failure_is_only_counted_when_not(void **state)
{
    struct stand *stand = stand_running(state, 2, 1);
    struct message message = {.kind = MESSAGE_FAILURE, .campaign = 1, .failure = {.worker = 1, .step = 4}};
    stand_send(stand, &stand->agents[0], &message);
    stand_expect(stand, "");
    stand_steps(stand, &stand->agents[0], 99, 1);
    stand_finished(stand, &stand->agents[0]);
    stand_expect_verdict(stand, VERDICT_FAILED, "1 of 100 steps failed (the limit is 1)");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_campaign_from_creation_to_the_end),
        STORY(agents_that_do_not_come_abort_it),
        STORY(agents_without_a_worker_are_left_alone),
        STORY(a_duration_ends_in_a_common_last_step),
        STORY(who_ends_because_of_the_duration_leaves_nobody_short),
        STORY(what_agents_send_at_the_wrong_time_changes_nothing),
        STORY(an_agent_of_no_campaign_is_not_heard_in_one),
        STORY(a_full_message_of_last_steps_is_followed_by_another),
        STORY(nobody_waits_for_a_lost_agent_to_drain),
        STORY(why_a_teardown_failed_is_told_in_full),
        STORY(the_first_failure_stops_it_when_asked_for),
        STORY(a_failure_that_is_told_after_the_end_counts),
        STORY(a_failure_is_only_counted_when_not),
        STORY(nothing_done_is_no_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
