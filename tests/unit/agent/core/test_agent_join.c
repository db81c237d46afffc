/* How an agent is welcomed and stays so. */
#include "proto/message/limits.h"
#include "tests/unit/agent/core/test_agent_support.h"

#include <string.h>

static void says_hello_until_it_is_answered(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    assert_int_equal(agent_due_ns(fixture->agent), START_NS);
    tick(fixture);
    expect(fixture, "hello");
    assert_false(agent_is_joined(fixture->agent));
    tick(fixture); /* not due yet */
    expect(fixture, "");
    pass(fixture, 700);
    expect(fixture, "hello hello hello"); /* waits of 100, 200, 400 ms, part of each random */
    welcome(fixture);
    assert_true(agent_is_joined(fixture->agent));
    pass(fixture, 1500);
    expect(fixture, "");
}

static void hello_becomes_rarer_but_never_ends(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    pass(fixture, 60000);
    size_t before = fixture->frames;
    pass(fixture, 100000);
    size_t hellos = fixture->frames - before;
    assert_true(hellos >= 50 && hellos <= 102);
}

static void reconnects_while_nobody_answers(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    fixture->is_cut = true;
    pass(fixture, 4999);
    expect(fixture, "");
    pass(fixture, 1);
    expect(fixture, "reconnect");
}

static void welcome_of_another_life_is_not_ours(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    tick(fixture);
    fixture->incarnation = INCARNATION + 1;
    welcome(fixture);
    assert_false(agent_is_joined(fixture->agent));
}

static void joins_by_a_welcome_only(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    struct envelope envelope = {.incarnation = INCARNATION, .epoch = EPOCH, .sequence = 1};
    struct message welcome = {
        .kind = MESSAGE_WELCOME,
        .welcome = {.version = PROTOCOL_VERSION, .epoch = EPOCH, .lease_ms = 1, .heartbeat_ms = 1}};
    frame(fixture, &envelope, &welcome); /* before any hello */
    tick(fixture);
    struct message drain = {.kind = MESSAGE_DRAIN, .campaign = CAMPAIGN};
    frame(fixture, &envelope, &drain);
    envelope.sequence = 2;
    frame(fixture, &envelope, &welcome);
    assert_false(agent_is_joined(fixture->agent));
    expect(fixture,
           "hello log(dropped what the coordinator sent: the first message is no welcome (1 so far))");
}

static void gives_up_where_the_versions_differ(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    tick(fixture);
    refuse(fixture, "speaks version 2 only", true);
    expect(fixture, "hello refused(speaks version 2 only)");
    assert_true(agent_due_ns(fixture->agent) == UINT64_MAX);
    turn_end(fixture);
    refuse(fixture, "again", true);
    expect(fixture, "");
}

static void gives_up_where_it_is_welcomed_in_another_version(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    tick(fixture);
    struct envelope envelope = {.incarnation = INCARNATION, .epoch = EPOCH, .sequence = 1};
    struct message welcome = {.kind = MESSAGE_WELCOME,
                              .welcome = {.version = PROTOCOL_VERSION + 1,
                                          .epoch = EPOCH,
                                          .lease_ms = LEASE_MS,
                                          .heartbeat_ms = HEARTBEAT_MS}};
    frame(fixture, &envelope, &welcome);
    expect(fixture,
           "hello refused(the coordinator speaks another version of the protocol: 3, and this agent 2: "
           "upgrade the agent)");
    assert_false(agent_is_joined(fixture->agent));
    assert_true(agent_due_ns(fixture->agent) == UINT64_MAX);
}

static void lease_counts_from_the_hello_that_was_answered(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    tick(fixture);
    fixture->now_ns += 3000 * MS; /* the welcome is delayed */
    welcome(fixture);
    assert_int_equal(fixture->lease_until_ns, START_NS + LEASE_MS * MS);
}

static void lease_moves_with_the_heartbeats(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    size_t before = fixture->leases;
    for (int i = 0; i < 20; i++) {
        pass(fixture, HEARTBEAT_MS);
        pump(fixture);
        assert_true(fixture->lease_until_ns >= fixture->now_ns + (LEASE_MS - 1500) * MS);
    }
    assert_true(fixture->leases - before <= 21);
    uint64_t until_ns = fixture->lease_until_ns;
    pass(fixture, 30000); /* silence: nothing moves it */
    assert_int_equal(fixture->lease_until_ns, until_ns);
    pump(fixture); /* and it is back */
    pass(fixture, HEARTBEAT_MS);
    pump(fixture);
    assert_true(fixture->lease_until_ns > fixture->now_ns);
    assert_true(fixture->lease_until_ns <= fixture->now_ns + LEASE_MS * MS);
}

static void frequent_frames_do_not_make_frequent_leases(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    deploy(fixture, 4, 0, 1, 4);
    size_t before = fixture->leases;
    for (int i = 0; i < 1000; i++) {
        fixture->now_ns += MS;
        say_kind(fixture, MESSAGE_BEGIN);
        turn_end(fixture);
    }
    assert_true(fixture->leases - before <= 3);
}

static void makes_a_new_connection_when_the_coordinator_is_silent(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    pass(fixture, 1900);
    expect(fixture, "");
    pass(fixture, 200);
    expect(fixture, "reconnect");
    pass(fixture, 60000);
    expect(fixture, "reconnect reconnect reconnect reconnect reconnect"); /* less and less often */
    pump(fixture);
    pass(fixture, 1900);
    expect(fixture, "");
    assert_true(agent_is_joined(fixture->agent));
}

static void what_was_lost_goes_again_over_the_new_connection(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 4, 1);
    fixture->is_cut = true;
    deployed(fixture, 0, NULL);
    turn_end(fixture);
    pass(fixture, 1900); /* the link's own next attempt would be at 3,750 */
    fixture->is_cut = false;
    pass(fixture, 101);
    expect(fixture, "reconnect deployed(ok)");
}

static void begins_a_new_life_when_it_was_declared_lost(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    deploy(fixture, 4, 0, 1, 4);
    deployed(fixture, 0, NULL);
    deployed(fixture, 1, NULL);
    ignore(fixture);
    refuse(fixture, "you were declared lost", false);
    expect(fixture,
           "log(the coordinator says: you were declared lost; joining again) 0:forget() 1:forget() pause");
    assert_false(agent_is_joined(fixture->agent));
    deployed(fixture, 0, NULL); /* of the old life */
    pass(fixture, 100);
    expect(fixture, "hello");
    assert_int_not_equal(fixture->incarnation, INCARNATION);
    welcome(fixture);
    assert_true(agent_is_joined(fixture->agent));
    assert_true(fixture->lease_until_ns > fixture->now_ns);
    deploy(fixture, 4, 0, 1, 1); /* the same campaign again is a new one */
    expect(fixture, "0:deploy(0)");
}

static void late_refusal_of_a_hello_is_nothing_to_a_joined_agent(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    tick(fixture);
    uint64_t hello_ns = fixture->now_ns;
    pass(fixture, 100);
    welcome(fixture);
    ignore(fixture);
    struct envelope envelope = {.incarnation = INCARNATION, .epoch = EPOCH, .echoed_sent_ns = hello_ns};
    struct message refused = {.kind = MESSAGE_REFUSED, .refused = {.text = bytes_of_string("not yet")}};
    frame(fixture, &envelope, &refused);
    refused.refused.is_final = true;
    frame(fixture, &envelope, &refused);
    assert_true(agent_is_joined(fixture->agent));
    expect(fixture, "");
}

static void refused_hello_is_tried_again_in_a_new_life(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    tick(fixture);
    refuse(fixture, "a1 is in use", false);
    expect(fixture, "hello log(the coordinator says: a1 is in use; joining again)");
    refuse(fixture, "a1 is in use", false); /* repeated in transit */
    expect(fixture, "");
    pass(fixture, 300);
    expect(fixture, "hello");
    assert_int_not_equal(fixture->incarnation, INCARNATION);
}

static void foreign_frames_change_nothing(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 4, 1);
    struct message drain = {.kind = MESSAGE_DRAIN, .campaign = CAMPAIGN};
    struct envelope envelope = {.incarnation = INCARNATION, .epoch = EPOCH + 1, .sequence = 3};
    frame(fixture, &envelope, &drain);
    envelope.epoch = EPOCH;
    envelope.incarnation = 1;
    frame(fixture, &envelope, &drain);
    expect(fixture, "");
    pass(fixture, 1500);
    envelope.incarnation = INCARNATION;
    envelope.epoch = EPOCH + 1;
    frame(fixture, &envelope, &drain); /* is not a sign of life of our coordinator */
    pass(fixture, 500);
    expect(fixture, "reconnect");
}

static void malformed_messages_are_dropped_and_told_of_once_a_second(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    for (uint64_t i = 0; i < 3; i++) {
        struct buffer garbage;
        buffer_init(&garbage, 10);
        buffer_append_string(&garbage, "\xff\xff");
        link_send(fixture->coordinator, &garbage);
        pump(fixture);
    }
    assert_non_null(strstr(buffer_string(&fixture->transcript), "(1 so far)"));
    assert_null(strstr(buffer_string(&fixture->transcript), "(2 so far)"));
    ignore(fixture);
    fixture->now_ns += 1000 * MS;
    say_kind(fixture, MESSAGE_DRAIN);
    expect(fixture,
           "log(dropped what the coordinator sent: a message of a campaign that is not here (4 so far))");
}

static void learns_the_coordinators_clock(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    uint64_t uncertainty_ns = 0;
    (void)agent_clock_offset_ns(fixture->agent, &uncertainty_ns);
    assert_true(uncertainty_ns == UINT64_MAX);
    agent_free(&fixture->agent);
    start_joined(fixture);
    assert_int_equal(agent_clock_offset_ns(fixture->agent, &uncertainty_ns), OFFSET_NS);
    assert_true(uncertainty_ns < MS);
}

static void says_goodbye_behind_what_its_workers_did(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 4, 2);
    operate(fixture, 0, 0, (struct operation){.kind = OPERATION_ENDED});
    leave(fixture);
    turn_end(fixture);
    expect(fixture, "0:forget() 1:forget() pause operations(ended 0) goodbye()");
    say_kind(fixture, MESSAGE_DRAIN); /* was in transit, and is no reason to complain */
    expect(fixture, "");
    refuse(fixture, "goodbye", false);
    expect(fixture, "left");
}

static void leaves_without_an_answer_after_a_second(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    leave(fixture);
    turn_end(fixture);
    expect(fixture, "pause goodbye()");
    pass(fixture, 900);
    expect(fixture, "");
    pass(fixture, 200);
    expect(fixture, "left");
}

static void leaves_at_once_where_nobody_knows_it(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    tick(fixture);
    leave(fixture);
    expect(fixture, "hello left");
}

static void says_that_the_holder_of_its_name_is_gone(void **state)
{
    struct fixture *fixture = *state;
    struct envelope envelope;
    start(fixture);
    tick(fixture);
    envelope = (struct envelope){.incarnation = fixture->incarnation, .epoch = EPOCH};
    struct message message = {.kind = MESSAGE_REFUSED,
                              .refused = {.text = bytes_of_string("in use"), .holder_pid = 4711}};
    frame(fixture, &envelope, &message);
    expect(fixture, "hello log(the coordinator says: in use; joining again) look(4711)");
    holder_is_gone(fixture);
    pass(fixture, 200);
    expect(fixture, "hello-after(4711)");
    welcome(fixture);
    assert_true(agent_is_joined(fixture->agent));
}

static void asks_before_it_leaves_its_campaigns(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 4, 2);
    ask_to_leave(fixture);
    turn_end(fixture);
    expect(fixture, "leaving()");
    say(fixture, &(struct message){.kind = MESSAGE_LEAVE});
    expect(fixture, "may-leave");
    leave(fixture);
    turn_end(fixture);
    expect(fixture, "0:forget() 1:forget() pause goodbye()");
}

static void may_leave_when_its_campaigns_are_over(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 4, 2);
    ask_to_leave(fixture);
    turn_end(fixture);
    expect(fixture, "leaving()");
    say_kind(fixture, MESSAGE_STOP);
    expect(fixture, "0:stop() 1:stop()");
    say_kind(fixture, MESSAGE_FORGET);
    expect(fixture, "0:forget() 1:forget() may-leave");
    say(fixture, &(struct message){.kind = MESSAGE_LEAVE}); /* an answer that comes after all */
    expect(fixture, "");
}

static void needs_to_ask_nobody_without_a_campaign(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    ask_to_leave(fixture);
    expect(fixture, "may-leave");
}

static void does_not_wait_for_a_coordinator_that_is_silent(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 4, 2);
    ask_to_leave(fixture);
    turn_end(fixture);
    expect(fixture, "leaving()");
    pass(fixture, 2100);
    assert_non_null(strstr(buffer_string(&fixture->transcript), "reconnect may-leave"));
    ignore(fixture);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(says_hello_until_it_is_answered),
        CASE(hello_becomes_rarer_but_never_ends),
        CASE(reconnects_while_nobody_answers),
        CASE(welcome_of_another_life_is_not_ours),
        CASE(joins_by_a_welcome_only),
        CASE(gives_up_where_the_versions_differ),
        CASE(gives_up_where_it_is_welcomed_in_another_version),
        CASE(lease_counts_from_the_hello_that_was_answered),
        CASE(lease_moves_with_the_heartbeats),
        CASE(frequent_frames_do_not_make_frequent_leases),
        CASE(makes_a_new_connection_when_the_coordinator_is_silent),
        CASE(what_was_lost_goes_again_over_the_new_connection),
        CASE(begins_a_new_life_when_it_was_declared_lost),
        CASE(late_refusal_of_a_hello_is_nothing_to_a_joined_agent),
        CASE(refused_hello_is_tried_again_in_a_new_life),
        CASE(foreign_frames_change_nothing),
        CASE(malformed_messages_are_dropped_and_told_of_once_a_second),
        CASE(learns_the_coordinators_clock),
        CASE(says_goodbye_behind_what_its_workers_did),
        CASE(leaves_without_an_answer_after_a_second),
        CASE(leaves_at_once_where_nobody_knows_it),
        CASE(says_that_the_holder_of_its_name_is_gone),
        CASE(asks_before_it_leaves_its_campaigns),
        CASE(may_leave_when_its_campaigns_are_over),
        CASE(needs_to_ask_nobody_without_a_campaign),
        CASE(does_not_wait_for_a_coordinator_that_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
