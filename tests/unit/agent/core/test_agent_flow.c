/* How operations of workers leave the agent: many in one message, held back while the link is full, and
 * workers paused before memory grows. */
#include "tests/unit/agent/core/test_agent_support.h"

#include <string.h>

static struct operation reading(uint64_t step)
{
    return (struct operation){.kind = OPERATION_READ, .name = bytes_of_string("pad"), .step = step};
}

static void start_with_workers(struct fixture *fixture, uint32_t workers)
{
    start_joined(fixture);
    deploy(fixture, workers, 0, 1, workers);
    ignore(fixture);
}

static void thousand_readings_of_a_turn_are_one_message(void **state)
{
    struct fixture *fixture = *state;
    start_with_workers(fixture, 1000);
    for (uint32_t worker = 0; worker < 1000; worker++) {
        operate(fixture, worker % 2, worker, reading(1));
    }
    expect(fixture, "");
    turn_end(fixture);
    expect(fixture, "operations(one_read 1000 workers)");
    turn_end(fixture);
    expect(fixture, "");
}

static void releases_are_told_by_the_coordinators_clock(void **state)
{
    struct fixture *fixture = *state;
    start_with_workers(fixture, 2);
    struct operation operation = {.kind = OPERATION_RELEASED, .name = bytes_of_string("line"), .step = 1};
    operation.first_ns = (int64_t)(2000 * MS);
    operation.last_ns = (int64_t)(2000 * MS);
    operate(fixture, 0, 0, operation);
    operation.first_ns = (int64_t)(2003 * MS);
    operation.last_ns = (int64_t)(2003 * MS);
    operate(fixture, 1, 1, operation);
    turn_end(fixture);
    expect(fixture, "operations(released 0 1 42000–42003 ms)");
}

static void sightings_are_told_by_the_coordinators_clock(void **state)
{
    struct fixture *fixture = *state;
    start_with_workers(fixture, 3);
    struct operation writing = {.kind = OPERATION_WRITING, .name = bytes_of_string("pad"), .step = 1};
    writing.first_ns = writing.last_ns = (int64_t)(2000 * MS);
    operate(fixture, 0, 2, writing);
    struct operation read = reading(1);
    read.first_ns = read.last_ns = (int64_t)(2007 * MS);
    operate(fixture, 0, 0, read);
    read.first_ns = read.last_ns = (int64_t)(2003 * MS);
    operate(fixture, 1, 1, read);
    turn_end(fixture);
    expect(fixture,
           "operations(writing 2 42000–42000 ms ± 1 µs, one_read 0 1 42003–0 ms ± 1 µs after 4000 0 µs)");
}

/* One turn after the other while the coordinator acknowledges nothing. */
static void fill_link(struct fixture *fixture)
{
    fixture->is_cut = true;
    for (uint64_t step = 1; step <= 300; step++) {
        operate(fixture, 0, 0, reading(step));
        turn_end(fixture);
    }
    fixture->is_cut = false;
}

static void goes_on_gathering_while_the_link_is_full(void **state)
{
    struct fixture *fixture = *state;
    start_with_workers(fixture, 2);
    fill_link(fixture);
    size_t before = fixture->messages;
    while (fixture->messages - before < 257) {
        pass(fixture, 500);
        pump(fixture);
        turn_end(fixture);
    }
    pass(fixture, 5000);
    pump(fixture);
    turn_end(fixture);
    /* 256 filled the link; the 44 turns that followed were merged into one. */
    assert_int_equal(fixture->messages - before, 257);
}

static void last_message_does_not_wait_for_the_link(void **state)
{
    struct fixture *fixture = *state;
    start_with_workers(fixture, 1);
    deployed(fixture, 0, NULL);
    fill_link(fixture);
    finish_shard(fixture, 0, 1);
    ignore(fixture);
    for (int i = 0; i < 30; i++) {
        pass(fixture, 500);
        pump(fixture);
        turn_end(fixture);
    }
    assert_non_null(strstr(buffer_string(&fixture->transcript), "one_read 0, one_read 0) finished(1)"));
}

static void gather_until_paused(struct fixture *fixture)
{
    fill_link(fixture);
    fixture->is_cut = true;
    ignore(fixture);
    uint64_t step = 1000;
    while (fixture->lease_until_ns != 0) {
        operate(fixture, 0, 0, reading(step++));
        assert_true(step < 300000);
    }
    /* 256 of the 300 before are in the link; the next after 200,000 is too many. */
    assert_int_equal(300 - 256 + step - 1000, 200001);
    expect(fixture, "pause");
}

static void pauses_the_workers_when_too_much_has_gathered(void **state)
{
    struct fixture *fixture = *state;
    start_with_workers(fixture, 2);
    gather_until_paused(fixture);
    turn_end(fixture);
    assert_int_equal(fixture->lease_until_ns, 0); /* nothing went, so nothing changes */
    expect(fixture, "");
    fixture->is_cut = false;
    for (int i = 0; i < 50 && fixture->lease_until_ns == 0; i++) {
        pass(fixture, 100);
        pump(fixture);
        turn_end(fixture);
    }
    assert_true(fixture->lease_until_ns > fixture->now_ns);
    ignore(fixture);
}

/* The first notice of another one lets the workers go on, not the next turn. */
static void what_a_campaign_gathered_goes_with_it(void **state)
{
    struct fixture *fixture = *state;
    start_with_workers(fixture, 2);
    gather_until_paused(fixture);
    say_kind(fixture, MESSAGE_FORGET);
    assert_int_equal(fixture->lease_until_ns, 0);
    operate(fixture, 0, 0, reading(1));
    assert_true(fixture->lease_until_ns > fixture->now_ns);
    ignore(fixture);
}

/* What has gathered does not wait for room in the link then. */
static void all_that_was_gathered_goes_before_the_goodbye(void **state)
{
    struct fixture *fixture = *state;
    start_with_workers(fixture, 1);
    fill_link(fixture);
    leave(fixture);
    ignore(fixture);
    for (int i = 0; i < 30; i++) {
        pass(fixture, 500);
        pump(fixture);
        turn_end(fixture);
    }
    assert_non_null(strstr(buffer_string(&fixture->transcript), "one_read 0, one_read 0) goodbye()"));
    ignore(fixture);
}

static void all_that_was_gathered_goes_before_the_last_steps_of_the_rooms(void **state)
{
    struct fixture *fixture = *state;
    start_with_workers(fixture, 1);
    say_kind(fixture, MESSAGE_DRAIN);
    fill_link(fixture);
    notify(fixture, 0, notice_new(NOTICE_DRAINED, CAMPAIGN));
    ignore(fixture);
    for (int i = 0; i < 30; i++) {
        pass(fixture, 500);
        pump(fixture);
        turn_end(fixture);
    }
    assert_non_null(strstr(buffer_string(&fixture->transcript), "one_read 0, one_read 0) drained()"));
    ignore(fixture);
}

static void campaigns_are_kept_apart(void **state)
{
    struct fixture *fixture = *state;
    start_with_workers(fixture, 2);
    struct notice *notice = notice_new(NOTICE_OPERATION, CAMPAIGN + 1);
    struct operation operation = reading(1);
    worker_set_add(&operation.workers, 0);
    notice->operation = operation_copy(&operation);
    worker_set_finish(&operation.workers);
    notify(fixture, 0, notice); /* not here */
    operate(fixture, 0, 0, reading(1));
    turn_end(fixture);
    expect(fixture, "operations(one_read 0)");
}

static void who_begins_a_step_hears_when_the_coordinator_knows(void **state)
{
    struct fixture *fixture = *state;
    start_with_workers(fixture, 4);
    struct operation begun = {.kind = OPERATION_BEGUN, .step = 1};
    for (uint32_t worker = 0; worker < 4; worker++) {
        operate(fixture, worker % 2, worker, begun);
    }
    turn_end(fixture);
    expect(fixture, "operations(begun 0 1 2 3)");
    pass(fixture, 10);
    pump(fixture);
    expect(fixture, "0:known(0 2) 1:known(1 3)");
    pump(fixture);
    expect(fixture, "");
    fixture->is_cut = true;
    begun.step = 2;
    operate(fixture, 0, 2, begun);
    turn_end(fixture);
    pass(fixture, HEARTBEAT_MS);
    pump(fixture); /* a heartbeat: the coordinator is there, but has not heard it */
    expect(fixture, "");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(thousand_readings_of_a_turn_are_one_message),
        CASE(releases_are_told_by_the_coordinators_clock),
        CASE(sightings_are_told_by_the_coordinators_clock),
        CASE(goes_on_gathering_while_the_link_is_full),
        CASE(last_message_does_not_wait_for_the_link),
        CASE(pauses_the_workers_when_too_much_has_gathered),
        CASE(what_a_campaign_gathered_goes_with_it),
        CASE(all_that_was_gathered_goes_before_the_goodbye),
        CASE(all_that_was_gathered_goes_before_the_last_steps_of_the_rooms),
        CASE(campaigns_are_kept_apart),
        CASE(who_begins_a_step_hears_when_the_coordinator_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
