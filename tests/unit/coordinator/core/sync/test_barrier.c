/* Barriers: who has to arrive, who need not, and in which order they passed. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void arrive(struct play *play, uint32_t worker, uint32_t parties, bool is_at_once)
{
    struct operation operation = {.kind = OPERATION_BARRIER,
                                  .name = bytes_of_string("rush"),
                                  .step = 1,
                                  .count = parties,
                                  .is_at_once = is_at_once};
    play_operation(play, worker, worker, operation);
}

static void test_all_of_the_room(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 4);
    play_barrier(&play, 2, 1);
    play_barrier(&play, 0, 1);
    play_barrier(&play, 3, 1);
    play_expect(&play, "");
    play_barrier(&play, 1, 1);
    play_expect(&play, "workers 0–3: barrier rush@1 ok 4 of 4 rank 1\n");
    play_finish(&play);
}

static void test_ranks_are_in_order_of_arrival(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    play_barrier(&play, 2, 1);
    play_barrier(&play, 0, 1);
    play_barrier(&play, 1, 1);
    play_settle(&play);
    assert_int_equal(play.news.reply_count, 1);
    struct worker_cursor cursor = {0};
    const uint32_t order[] = {2, 0, 1};
    for (size_t i = 0; i < 3; i++) {
        assert_true(worker_set_next(&play.news.replies[0].workers, &cursor));
        assert_int_equal(cursor.worker, order[i]);
    }
    play_finish(&play);
}

static void test_who_is_past_need_not_come(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 4);
    play_barrier(&play, 0, 1);
    play_barrier(&play, 1, 1);
    play_past(&play, 2, 1, "failed before it");
    play_expect(&play, "");
    play_lose(&play, 3, "agent a1 was lost");
    play_expect(&play, "workers 0–1: barrier rush@1 ok 2 of 2 rank 1\n");
    play_finish(&play);
}

static void test_parties(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 4);
    arrive(&play, 0, 2, false);
    play_expect(&play, "");
    arrive(&play, 3, 2, false);
    play_expect(&play, "workers 0 and 3: barrier rush@1 ok 2 of 2 rank 1\n");
    arrive(&play, 1, 2, false); /* it stays open */
    play_expect(&play, "worker 1: barrier rush@1 ok 3 of 2 rank 3 with 1 present\n");
    play_finish(&play);
}

static void test_more_parties_than_can_come(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    arrive(&play, 0, 7, false);
    arrive(&play, 1, 7, false);
    play_past(&play, 2, 1, NULL);
    play_expect(&play, "workers 0–1: barrier rush@1 ok 2 of 7 rank 1\n");
    play_finish(&play);
}

static void test_parties_that_differ_are_refused(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    arrive(&play, 0, 2, false);
    arrive(&play, 1, 3, false);
    arrive(&play, 2, 0, false);
    play_expect(&play, "worker 1: barrier rush@1 refused (barrier rush@1 already has parties=2; it cannot "
                       "have parties=3)\n"
                       "worker 2: barrier rush@1 refused (barrier rush@1 already has parties=2; it cannot be "
                       "for all)\n");
    play_finish(&play);
}

static void test_calls_are_barriers_of_their_own(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    struct operation second = {
        .kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1, .nth = 1};
    play_barrier(&play, 0, 1);
    play_operation(&play, 1, 1, second);
    play_expect(&play, "");
    play_past(&play, 1, 1, NULL);
    play_expect(&play, "worker 0: barrier rush@1 ok 1 of 1 rank 1\n");
    play_operation(&play, 0, 0, second);
    play_expect(&play, "worker 0: barrier rush@1#1 ok 2 of 2 rank 2 with 1 present\n");
    play_finish(&play);
}

static void test_at_once_is_an_instant_ahead(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    arrive(&play, 0, 2, false);
    arrive(&play, 1, 2, true);
    play.now_ns += 7 * PLAY_MS;
    play_expect(&play, "workers 0–1: barrier rush@1 ok 2 of 2 rank 1 at 107 ms\n");
    arrive(&play, 2, 2, true);
    play_expect(&play, "worker 2: barrier rush@1 ok 3 of 2 rank 3 with 1 present\n");
    play_finish(&play);
}

static void report(struct play *play, uint32_t worker, int64_t first_ns, int64_t last_ns)
{
    struct operation operation = {.kind = OPERATION_RELEASED,
                                  .name = bytes_of_string("rush"),
                                  .step = 1,
                                  .first_ns = first_ns,
                                  .last_ns = last_ns};
    play_operation(play, worker, worker, operation);
}

static void test_the_spread_of_a_release_is_of_all_agents(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    for (uint32_t worker = 0; worker < 3; worker++) {
        arrive(&play, worker, 0, true);
    }
    play_settle(&play);
    report(&play, 0, 5000000, 5000000);
    report(&play, 2, 5100000, 5300000);
    assert_int_equal(histogram_count(play_count(&play).release_spread_us), 0);
    report(&play, 1, 4000000, 4000000);
    assert_int_equal(histogram_count(play_count(&play).release_spread_us), 1);
    assert_int_equal(histogram_maximum(play_count(&play).release_spread_us), 1300);
    report(&play, 1, 1000000, 9000000); /* nobody is expected any more */
    for (uint64_t step = 1; step < 4; step++) {
        for (uint32_t worker = 0; worker < 3; worker++) {
            play_past(&play, worker, step, NULL);
        }
        play_settle(&play);
    }
    assert_int_equal(play_count(&play).live_barriers, 0);
    assert_int_equal(histogram_count(play_count(&play).release_spread_us), 1);
    play_finish(&play);
}

static void test_reports_of_barriers_that_nobody_knows(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    struct operation operation = {
        .kind = OPERATION_RELEASED, .name = bytes_of_string("rush"), .step = 1, .last_ns = 5};
    play_operation(&play, 0, 0, operation);
    operation.step = 9;
    play_operation(&play, 0, 0, operation);
    assert_int_equal(histogram_count(play_count(&play).release_spread_us), 0);
    play_finish(&play);
}

static void test_a_spread_without_all_reports_counts_when_the_barrier_goes(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    arrive(&play, 0, 0, true);
    arrive(&play, 1, 0, true);
    play_settle(&play);
    report(&play, 0, 1000000, 1500000);
    for (uint64_t step = 1; step < 4; step++) {
        play_past(&play, 0, step, NULL);
        play_past(&play, 1, step, NULL);
        play_settle(&play);
    }
    assert_int_equal(play_count(&play).live_barriers, 0);
    assert_int_equal(histogram_maximum(play_count(&play).release_spread_us), 500);
    play_finish(&play);
}

static void test_the_spread_of_a_barrier_is_counted_once(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    struct operation arrive = {
        .kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1, .is_at_once = true};
    play_operation(&play, 0, 1, arrive);
    play_settle(&play);
    struct operation released = {
        .kind = OPERATION_RELEASED, .name = bytes_of_string("rush"), .step = 1, .last_ns = 2000};
    play_operation(&play, 0, 1, released);
    assert_int_equal(histogram_count(play_count(&play).release_spread_us), 1);
    play_past(&play, 0, 2, NULL);
    play_past(&play, 1, 2, NULL);
    play_settle(&play); /* the barrier is freed */
    assert_int_equal(histogram_count(play_count(&play).release_spread_us), 1);
    play_finish(&play);
}

static void test_the_spread_of_the_start(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    struct operation operation = {
        .kind = OPERATION_RELEASED, .room = ROOM_CAMPAIGN, .first_ns = 10, .last_ns = 10};
    play_operation(&play, 0, 1, operation);
    assert_false(play_count(&play).has_start_spread);
    operation.first_ns = operation.last_ns = 2000010;
    play_operation(&play, 2, 2, operation);
    assert_true(play_count(&play).has_start_spread);
    assert_int_equal(play_count(&play).start_spread_us, 2000);
    assert_int_equal(histogram_count(play_count(&play).release_spread_us), 0);
    operation.first_ns = operation.last_ns + 1;
    play_nonsense(&play, 0, 0, operation, "released: a release that ended before it began");
    play_finish(&play);
}

static void test_time_is_over(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 4);
    struct operation operation = {
        .kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1, .timeout_ms = 500};
    play_operation(&play, 0, 1, operation);
    play_past(&play, 3, 1, NULL);
    play_pass_ms(&play, 500);
    play_expect(&play, "workers 0–1: barrier rush@1 timeout 2 of 3 (waited 500 ms for barrier rush@1: 2 of 3 "
                       "have arrived; worker 2 is in step 1) without worker 2\n");
    play_barrier(&play, 2, 1); /* those two have been there */
    play_expect(&play, "worker 2: barrier rush@1 ok 3 of 3 rank 3 with 1 present\n");
    play_finish(&play);
}

static void test_nobody_stands_for_two_parties(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    struct operation operation = {
        .kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1, .count = 2, .timeout_ms = 10};
    play_operation(&play, 0, 0, operation);
    play_pass_ms(&play, 10);
    buffer_clear(&play.story);
    play_operation(&play, 0, 0, operation);
    play_settle(&play);
    assert_int_equal(play.news.replies[0].outcome, OUTCOME_REFUSED);
    play_finish(&play);
}

static void test_nobody_arrives_twice(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    struct operation arrive = {
        .kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1, .timeout_ms = 10};
    play_operation(&play, 0, 0, arrive);
    play_pass_ms(&play, 10);
    buffer_clear(&play.story);
    play_operation(&play, 0, 0, arrive);
    play_expect(&play, "worker 0: barrier rush@1 refused (step 1 of this worker is over: a barrier belongs "
                       "to the step that the worker is in)\n");
    assert_int_equal(play_count(&play).live_waits, 0);
    play_finish(&play);
}

static void test_who_is_past_cannot_arrive(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play_past(&play, 0, 1, NULL);
    struct operation operation = {.kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1};
    play_operation(&play, 0, 1, operation);
    play_expect(&play,
                "worker 0: barrier rush@1 refused (step 1 of this worker is over: a barrier belongs to "
                "the step that the worker is in)\n"
                "worker 1: barrier rush@1 ok 1 of 1 rank 1\n");
    play_finish(&play);
}

static void test_ten_thousand(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 10000);
    struct operation operation = {.kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1};
    for (uint32_t agent = 0; agent < 4; agent++) {
        struct worker_run run = {.first = agent, .stride = 4, .count = 2500};
        operation.workers = (struct worker_set){.runs = &run, .run_count = 1, .run_capacity = 1};
        assert_true(rooms_apply(play.rooms, play.now_ns, &operation, NULL));
    }
    play_settle(&play);
    assert_int_equal(play.news.reply_count, 1);
    assert_int_equal(worker_set_count(&play.news.replies[0].workers), 10000);
    assert_int_equal(play.news.replies[0].workers.run_count, 4);
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_of_the_room),
        cmocka_unit_test(test_ranks_are_in_order_of_arrival),
        cmocka_unit_test(test_who_is_past_need_not_come),
        cmocka_unit_test(test_parties),
        cmocka_unit_test(test_more_parties_than_can_come),
        cmocka_unit_test(test_parties_that_differ_are_refused),
        cmocka_unit_test(test_calls_are_barriers_of_their_own),
        cmocka_unit_test(test_at_once_is_an_instant_ahead),
        cmocka_unit_test(test_the_spread_of_a_release_is_of_all_agents),
        cmocka_unit_test(test_reports_of_barriers_that_nobody_knows),
        cmocka_unit_test(test_a_spread_without_all_reports_counts_when_the_barrier_goes),
        cmocka_unit_test(test_the_spread_of_a_barrier_is_counted_once),
        cmocka_unit_test(test_the_spread_of_the_start),
        cmocka_unit_test(test_time_is_over),
        cmocka_unit_test(test_nobody_stands_for_two_parties),
        cmocka_unit_test(test_nobody_arrives_twice),
        cmocka_unit_test(test_who_is_past_cannot_arrive),
        cmocka_unit_test(test_ten_thousand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
