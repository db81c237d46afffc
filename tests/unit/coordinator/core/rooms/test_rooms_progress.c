/* The progress of a room's workers, and how long the state of a step is kept. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__ /* whose allocator has no statistics, and is slow */
#define STEPS 200000u
#else
#define STEPS 1000000u
#endif

static void test_progress_that_becomes_known_while_waiting(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 3, 0);
    play_wait_writer(&play, 0, 4);
    play_wait_writer(&play, 1, 4);
    play_past(&play, 0, 4, NULL); /* it waits for the writer of the step before its own */
    play_past(&play, 1, 3, NULL);
    play_past(&play, 2, 4, "out of ink");
    play_expect(&play, "room 0 synchronises\n"
                       "worker 1: wait_for_writer pad@4 short (nobody is left to write pad@4: worker 2 ended "
                       "step 4 without writing (out of ink), worker 0 ended step 4 without writing) without "
                       "workers 0 and 2\n"
                       "worker 0: wait_for_writer pad@4 short (nobody is left to write pad@4: worker 2 ended "
                       "step 4 without writing (out of ink)) without worker 2\n");
    play_finish(&play);
}

static void test_progress_only_grows(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play_past(&play, 0, 5, NULL);
    play_past(&play, 0, 3, NULL);
    play_past(&play, 0, 5, NULL);
    play_wait_readers(&play, 1, 4);
    play_expect(&play, "worker 1: wait_for_readers pad@4 ok 0 of 1\n");
    play_finish(&play);
}

static void test_what_is_said_twice_ends_no_wait(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play_past(&play, 0, 1, NULL);
    play_wait_readers(&play, 0, 1);
    play_past(&play, 0, 1, NULL);
    play_expect(&play, "");
    assert_int_equal(play_count(&play).live_waits, 1);
    play_past(&play, 0, 2, NULL); /* its agent has given the wait up */
    assert_int_equal(play_count(&play).live_waits, 0);
    play_finish(&play);
}

static void test_steps_go_when_all_are_past_them(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    play_written(&play, 2, 1, "one");
    play_expect(&play, "worker 2: written pad@1 ok won\n");
    play_all_past(&play, 1);
    play_wait_writer(&play, 0, 1); /* the previous step is still known */
    play_expect(&play, "worker 0: wait_for_writer pad@1 ok \"one\"\n");
    play_all_past(&play, 2);
    play_wait_writer(&play, 0, 1);
    play_wait_readers(&play, 1, 1);
    play_wait_strictly(&play, 2, 1);
    play_expect(&play, "worker 0: wait_for_writer pad@1 short (step 1 is over for all workers, and it is no "
                       "longer known who has written pad@1)\n"
                       "worker 1: wait_for_readers pad@1 ok\n"
                       "worker 2: wait_for_readers pad@1 short (step 1 is over for all workers, and it is no "
                       "longer known who has read pad@1)\n");
    assert_int_equal(play_count(&play).live_notifiers, 0);
    play_finish(&play);
}

static void test_step_zero_has_always_been_over(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play_wait_readers(&play, 1, 0);
    play_expect(&play, "worker 1: wait_for_readers pad ok\n");
    play_finish(&play);
}

static void test_naming_readers_of_a_step_that_is_over(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play_past(&play, 0, 2, NULL);
    play_past(&play, 1, 2, NULL);
    play_expect(&play, "");
    play_declare(&play, 0, 1, 1);
    play_expect(&play, "worker 0: notifier pad@1 ok\n");
    play_finish(&play);
}

/* The steps of a lost agent that nobody counted are the difference to what it has counted. */
static void test_each_step_that_ended_counts_once(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    play_past(&play, 0, 3, NULL);
    assert_int_equal(rooms_steps_ended(play.rooms), 3);
    play_past(&play, 0, 3, NULL);
    play_past(&play, 0, 2, NULL);
    assert_int_equal(rooms_steps_ended(play.rooms), 3);
    play_past(&play, 1, 4, NULL);
    play_begun(&play, 2, 3);
    assert_int_equal(rooms_steps_ended(play.rooms), 9);
    struct operation end = {.kind = OPERATION_ENDED, .step = 5};
    play_operation(&play, 0, 0, end);
    assert_int_equal(rooms_steps_ended(play.rooms), 11);
    play_operation(&play, 0, 0, end);
    assert_int_equal(rooms_steps_ended(play.rooms), 11);
    play.is_quiet = true;
    play_settle(&play);
    play_finish(&play);
}

static void test_a_failure_explains_its_own_step_only(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play_past(&play, 1, 1, "out of ink");
    play_past(&play, 1, 2, NULL);
    play_past(&play, 0, 1, NULL);
    play_wait_writer(&play, 0, 2);
    play_expect(&play, "worker 0: wait_for_writer pad@2 short (nobody is left to write pad@2: worker 1 ended "
                       "step 2 without writing) without worker 1\n");
    play_finish(&play);
}

static void start_at(struct play *play, uint32_t worker, int64_t first_us, int64_t last_us)
{
    struct operation released = {.kind = OPERATION_RELEASED,
                                 .room = ROOM_CAMPAIGN,
                                 .first_ns = first_us * 1000,
                                 .last_ns = last_us * 1000};
    play_operation(play, worker, worker, released);
}

/* From the first worker that began to the last one, once all have said when; later words change nothing. */
static void test_the_start_is_spread_from_the_first_to_the_last(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 3, 0);
    play.is_quiet = true;
    start_at(&play, 0, 5000, 5100);
    start_at(&play, 1, 4700, 4900);
    play_settle(&play);
    assert_false(play_count(&play).has_start_spread);
    start_at(&play, 2, 5050, 5900);
    play_settle(&play);
    assert_true(play_count(&play).has_start_spread);
    assert_int_equal(play_count(&play).start_spread_us, 1200);
    play_finish(&play);
}

static void test_a_turn_that_has_not_ended_is_due_at_once(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play_barrier(&play, 0, 1);
    assert_int_equal(rooms_due_ns(play.rooms), 0);
    play_expect(&play, "");
    assert_true(rooms_due_ns(play.rooms) > play.now_ns);
    play_barrier(&play, 1, 1);
    assert_int_equal(rooms_due_ns(play.rooms), 0);
    play_settle(&play);
    play_finish(&play);
}

static void test_a_straggler_keeps_its_steps(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    for (uint64_t step = 1; step <= 50; step++) {
        play_written(&play, 0, step, "x");
        play_past(&play, 0, step, NULL);
    }
    play_settle(&play);
    assert_int_equal(play_count(&play).live_notifiers, 50);
    buffer_clear(&play.story);
    play_wait_writer(&play, 1, 1);
    play_expect(&play, "worker 1: wait_for_writer pad@1 ok \"x\"\n");
    play_past(&play, 1, 30, NULL);
    play_settle(&play);
    assert_int_equal(play_count(&play).live_notifiers, 21); /* 30 and on */
    play_ended(&play, 1, NULL);
    play_settle(&play);
    assert_int_equal(play_count(&play).live_notifiers, 1);
    play_finish(&play);
}

static void test_a_wait_far_ahead(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play_wait_writer(&play, 0, 1000000);
    for (uint64_t step = 1; step < 10; step++) {
        play_past(&play, 1, step, NULL);
    }
    play_expect(&play, "");
    play_past(&play, 1, 999999, NULL);
    play_written(&play, 1, 1000000, "x");
    play_expect(&play, "worker 1: written pad@1000000 ok won\n"
                       "worker 0: wait_for_writer pad@1000000 ok \"x\"\n");
    play_finish(&play);
}

static void a_round(struct play *play, uint64_t step)
{
    play_readers_wait(play, step);
    if (step > 1) {
        play_wait_readers(play, 4, step - 1);
    }
    play_settle(play);
    play_written(play, 4, step, "x");
    play_settle(play);
    assert_int_equal(worker_set_count(&play->news.replies[1].workers), 4);
    struct operation read = {.kind = OPERATION_READ, .name = bytes_of_string("pad"), .step = step};
    play_operation(play, 0, 3, read);
    play_barrier(play, 0, step);
    struct operation past = {.kind = OPERATION_PAST, .step = step, .text = bytes_of_string("failed")};
    if (step % 3 == 0) {
        past.text = bytes_of(NULL, 0);
    }
    play_operation(play, 0, 4, past);
    play_settle(play);
}

static void test_a_million_steps_in_constant_memory(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play.is_quiet = true;
    size_t in_use = 0;
    for (uint64_t step = 1; step <= STEPS; step++) {
        a_round(&play, step);
        play.now_ns += PLAY_MS;
        if (step == 1000) {
            in_use = mallinfo2().uordblks;
        }
        if (step % 10000 == 0) {
            struct campaign_report report = play_count(&play);
            assert_in_range(report.live_notifiers, 1, 2);
            assert_in_range(report.live_barriers, 1, 2);
            assert_int_equal(report.live_waits, 0);
        }
    }
    assert_in_range(mallinfo2().uordblks, 0, in_use + 100000);
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_progress_that_becomes_known_while_waiting),
        cmocka_unit_test(test_progress_only_grows),
        cmocka_unit_test(test_what_is_said_twice_ends_no_wait),
        cmocka_unit_test(test_steps_go_when_all_are_past_them),
        cmocka_unit_test(test_step_zero_has_always_been_over),
        cmocka_unit_test(test_naming_readers_of_a_step_that_is_over),
        cmocka_unit_test(test_each_step_that_ended_counts_once),
        cmocka_unit_test(test_a_failure_explains_its_own_step_only),
        cmocka_unit_test(test_the_start_is_spread_from_the_first_to_the_last),
        cmocka_unit_test(test_a_turn_that_has_not_ended_is_due_at_once),
        cmocka_unit_test(test_a_straggler_keeps_its_steps),
        cmocka_unit_test(test_a_wait_far_ahead),
        cmocka_unit_test(test_a_million_steps_in_constant_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
