/* The coordinator as a whole: operations in, replies out, deadlocks reported, several campaigns, bad
 * input. */
#include "tests/unit/coordinator/core/stand.h"

#include "common/random.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct operation barrier_of(uint64_t step)
{
    return (struct operation){.kind = OPERATION_BARRIER, .name = bytes_of_string("b"), .step = step};
}

static void replies_go_to_whom_they_concern_with_their_ranks(void **state)
{
    struct stand *stand = stand_running(state, 6, 2);
    stand_operation(stand, &stand->agents[1], barrier_of(1), (uint32_t[]){3, 1}, 2);
    stand_operation(stand, &stand->agents[0], barrier_of(1), (uint32_t[]){0, 2, 4}, 3);
    stand_forget_story(stand);
    stand_operation(stand, &stand->agents[1], barrier_of(1), (uint32_t[]){5}, 1);
    /* One message for both: each takes what is for its own workers. */
    stand_expect(stand, "a2: replies barrier ok to workers 0–5 from rank 1\n"
                        "a1: replies barrier ok to workers 0–5 from rank 1\n");
}

/* Answers to calls of the first agent and of both, in one turn: a value of so many bytes. */
static void answer_both_and_one(struct stand *stand, size_t value_bytes)
{
    uint8_t value[2000] = {'s', 0, 0, 0, 0};
    value[3] = (uint8_t)((value_bytes - 5) >> 8);
    value[4] = (uint8_t)((value_bytes - 5) & 0xff);
    memset(value + 5, 'x', sizeof value - 5);
    struct operation set = {.kind = OPERATION_SET,
                            .room = ROOM_CAMPAIGN,
                            .name = bytes_of_string("n"),
                            .value = bytes_of(value, value_bytes)};
    stand_operation(stand, &stand->agents[0], set, (uint32_t[]){0}, 1);
    stand_operation(stand, &stand->agents[1], barrier_of(1), (uint32_t[]){1, 3}, 2);
    stand_operation(stand, &stand->agents[0], barrier_of(1), (uint32_t[]){0}, 1);
    struct worker_set own[2] = {0};
    worker_set_add(&own[0], 0);
    worker_set_add(&own[1], 2);
    struct operation items[2] = {
        {.kind = OPERATION_GET, .workers = own[0], .room = ROOM_CAMPAIGN, .name = bytes_of_string("n")},
        barrier_of(1)};
    items[1].workers = own[1];
    stand_forget_story(stand);
    stand_send(stand, &stand->agents[0],
               &(struct message){
                   .kind = MESSAGE_OPERATIONS, .campaign = 1, .operations = {.items = items, .count = 2}});
    worker_set_finish(&own[0]);
    worker_set_finish(&own[1]);
}

static void what_little_concerns_one_agent_alone_goes_with_the_rest(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    answer_both_and_one(stand, 100);
    stand_expect(stand, "a1: replies get_var ok to worker 0; barrier ok to workers 0–3 from rank 1\n"
                        "a2: replies get_var ok to worker 0; barrier ok to workers 0–3 from rank 1\n");
}

static void what_much_concerns_one_agent_alone_goes_to_no_other(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    answer_both_and_one(stand, 2000);
    stand_expect(stand, "a1: replies get_var ok to worker 0; barrier ok to workers 0 and 2 from rank 3\n"
                        "a2: replies barrier ok to workers 1 and 3 from rank 1\n");
}

static void one_message_answers_a_turn(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    struct operation items[3];
    struct worker_set sets[3] = {0};
    for (uint32_t i = 0; i < 3; i++) {
        worker_set_add(&sets[i], 2 * (i % 2));
        items[i] = (struct operation){.kind = OPERATION_INCR,
                                      .workers = sets[i],
                                      .room = ROOM_CAMPAIGN,
                                      .name = bytes_of_string("n"),
                                      .value = bytes_of("i\0\0\0\0\0\0\0\1", 9),
                                      .call = i};
    }
    stand_send(stand, &stand->agents[0],
               &(struct message){
                   .kind = MESSAGE_OPERATIONS, .campaign = 1, .operations = {.items = items, .count = 3}});
    stand_expect(stand, "a1: replies incr ok to worker 0; incr ok to worker 2; incr ok to worker 0\n");
    for (int i = 0; i < 3; i++) {
        worker_set_finish(&sets[i]);
    }
}

static void a_turn_without_an_end_is_due_at_once(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = stand_agent(stand, "a1");
    assert_true(coordinator_due_ns(stand->coordinator) > stand->now_ns);
    struct envelope envelope = {.incarnation = agent->incarnation, .epoch = STAND_EPOCH, .sequence = 2};
    stand_frame(stand, &envelope, bytes_of_string("a gap, to be told of"));
    assert_int_equal(stand->effects.count, 0);
    assert_true(coordinator_due_ns(stand->coordinator) <= stand->now_ns);
    stand_step(stand, &(struct coordinator_event){.kind = EVENT_TICK, .now_ns = stand->now_ns});
    assert_int_equal(stand->effects.count, 1);
    assert_true(coordinator_due_ns(stand->coordinator) > stand->now_ns);
}

static void nobody_speaks_for_the_workers_of_others(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    stand->logged = 0;
    stand_operation(stand, &stand->agents[0], barrier_of(1), (uint32_t[]){0, 1}, 2);
    stand_operation(stand, &stand->agents[0], barrier_of(1), (uint32_t[]){400}, 1);
    stand_expect(stand, "a1: replies barrier refused to workers 0–1\n"
                        "a1: replies barrier refused to worker 400\n");
    assert_int_equal(stand->logged, 1); /* not the second one as well */
    assert_int_equal(stand_report(stand)->live_barriers, 0);
}

static void nonsense_in_an_operation_leaves_the_others_alone(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    struct operation wrong = barrier_of(1);
    wrong.room = 99;
    stand_operation(stand, &stand->agents[0], wrong, (uint32_t[]){0}, 1);
    stand_expect(stand, "a1: replies barrier refused to worker 0\n");
    struct operation set = {.kind = OPERATION_SET,
                            .room = ROOM_CAMPAIGN,
                            .name = bytes_of_string("v"),
                            .value = bytes_of("t", 1)};
    stand_operation(stand, &stand->agents[0], set, (uint32_t[]){0}, 1);
    stand_expect(stand, "a1: replies set_var ok to worker 0\n");
}

/* Both wait for a writer that does not exist. */
static void fall_into_deadlock(struct stand *stand)
{
    struct operation wait = {.kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = 1};
    stand_operation(stand, &stand->agents[0], wait, (uint32_t[]){0}, 1);
    stand_operation(stand, &stand->agents[1], wait, (uint32_t[]){1}, 1);
    struct operation past = {.kind = OPERATION_PAST, .step = 0}; /* the answer to SYNCHRONISE */
    stand_operation(stand, &stand->agents[0], past, (uint32_t[]){0}, 1);
    stand_operation(stand, &stand->agents[1], past, (uint32_t[]){1}, 1);
    stand_forget_story(stand);
    stand_pass_ms(stand, 1000);
}

static void a_deadlock_stops_it(void **state)
{
    struct stand *stand = stand_running(state, 2, 2);
    stand->agents[0].is_obliging = false;
    fall_into_deadlock(stand);
    const struct campaign_report *report = stand_report(stand);
    assert_int_equal(report->state, CAMPAIGN_STOPPING);
    stand_expect(stand, "deadlock\n"
                        "campaign 1 stopping\n"
                        "a1: replies wait_for_writer deadlock to workers 0–1\n"
                        "a1: stop: workers 0–1 wait for the writer of pad@1\n"
                        "a2: replies wait_for_writer deadlock to workers 0–1\n"
                        "a2: stop: workers 0–1 wait for the writer of pad@1\n");
    stand->agents[0].is_obliging = true;
    stand_finished(stand, &stand->agents[0]);
    stand_expect_verdict(stand, VERDICT_DEADLOCKED, "workers 0–1 wait for the writer of pad@1");
}

static void a_deadlock_that_only_fails_is_not_forgotten(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    options.on_deadlock = ON_DEADLOCK_FAIL;
    stand_run(stand, &options, 2);
    fall_into_deadlock(stand);
    stand_expect(stand, "deadlock\n"
                        "a1: replies wait_for_writer deadlock to workers 0–1\n"
                        "a2: replies wait_for_writer deadlock to workers 0–1\n");
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_RUNNING);
    stand_steps(stand, &stand->agents[0], 5, 2);
    stand_finished(stand, &stand->agents[0]);
    stand_finished(stand, &stand->agents[1]);
    const struct campaign_report *report = stand_report(stand);
    assert_int_equal(report->state, CAMPAIGN_ENDED);
    assert_int_equal(report->verdict, VERDICT_DEADLOCKED);
}

static void who_waits_for_whom_is_in_the_report(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    assert_int_equal(stand_report(stand)->waiting.size, 0);
    stand_operation(stand, &stand->agents[0], barrier_of(1), (uint32_t[]){0, 2}, 2);
    const struct campaign_report *report = stand_report(stand);
    assert_true(report->waiting.size > 0);
    assert_int_equal(report->live_waits, 2);
    assert_int_equal(report->live_barriers, 1);
}

static void campaigns_do_not_disturb_each_other(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    stand_run(stand, &options, 2);
    stand_create(stand, &options, 2);
    assert_int_equal(coordinator_last_campaign(stand->coordinator), 2);
    assert_int_equal(coordinator_report(stand->coordinator, 2, stand->now_ns)->state, CAMPAIGN_RUNNING);
    stand_stop(stand, false);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_ENDED);
    assert_int_equal(coordinator_report(stand->coordinator, 2, stand->now_ns)->state, CAMPAIGN_RUNNING);
    assert_null(coordinator_report(stand->coordinator, 3, stand->now_ns));
}

static void reports_of_old_campaigns_are_dropped_in_the_end(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    (void)stand_agent(stand, "a1");
    for (unsigned i = 1; i <= 100; i++) {
        stand_create(stand, &options, 1);
        stand_step(stand, &(struct coordinator_event){.kind = EVENT_STOP,
                                                      .now_ns = stand->now_ns,
                                                      .stop = {.campaign = i, .is_at_once = false}});
        stand_exchange(stand);
        assert_int_equal(coordinator_report(stand->coordinator, i, stand->now_ns)->state, CAMPAIGN_ENDED);
    }
    assert_null(coordinator_report(stand->coordinator, 1, stand->now_ns));
    assert_non_null(coordinator_report(stand->coordinator, 100, stand->now_ns));
    assert_non_null(coordinator_report(stand->coordinator, 50, stand->now_ns));
}

/* Arbitrary bytes, properly numbered or not, from an agent that has joined and from one that has not. */
static void bad_bytes_disturb_nobody(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    struct random random;
    random_seed(&random, 1);
    for (int i = 0; i < 3000; i++) {
        uint8_t bytes[64];
        size_t size = random_below(&random, sizeof bytes);
        for (size_t at = 0; at < size; at++) {
            bytes[at] = (uint8_t)random_next(&random);
        }
        struct envelope envelope = {.incarnation = 101 + random_below(&random, 3),
                                    .epoch = random_below(&random, 2) * STAND_EPOCH,
                                    .sequence = random_below(&random, 4) + 1000,
                                    .acknowledged = random_below(&random, 3),
                                    .sent_ns = random_next(&random)};
        stand_frame(stand, &envelope, bytes_of(bytes, size));
    }
    for (int i = 0; i < 300; i++) {
        uint8_t bytes[] = {0x08,
                           0x01,
                           (uint8_t)random_next(&random),
                           0x02,
                           (uint8_t)random_next(&random),
                           (uint8_t)random_next(&random)};
        stand_send_bytes(stand, &stand->agents[0], bytes, sizeof bytes);
    }
    stand_forget_story(stand);
    stand_operation(stand, &stand->agents[0], barrier_of(1), (uint32_t[]){0, 2}, 2);
    stand_operation(stand, &stand->agents[1], barrier_of(1), (uint32_t[]){1, 3}, 2);
    const char *story = buffer_string(&stand->story);
    assert_non_null(strstr(story, "a1: replies barrier ok to workers 0–3 from rank 1\n"));
    assert_non_null(strstr(story, "a2: replies barrier ok to workers 0–3 from rank 1\n"));
}

#define LONG_BYTES 60005u
#define READERS 16u

static void make_long_value(uint8_t value[LONG_BYTES])
{
    static const uint8_t head[] = {'s', 0, 0, 0xea, 0x60}; /* 60,000 bytes follow */
    for (size_t i = 0; i < LONG_BYTES; i++) {
        value[i] = i < sizeof head ? head[i] : 'x';
    }
}

static void set_long(struct stand *stand, struct bytes name)
{
    uint8_t value[LONG_BYTES];
    make_long_value(value);
    struct operation set = {
        .kind = OPERATION_SET, .room = ROOM_CAMPAIGN, .name = name, .value = bytes_of(value, sizeof value)};
    stand_operation(stand, &stand->agents[0], set, (uint32_t[]){0}, 1);
}

/* How many reply messages it takes to send each of the readers the value of its own name, or all of them that
 * of the first. */
static size_t messages_for(struct stand *stand, char names[READERS][4], bool is_one)
{
    struct operation items[READERS];
    struct worker_set sets[READERS] = {0};
    size_t messages = 0;
    for (uint32_t i = 0; i < READERS; i++) {
        worker_set_add(&sets[i], i);
        items[i] = (struct operation){.kind = OPERATION_GET,
                                      .workers = sets[i],
                                      .room = ROOM_CAMPAIGN,
                                      .name = bytes_of_string(names[is_one ? 0 : i])};
    }
    stand_forget_story(stand);
    stand_send(stand, &stand->agents[0],
               &(struct message){.kind = MESSAGE_OPERATIONS,
                                 .campaign = 1,
                                 .operations = {.items = items, .count = READERS}});
    for (const char *at = buffer_string(&stand->story); (at = strstr(at, "a1: replies")) != NULL; at++) {
        messages++;
    }
    for (uint32_t i = 0; i < READERS; i++) {
        worker_set_finish(&sets[i]);
    }
    return messages;
}

static void long_replies_are_divided_into_messages(void **state)
{
    struct stand *stand = stand_running(state, 40, 1);
    char names[READERS][4];
    for (uint32_t i = 0; i < READERS; i++) {
        (void)snprintf(names[i], sizeof names[i], "v%02u", i % 100);
        set_long(stand, bytes_of_string(names[i]));
    }
    /* 16 × 60 kB, each filled up to 256 kB and a little more */
    assert_int_equal(messages_for(stand, names, false), 4);
    /* What all are sent alike is in there once. */
    assert_int_equal(messages_for(stand, names, true), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(replies_go_to_whom_they_concern_with_their_ranks),
        STORY(what_little_concerns_one_agent_alone_goes_with_the_rest),
        STORY(what_much_concerns_one_agent_alone_goes_to_no_other),
        STORY(one_message_answers_a_turn),
        STORY(a_turn_without_an_end_is_due_at_once),
        STORY(nobody_speaks_for_the_workers_of_others),
        STORY(nonsense_in_an_operation_leaves_the_others_alone),
        STORY(a_deadlock_stops_it),
        STORY(a_deadlock_that_only_fails_is_not_forgotten),
        STORY(who_waits_for_whom_is_in_the_report),
        STORY(campaigns_do_not_disturb_each_other),
        STORY(reports_of_old_campaigns_are_dropped_in_the_end),
        STORY(bad_bytes_disturb_nobody),
        STORY(long_replies_are_divided_into_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
