/* A campaign as an agent passes it between the coordinator and its two shards. */
#include "tests/unit/agent/core/test_agent_support.h"
#include "tests/unit/agent/core/test_agent_transcript.h"

#include "common/memory.h"
#include "proto/message/limits.h"

#include <string.h>

static void deploys_to_all_shards_and_answers_once(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    deploy(fixture, 10, 1, 2, 5);
    expect(fixture, "0:deploy(1 5 9) 1:deploy(3 7)");
    deployed(fixture, 1, NULL);
    turn_end(fixture);
    expect(fixture, "");
    deployed(fixture, 0, NULL);
    turn_end(fixture);
    expect(fixture, "deployed(ok)");
    deployed(fixture, 0, NULL);
    deployed(fixture, 1, "too late");
    turn_end(fixture);
    expect(fixture, "");
}

static void puts_together_where_the_coordinators_target_is(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    fixture->target_port = 9090;
    deploy(fixture, 10, 1, 2, 5);
    expect(fixture, "0:deploy(1 5 9 at http://10.0.0.1:9090) 1:deploy(3 7 at http://10.0.0.1:9090)");
}

static void tells_why_the_script_cannot_be_loaded(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 4);
    deployed(fixture, 1, "pad.lua:3: no scenario");
    deployed(fixture, 0, "something else");
    turn_end(fixture);
    expect(fixture, "deployed(not ok pad.lua:3: no scenario)");
    say_kind(fixture, MESSAGE_STOP);
    turn_end(fixture);
    expect(fixture, "0:stop() 1:stop() finished(4)"); /* there are no runners that could end */
}

static void shard_without_workers_has_no_runner_but_for_the_first(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    deploy(fixture, 10, 4, 1, 0);
    expect(fixture, "0:deploy()");
    deployed(fixture, 0, NULL);
    struct message message = {.kind = MESSAGE_GLOBAL, .campaign = CAMPAIGN, .global = {GLOBAL_TEARDOWN}};
    say(fixture, &message);
    say_kind(fixture, MESSAGE_BEGIN);
    expect(fixture, "0:global(teardown) 0:begin(0 ms)");
    finish_shard(fixture, 0, 0);
    turn_end(fixture);
    expect(fixture, "deployed(ok) finished(0)");
}

static void passes_on_how_a_global_fixture_ended(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 2);
    struct notice *notice = notice_new(NOTICE_GLOBAL_DONE, CAMPAIGN);
    notice->phase = GLOBAL_SETUP;
    notice->text = memory_copy_string("no database");
    notify(fixture, 0, notice);
    turn_end(fixture);
    expect(fixture, "global_done(not ok no database)");
}

static void refuses_workers_that_the_campaign_has_not(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    deploy(fixture, 4, 2, 1, 3);
    deploy(fixture, 4, 2, 1, 2);
    deploy(fixture, 4, 0, 1, 2);
    expect(fixture,
           "log(dropped what the coordinator sent: a campaign that is here already, or workers that it "
           "has not (1 so far)) 0:deploy(2) 1:deploy(3)");
}

static void begins_by_its_own_clock(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 4, 2); /* one heartbeat later */
    struct message message = {.kind = MESSAGE_BEGIN, .campaign = CAMPAIGN};
    message.begin.at_ns = (int64_t)(START_NS + OFFSET_NS + 1100 * MS);
    say(fixture, &message);
    expect(fixture, "0:begin(1100 ms) 1:begin(1100 ms)");
}

static void splits_replies_over_the_shards(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 6); /* even ones on shard 0 */
    struct reply items[2] = {
        {.kind = OPERATION_WAIT_WRITER,
         .name = bytes_of_string("pad"),
         .step = 1,
         .value = bytes_of_string("t")},
        {.kind = OPERATION_GET, .name = bytes_of_string("price"), .call = 3, .value = bytes_of_string("t")}};
    give_workers(&items[0].workers, 0, 1, 10); /* 6 to 9 are not ours */
    give_workers(&items[1].workers, 3, 1, 1);
    struct message message = {.kind = MESSAGE_REPLIES, .campaign = CAMPAIGN};
    message.replies.items = items;
    message.replies.count = 2;
    say(fixture, &message);
    expect(fixture,
           "0:reply(wait_for_writer ok 0 2 4) 1:reply(wait_for_writer ok 1 3 5) 1:reply(get_var ok 3)");
    worker_set_finish(&items[0].workers);
    worker_set_finish(&items[1].workers);
}

static void barrier_replies_keep_ranks_and_instant(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 4);
    struct reply reply = {.kind = OPERATION_BARRIER, .name = bytes_of_string("line"), .step = 1, .rank = 3};
    reply.at_ns = (int64_t)(START_NS + OFFSET_NS + 1200 * MS);
    static const uint32_t ORDER[] = {2, 1, 9, 0, 3}; /* 9 is not ours: no rank is shifted */
    for (size_t i = 0; i < 5; i++) {
        worker_set_add(&reply.workers, ORDER[i]);
    }
    struct message message = {.kind = MESSAGE_REPLIES, .campaign = CAMPAIGN};
    message.replies.items = &reply;
    message.replies.count = 1;
    say(fixture, &message);
    expect(fixture, "0:reply(barrier ok 2 0 #3,6 at 1200 ms) 1:reply(barrier ok 1 3 #4,7 at 1200 ms)");
    worker_set_finish(&reply.workers);
}

static void tells_every_runner_what_concerns_the_campaign(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 2);
    struct message rooms = {.kind = MESSAGE_SYNCHRONISE, .campaign = CAMPAIGN};
    give_workers(&rooms.rooms, 0, 3, 2);
    say(fixture, &rooms);
    rooms.kind = MESSAGE_ROOMS_DONE;
    say(fixture, &rooms);
    worker_set_finish(&rooms.rooms);
    expect(fixture, "0:synchronise(0 3) 1:synchronise(0 3) 0:rooms_done(0 3) 1:rooms_done(0 3)");
    struct room_step step = {.room = 3, .step = 8};
    struct message until = {.kind = MESSAGE_RUN_UNTIL, .campaign = CAMPAIGN};
    until.room_steps.items = &step;
    until.room_steps.count = 1;
    say(fixture, &until);
    struct message stop = {.kind = MESSAGE_STOP, .campaign = CAMPAIGN};
    stop.stop.text = bytes_of_string("interrupted");
    say(fixture, &stop);
    say_kind(fixture, MESSAGE_FORGET);
    expect(fixture, "0:run_until(3@8) 1:run_until(3@8) 0:stop(interrupted) 1:stop(interrupted) 0:forget() "
                    "1:forget()");
    say_kind(fixture, MESSAGE_STOP);
    expect(fixture,
           "log(dropped what the coordinator sent: a message of a campaign that is not here (1 so far))");
}

static void drained(struct fixture *fixture, uint32_t shard, struct room_step first, struct room_step second)
{
    struct notice *notice = notice_new(NOTICE_DRAINED, CAMPAIGN);
    notice->room_steps = memory_new(2, sizeof *notice->room_steps);
    notice->room_steps[0] = first;
    notice->room_steps[1] = second;
    notice->room_step_count = 2;
    notify(fixture, shard, notice);
}

static void tells_the_furthest_steps_of_all_shards_behind_what_came_before(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    deploy(fixture, 10, 0, 1, 4);
    say_kind(fixture, MESSAGE_DRAIN);
    expect(fixture, "0:deploy(0 2) 1:deploy(1 3) 0:drain() 1:drain()");
    operate(fixture, 1, 1, (struct operation){.kind = OPERATION_PAST, .step = 4});
    drained(fixture, 1, (struct room_step){7, 9}, (struct room_step){2, 4});
    turn_end(fixture);
    expect(fixture, "operations(past 1)");
    operate(fixture, 0, 2, (struct operation){.kind = OPERATION_ENDED});
    drained(fixture, 0, (struct room_step){2, 8}, (struct room_step){7, 5});
    turn_end(fixture);
    expect(fixture, "operations(ended 2) drained(2@8 7@9)");
}

static void many_room_steps_are_many_messages(void **state)
{
    struct fixture *fixture = *state;
    fixture->settings.shards = 1;
    start_joined(fixture);
    deploy(fixture, 100000, 0, 1, 1);
    say_kind(fixture, MESSAGE_DRAIN);
    struct notice *notice = notice_new(NOTICE_DRAINED, CAMPAIGN);
    notice->room_step_count = LIMIT_BATCH_ITEMS;
    notice->room_steps = memory_new(notice->room_step_count, sizeof *notice->room_steps);
    for (uint32_t i = 0; i < LIMIT_BATCH_ITEMS; i++) {
        notice->room_steps[i] = (struct room_step){.room = i, .step = 1};
    }
    notify(fixture, 0, notice);
    size_t before = fixture->messages;
    turn_end(fixture);
    assert_int_equal(fixture->messages - before, 2); /* a full one, and one that says that it was the last */
    assert_non_null(strstr(buffer_string(&fixture->transcript), "65535@1) drained()"));
    ignore(fixture);
}

static struct notice *statistics_of(uint64_t ok, uint32_t running)
{
    struct notice *notice = notice_new(NOTICE_STATISTICS, CAMPAIGN);
    notice->statistics = MEMORY_NEW(struct statistics);
    notice->statistics->step_us = histogram_new();
    notice->statistics->steps_ok = ok;
    notice->statistics->workers_running = running;
    return notice;
}

static void statistics_tell_the_running_workers_of_all_shards(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 4);
    notify(fixture, 0, statistics_of(10, 2));
    notify(fixture, 1, statistics_of(5, 1));
    notify(fixture, 0, statistics_of(3, 0));
    turn_end(fixture);
    expect(fixture, "statistics(10 ok, 2 running) statistics(5 ok, 3 running) statistics(3 ok, 1 running)");
}

static void failure_goes_at_once(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 4);
    struct notice *notice = notice_new(NOTICE_FAILURE, CAMPAIGN);
    notice->text = memory_copy_string("no page");
    notice->failure = (struct failure){.worker = 3, .step = 2, .text = bytes_of_string(notice->text)};
    notify(fixture, 1, notice);
    turn_end(fixture);
    expect(fixture, "failure(3@2 no page)");
}

/* start_deployed, and both shards have loaded the script. */
static void start_loaded(struct fixture *fixture, uint32_t workers, uint32_t count)
{
    start_deployed(fixture, workers, count);
    deployed(fixture, 0, NULL);
    deployed(fixture, 1, NULL);
    turn_end(fixture);
    ignore(fixture);
}

static void finishes_when_all_shards_have(void **state)
{
    struct fixture *fixture = *state;
    start_loaded(fixture, 10, 3);
    operate(fixture, 0, 0, (struct operation){.kind = OPERATION_ENDED});
    finish_shard(fixture, 0, 2);
    turn_end(fixture);
    expect(fixture, "operations(ended 0)");
    operate(fixture, 1, 1, (struct operation){.kind = OPERATION_ENDED});
    notify(fixture, 1, statistics_of(5, 0));
    finish_shard(fixture, 1, 1);
    turn_end(fixture);
    expect(fixture, "statistics(5 ok, 0 running) operations(ended 1) finished(3)");
    say_kind(fixture, MESSAGE_STOP);
    turn_end(fixture);
    expect(fixture, "0:stop() 1:stop()");
}

static void assign_worker(struct fixture *fixture, uint32_t worker)
{
    struct assignment item = {.first_step = 4};
    worker_set_add(&item.workers, worker);
    struct message message = {.kind = MESSAGE_ASSIGN, .campaign = CAMPAIGN};
    message.assign.items = &item;
    message.assign.count = 1;
    say(fixture, &message);
    worker_set_finish(&item.workers);
}

static void assigned_workers_are_dealt_in_turn_and_finish_again(void **state)
{
    struct fixture *fixture = *state;
    start_loaded(fixture, 10, 3);
    assign_worker(fixture, 7);
    assign_worker(fixture, 8);
    expect(fixture, "1:assign(7 from 4) 0:assign(8 from 4)");
    finish_shard(fixture, 1, 1); /* sent before it heard of 7 */
    finish_shard(fixture, 0, 3);
    turn_end(fixture);
    expect(fixture, "");
    finish_shard(fixture, 1, 2);
    turn_end(fixture);
    expect(fixture, "finished(5)");
    assign_worker(fixture, 9);
    say_kind(fixture, MESSAGE_STOP);
    turn_end(fixture);
    expect(fixture, "1:assign(9 from 4) 0:stop() 1:stop()");
    finish_shard(fixture, 1, 3);
    turn_end(fixture);
    expect(fixture, "finished(6)");
}

static void assigned_workers_go_where_a_runner_is(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 1);
    assign_worker(fixture, 7);
    assign_worker(fixture, 8);
    assign_worker(fixture, 10);
    expect(fixture,
           "0:assign(7 from 4) 0:assign(8 from 4) log(dropped what the coordinator sent: workers that "
           "the campaign has not (1 so far))");
}

static void three_shards_are_dealt_to_in_turn_and_passed_over_without_a_runner(void **state)
{
    struct fixture *fixture = *state;
    fixture->settings.shards = 3;
    start_joined(fixture);
    deploy(fixture, 10, 0, 1, 7);
    say_kind(fixture, MESSAGE_FORGET);
    expect(fixture, "0:deploy(0 3 6) 1:deploy(1 4) 2:deploy(2 5) 0:forget() 1:forget() 2:forget()");
    deploy(fixture, 10, 0, 1, 2);
    ignore(fixture);
    assign_worker(fixture, 7);
    assign_worker(fixture, 8);
    assign_worker(fixture, 9);
    expect(fixture, "0:assign(7 from 4) 1:assign(8 from 4) 0:assign(9 from 4)");
}

/* A complete one comes from a shard. */
static void leave_behind(struct fixture *fixture, uint32_t worker, size_t size)
{
    struct notice *notice = notice_new(NOTICE_ARTIFACT, CAMPAIGN);
    uint8_t *content = memory_new(size, 1);
    for (size_t i = 0; i < size; i++) {
        content[i] = artifact_byte(i);
    }
    notice->content = text_take(content, size);
    notice->artifact = (struct artifact_piece){
        .kind = ARTIFACT_SOURCE, .worker = worker, .step = 2, .content = notice->content.bytes};
    notify(fixture, 0, notice);
}

static void what_failed_steps_leave_goes_in_pieces(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 10, 4);
    leave_behind(fixture, 3, LIMIT_CHUNK_BYTES + 10);
    turn_end(fixture);
    expect(fixture, "artifact(3@2 0+262144 of 262154) artifact(3@2 262144+10 of 262154)");
    leave_behind(fixture, 1, LIMIT_CHUNK_BYTES);
    turn_end(fixture);
    expect(fixture, "artifact(1@2 0+262144 of 262144)");
    for (unsigned i = 2; i < LIMIT_ARTIFACTS; i++) {
        leave_behind(fixture, 1, 1);
    }
    turn_end(fixture);
    ignore(fixture);
    leave_behind(fixture, 1, 1);
    turn_end(fixture);
    expect(fixture, "");
}

static void notices_of_a_forgotten_campaign_are_nothing(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    deploy(fixture, 10, 0, 1, 2);
    say_kind(fixture, MESSAGE_FORGET);
    ignore(fixture);
    operate(fixture, 0, 0, (struct operation){.kind = OPERATION_ENDED});
    finish_shard(fixture, 0, 1);
    turn_end(fixture);
    expect(fixture, "");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(deploys_to_all_shards_and_answers_once),
        CASE(puts_together_where_the_coordinators_target_is),
        CASE(tells_why_the_script_cannot_be_loaded),
        CASE(shard_without_workers_has_no_runner_but_for_the_first),
        CASE(passes_on_how_a_global_fixture_ended),
        CASE(refuses_workers_that_the_campaign_has_not),
        CASE(begins_by_its_own_clock),
        CASE(splits_replies_over_the_shards),
        CASE(barrier_replies_keep_ranks_and_instant),
        CASE(tells_every_runner_what_concerns_the_campaign),
        CASE(tells_the_furthest_steps_of_all_shards_behind_what_came_before),
        CASE(many_room_steps_are_many_messages),
        CASE(statistics_tell_the_running_workers_of_all_shards),
        CASE(failure_goes_at_once),
        CASE(finishes_when_all_shards_have),
        CASE(assigned_workers_are_dealt_in_turn_and_finish_again),
        CASE(assigned_workers_go_where_a_runner_is),
        CASE(three_shards_are_dealt_to_in_turn_and_passed_over_without_a_runner),
        CASE(what_failed_steps_leave_goes_in_pieces),
        CASE(notices_of_a_forgotten_campaign_are_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
