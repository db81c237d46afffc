/* What shards tell an agent, and what of it reaches the coordinator. */
#include "tests/unit/agent/core/test_agent_support.h"

#include "common/memory.h"
#include "common/value.h"
#include "proto/message/limits.h"

#include <string.h>

static void cannot_be_loaded(struct fixture *fixture, uint32_t shard, const char *text)
{
    struct notice *notice = notice_new(NOTICE_DEPLOYED, CAMPAIGN);
    notice->text = memory_copy_string(text);
    notify(fixture, shard, notice);
}

static void script_that_fails_without_words_is_explained(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 1);
    cannot_be_loaded(fixture, 0, NULL);
    turn_end(fixture);
    say_kind(fixture, MESSAGE_FORGET);
    deploy(fixture, 10, 0, 1, 1);
    ignore(fixture);
    cannot_be_loaded(fixture, 0, "");
    turn_end(fixture);
    expect(fixture, "deployed(not ok the script cannot be loaded)");
}

/* Its workers will never end by themselves. */
static void what_was_stopped_before_it_failed_to_load_has_finished(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 4);
    say_kind(fixture, MESSAGE_STOP);
    cannot_be_loaded(fixture, 0, "no scenario");
    ignore(fixture);
    cannot_be_loaded(fixture, 1, "no scenario");
    turn_end(fixture);
    expect(fixture, "deployed(not ok no scenario) finished(4)");
}

static struct operation read_at(uint64_t milliseconds)
{
    int64_t at_ns = (int64_t)(milliseconds * MS);
    return (struct operation){.kind = OPERATION_READ,
                              .name = bytes_of_string("pad"),
                              .step = 1,
                              .first_ns = at_ns,
                              .last_ns = at_ns};
}

static void instants_are_not_told_before_the_clock_is_known(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    tick(fixture);
    welcome(fixture);
    deploy(fixture, 4, 0, 1, 1);
    ignore(fixture);
    operate(fixture, 0, 0, read_at(2000));
    turn_end(fixture);
    expect(fixture, "operations(one_read 0)");
}

/* Half of the 3 ms that the frame was on its way. */
static void instants_are_told_with_how_far_they_may_be_off(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    tick(fixture);
    welcome(fixture);
    turn_end(fixture);
    struct envelope envelope;
    struct shared *message;
    deploy(fixture, 4, 0, 1, 1);
    pass(fixture, HEARTBEAT_MS);
    while (link_next_frame(fixture->coordinator, fixture->now_ns + OFFSET_NS, &envelope, &message)) {
        fixture->now_ns += 3 * MS;
        raw_frame(fixture, &envelope, shared_bytes(message));
    }
    ignore(fixture);
    operate(fixture, 0, 0, read_at(2000));
    turn_end(fixture);
    expect(fixture, "operations(one_read 0 41998–0 ms ± 1501 µs)");
}

static void tell_drained(struct fixture *fixture, uint32_t shard, uint32_t room, size_t count)
{
    struct notice *notice = notice_new(NOTICE_DRAINED, CAMPAIGN);
    notice->room_step_count = count;
    notice->room_steps = memory_new(count, sizeof *notice->room_steps);
    for (size_t i = 0; i < count; i++) {
        notice->room_steps[i] = (struct room_step){.room = room + (uint32_t)i, .step = 1};
    }
    notify(fixture, shard, notice);
}

static void each_shard_drains_once_and_only_if_it_was_asked_to(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 4);
    tell_drained(fixture, 0, 7, 1);
    tell_drained(fixture, 1, 8, 1);
    turn_end(fixture);
    expect(fixture, "");
    say_kind(fixture, MESSAGE_DRAIN);
    ignore(fixture);
    tell_drained(fixture, 0, 1, 1);
    tell_drained(fixture, 0, 2, 1);
    turn_end(fixture);
    expect(fixture, "");
    tell_drained(fixture, 1, 3, 1);
    turn_end(fixture);
    expect(fixture, "drained(1@1 3@1)");
}

static void room_steps_beyond_a_message_go_in_the_next(void **state)
{
    struct fixture *fixture = *state;
    fixture->settings.shards = 1;
    start_joined(fixture);
    deploy(fixture, 100000, 0, 1, 1);
    say_kind(fixture, MESSAGE_DRAIN);
    tell_drained(fixture, 0, 0, LIMIT_BATCH_ITEMS + 3);
    turn_end(fixture);
    assert_non_null(strstr(buffer_string(&fixture->transcript), "65535@1) drained(65536@1 65537@1 65538@1)"));
    ignore(fixture);
}

static struct notice *running(uint32_t workers)
{
    struct notice *notice = notice_new(NOTICE_STATISTICS, CAMPAIGN);
    notice->statistics = MEMORY_NEW(struct statistics);
    notice->statistics->step_us = histogram_new();
    notice->statistics->workers_running = workers;
    return notice;
}

static void nobody_runs_on_a_shard_that_has_finished(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 4);
    notify(fixture, 0, running(2));
    finish_shard(fixture, 0, 2);
    notify(fixture, 1, running(1));
    turn_end(fixture);
    expect(fixture, "statistics(0 ok, 2 running) statistics(0 ok, 1 running)");
}

/* The value of the n-th reply that went to a shard in the last step. */
static struct bytes value_at(const struct fixture *fixture, size_t nth)
{
    for (size_t i = 0; i < fixture->effects.count; i++) {
        const struct agent_effect *effect = &fixture->effects.items[i];
        if (effect->kind == AGENT_COMMAND && nth-- == 0) {
            return shared_reply_get(effect->command->reply)->value;
        }
    }
    fail_msg("fewer replies went to shards");
    return bytes_of(NULL, 0);
}

static void reply_values(struct fixture *fixture, const struct bytes *values, size_t count)
{
    struct reply items[4];
    assert_true(count <= 4);
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct reply){
            .kind = OPERATION_GET, .name = bytes_of_string("x"), .call = 3, .value = values[i]};
        give_workers(&items[i].workers, 2 * (uint32_t)i, 1, 1);
    }
    struct message message = {.kind = MESSAGE_REPLIES, .campaign = CAMPAIGN};
    message.replies.items = items;
    message.replies.count = count;
    struct envelope envelope = {.incarnation = INCARNATION, .epoch = EPOCH, .sequence = 0};
    struct shared *frame_message = NULL;
    struct buffer encoded;
    buffer_init(&encoded, LIMIT_FRAME_BYTES);
    message_encode(&message, &encoded);
    link_send(fixture->coordinator, &encoded);
    pass(fixture, 1);
    assert_true(
        link_next_frame(fixture->coordinator, fixture->now_ns + OFFSET_NS, &envelope, &frame_message));
    raw_frame(fixture, &envelope, shared_bytes(frame_message));
    for (size_t i = 0; i < count; i++) {
        assert_true(bytes_equal(value_at(fixture, i), values[i]));
        worker_set_finish(&items[i].workers);
    }
    ignore(fixture);
}

static void large_value_of_many_replies_is_in_memory_once(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 10);
    static const char TEXT[REPLY_SHARED_BYTES] = "some text";
    struct buffer values[3];
    for (size_t i = 0; i < 3; i++) { /* a letter, the length, the text */
        buffer_init(&values[i], 1000);
        value_append_string(&values[i], bytes_of(TEXT, REPLY_SHARED_BYTES - 5 - (i == 2)));
    }
    struct bytes large = buffer_bytes(&values[0]);
    struct bytes small = buffer_bytes(&values[2]);
    assert_int_equal(large.size, REPLY_SHARED_BYTES);
    reply_values(fixture, (struct bytes[]){large, large, buffer_bytes(&values[1]), large}, 4);
    assert_ptr_equal(value_at(fixture, 0).data, value_at(fixture, 1).data);
    assert_ptr_not_equal(value_at(fixture, 1).data, value_at(fixture, 2).data);
    reply_values(fixture, (struct bytes[]){small, small}, 2);
    assert_ptr_not_equal(value_at(fixture, 0).data, value_at(fixture, 1).data);
    for (size_t i = 0; i < 3; i++) {
        buffer_finish(&values[i]);
    }
}

static void pace_goes_to_every_shard_with_the_steps_of_its_rooms(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 4, 4);
    struct room_step rooms[] = {{.room = 0, .step = 7}};
    struct message message = {.kind = MESSAGE_PACE, .campaign = CAMPAIGN};
    message.pace = (struct pace){.is_paused = true,
                                 .paused_at_ns = 5 * MS,
                                 .shift_ns = 3 * MS,
                                 .has_rate = true,
                                 .rate_at_ns = 1,
                                 .rate_per_s = 2.5,
                                 .rooms = rooms,
                                 .room_count = 1};
    say(fixture, &message);
    expect(fixture, "0:pace(0@7 paused after 3 ms, 2.5/s) 1:pace(0@7 paused after 3 ms, 2.5/s)");
}

static void what_only_agents_say_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 4, 1);
    say_kind(fixture, MESSAGE_FINISHED);
    expect(fixture, "log(dropped what the coordinator sent: a message that is not for agents (1 so far))");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(script_that_fails_without_words_is_explained),
        CASE(what_was_stopped_before_it_failed_to_load_has_finished),
        CASE(instants_are_not_told_before_the_clock_is_known),
        CASE(instants_are_told_with_how_far_they_may_be_off),
        CASE(each_shard_drains_once_and_only_if_it_was_asked_to),
        CASE(room_steps_beyond_a_message_go_in_the_next),
        CASE(nobody_runs_on_a_shard_that_has_finished),
        CASE(large_value_of_many_replies_is_in_memory_once),
        CASE(pace_goes_to_every_shard_with_the_steps_of_its_rooms),
        CASE(what_only_agents_say_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
