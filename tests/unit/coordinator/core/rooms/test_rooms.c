/* Rooms as a whole: when they begin to synchronise, when they are done or stopped, and what is nonsense. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_a_room_synchronises_with_the_first_meeting(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 9, 2);
    play_ended(&play, 1, NULL);
    play_variable(&play, OPERATION_SET, 2, "x", "1");
    play_expect(&play, "worker 2: set_var x ok\n");
    struct operation read = {.kind = OPERATION_READ, .room = 4, .name = bytes_of_string("pad"), .step = 1};
    play_operation(&play, 8, 8, read);
    play_expect(&play, "room 4 synchronises\n");
    play_operation(&play, 8, 8, read);
    play_expect(&play, "");
    assert_true(rooms_is_synchronising(play.rooms, 4));
    assert_false(rooms_is_synchronising(play.rooms, 0));
    assert_false(rooms_is_synchronising(play.rooms, 5));
    play_finish(&play);
}

static void test_replace_synchronises_all_from_the_start(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(5);
    options.room_size = 2;
    options.on_loss = ON_LOSS_REPLACE;
    play_init(&play, &options);
    play_expect(&play, "room 0 synchronises\nroom 1 synchronises\nroom 2 synchronises\n");
    play_expect(&play, "");
    assert_true(rooms_is_synchronising(play.rooms, 0));
    assert_true(rooms_is_synchronising(play.rooms, 2));
    play_finish(&play);
}

static void test_a_room_is_done_when_all_have_ended(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    play_ended(&play, 0, NULL);
    play_ended(&play, 1, "error in setup");
    play_expect(&play, "");
    assert_int_equal(rooms_live_workers(play.rooms), 1);
    play_lose(&play, 2, "agent a1 was lost");
    play_expect(&play, "room 0 is done\n");
    play_ended(&play, 2, NULL);
    play_past(&play, 2, 7, NULL);
    play_expect(&play, "");
    assert_int_equal(play_count(&play).live_notifiers, 0);
    play_finish(&play);
}

static void test_only_rooms_that_synchronise_are_done(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 7, 3);
    struct operation read = {.kind = OPERATION_READ, .room = 2, .name = bytes_of_string("pad"), .step = 1};
    play_operation(&play, 6, 6, read);
    struct operation ended = {.kind = OPERATION_ENDED};
    play_operation(&play, 0, 6, ended);
    play_expect(&play, "room 2 synchronises\nroom 2 is done\n");
    play_finish(&play);
}

static void test_a_room_that_meets_only_after_its_end(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 0);
    play_ended(&play, 0, NULL);
    play_ended(&play, 1, NULL);
    play_expect(&play, "");
    play_wait_readers(&play, 0, 3);
    play_expect(&play, "room 0 synchronises\n"
                       "worker 0: wait_for_readers pad@3 ok\n"
                       "room 0 is done\n");
    play_finish(&play);
}

static void test_what_happens_after_the_end_still_ends(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play_ended(&play, 0, NULL);
    play_ended(&play, 1, NULL);
    play_expect(&play, "room 0 is done\n");
    play_wait_writer(&play, 0, 1);
    play_wait_readers(&play, 1, 1);
    play_expect(&play, "worker 0: wait_for_writer pad@1 short (step 1 is over for all workers, and it is no "
                       "longer known who has written pad@1)\n"
                       "worker 1: wait_for_readers pad@1 ok\n");
    play_barrier(&play, 0, 1);
    play_written(&play, 0, 1, "x");
    play_expect(&play,
                "worker 0: barrier rush@1 refused (step 1 of this worker is over: a barrier belongs to the "
                "step that the worker is in)\n"
                "worker 0: written pad@1 refused (step 1 of this worker is over: written() belongs to the "
                "step that the worker is in)\n");
    play_finish(&play);
}

static void test_ends_before_it_synchronised_count(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 3, 0);
    play_ended(&play, 0, "error in setup");
    play_lose(&play, 1, "agent a1 was lost");
    play_wait_writer(&play, 2, 1);
    play_expect(&play,
                "room 0 synchronises\n"
                "worker 2: wait_for_writer pad@1 short (nobody is left to write pad@1: worker 0 ended in "
                "step 1 without writing (error in setup), worker 1 ended in step 1 without writing "
                "(agent a1 was lost)) without workers 0–1\n");
    play_finish(&play);
}

static void test_draining_turns_short_into_stopped(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    rooms_drain(play.rooms, play.now_ns);
    play_wait_writer(&play, 0, 1);
    play_wait_writer(&play, 1, 1);
    play_ended(&play, 2, NULL);
    play_expect(&play, "workers 0–1: wait_for_writer pad@1 stopped (the campaign is stopping, and nobody is "
                       "left to write pad@1: worker 2 ended before step 1) without worker 2\n");
    play_finish(&play);
}

static void test_draining_leaves_failures_short(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    rooms_drain(play.rooms, play.now_ns);
    play_wait_writer(&play, 0, 1);
    play_ended(&play, 1, NULL);
    play_past(&play, 2, 1, "out of ink");
    play_settle(&play);
    assert_int_equal(play.news.replies[0].outcome, OUTCOME_SHORT);
    play_finish(&play);
}

static void test_stopping_ends_every_wait(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 6);
    play_wait_writer(&play, 0, 1);
    play_wait_readers(&play, 1, 1);
    play_barrier(&play, 2, 1);
    play_barrier(&play, 4, 1);
    play_wait_writer(&play, 3, 1);
    play_variable(&play, OPERATION_WAIT_SET, 5, "x", "nil");
    rooms_stop(play.rooms, play.now_ns);
    play_expect(&play, "workers 0 and 3: wait_for_writer pad@1 stopped (the campaign is stopping)\n"
                       "worker 1: wait_for_readers pad@1 stopped (the campaign is stopping)\n"
                       "workers 2 and 4: barrier rush@1 stopped (the campaign is stopping)\n"
                       "worker 5: wait_var x stopped (the campaign is stopping)\n");
    play_barrier(&play, 2, 1);
    play_written(&play, 3, 1, "x");
    play_wait_writer(&play, 0, 1);
    play_expect(&play, "worker 2: barrier rush@1 stopped (the campaign is stopping)\n"
                       "worker 3: written pad@1 ok won\n"
                       "worker 0: wait_for_writer pad@1 stopped (the campaign is stopping)\n");
    assert_int_equal(play_count(&play).live_waits, 0);
    play_pass_ms(&play, 100000);
    assert_int_equal(rooms_due_ns(play.rooms), UINT64_MAX);
    play_finish(&play);
}

static void expect_waits(struct play *play, const char *expected)
{
    char text[200];
    struct campaign_report report = {.made_ns = play->now_ns};
    play_settle(play);
    rooms_describe_waits(play->rooms, &report, text, sizeof text);
    assert_string_equal(text, expected);
}

static void test_waits_in_one_line(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 9);
    expect_waits(&play, "");
    play_readers_wait(&play, 12);
    expect_waits(&play, "4 wait for the writer of pad@12");
    play_wait_readers(&play, 4, 12);
    expect_waits(&play, "4 wait for the writer of pad@12 · 1 for its readers");
    play_wait_writer(&play, 5, 14);
    expect_waits(&play, "5 wait for the writer of pad@12–14 · 1 for the readers of pad@12");
    play_variable(&play, OPERATION_WAIT_SET, 6, "x", "nil");
    play_barrier(&play, 7, 3);
    expect_waits(&play,
                 "5 wait for the writer of pad@12–14 · 1 for the readers of pad@12 · 1 for variable x · "
                 "1 for something else");
    char text[12];
    struct campaign_report report = {.made_ns = play.now_ns};
    rooms_describe_waits(play.rooms, &report, text, sizeof text);
    assert_string_equal(text, "5 wait for ");
    play_finish(&play);
}

static void test_nonsense_changes_nothing(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    struct operation wait = {.kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = 1};
    struct operation wrong = wait;
    wrong.room = 1;
    play_nonsense(&play, 0, 0, wrong, "wait_for_writer: there is no room 1");
    wrong.room = ROOM_CAMPAIGN;
    play_nonsense(&play, 0, 0, wrong, "wait_for_writer: there is no room 4294967295");
    play_nonsense(&play, 2, 3, wait, "wait_for_writer: a worker that does not exist");
    wrong = wait;
    wrong.name = bytes_of(NULL, 0);
    play_nonsense(&play, 0, 0, wrong, "wait_for_writer: a name of 0 bytes");
    wrong = wait;
    wrong.step = UINT64_MAX;
    play_nonsense(&play, 0, 0, wrong, "wait_for_writer: a step out of range");
    wrong = wait;
    wrong.kind = OPERATION_DECLARE;
    play_nonsense(&play, 0, 1, wrong, "notifier: takes exactly one worker");
    wrong.kind = OPERATION_KIND_COUNT;
    play_nonsense(&play, 0, 0, wrong, "unknown operation 23");
    wrong.kind = OPERATION_SET;
    wrong.room = ROOM_CAMPAIGN;
    wrong.name = bytes_of(NULL, 0);
    play_nonsense(&play, 0, 0, wrong, "set_var: a variable without a name");
    struct worker_run runs[] = {{.first = 0, .stride = 1, .count = 0}, {.first = 0, .count = 2}};
    for (size_t i = 0; i < 2; i++) {
        wrong = wait;
        wrong.workers = (struct worker_set){.runs = &runs[i], .run_count = 1, .run_capacity = 1};
        assert_false(rooms_apply(play.rooms, play.now_ns, &wrong, NULL));
    }
    play_operation(&play, 0, 0, wait);
    play_nonsense(&play, 0, 1, wait, "wait_for_writer: worker 0 waits twice at the same time");
    play_expect(&play, "");
    assert_int_equal(play_count(&play).live_waits, 1);
    play_finish(&play);
}

/* Workers 1 and 2, of whom 1 is named twice. */
static void wait_with_one_twice(struct play *play, enum operation_kind kind, const char *name)
{
    struct worker_run runs[] = {{.first = 1, .stride = 1, .count = 2}, {.first = 1, .stride = 1, .count = 1}};
    struct operation wait = {.kind = kind, .name = bytes_of_string(name), .step = 1};
    wait.workers = (struct worker_set){.runs = runs, .run_count = 2, .run_capacity = 2};
    assert_true(rooms_apply(play->rooms, play->now_ns, &wait, NULL));
}

static void test_a_worker_twice_in_a_set_waits_once(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    wait_with_one_twice(&play, OPERATION_BARRIER, "rush");
    play_barrier(&play, 0, 1);
    play_expect(&play, "workers 0–2: barrier rush@1 ok 3 of 3 rank 1\n");
    play_finish(&play);
}

static void test_a_worker_twice_in_a_set_waits_once_for_the_writer(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    wait_with_one_twice(&play, OPERATION_WAIT_WRITER, "pad");
    assert_int_equal(play_count(&play).live_waits, 2);
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_room_synchronises_with_the_first_meeting),
        cmocka_unit_test(test_replace_synchronises_all_from_the_start),
        cmocka_unit_test(test_a_room_is_done_when_all_have_ended),
        cmocka_unit_test(test_only_rooms_that_synchronise_are_done),
        cmocka_unit_test(test_a_room_that_meets_only_after_its_end),
        cmocka_unit_test(test_what_happens_after_the_end_still_ends),
        cmocka_unit_test(test_ends_before_it_synchronised_count),
        cmocka_unit_test(test_draining_turns_short_into_stopped),
        cmocka_unit_test(test_draining_leaves_failures_short),
        cmocka_unit_test(test_stopping_ends_every_wait),
        cmocka_unit_test(test_waits_in_one_line),
        cmocka_unit_test(test_nonsense_changes_nothing),
        cmocka_unit_test(test_a_worker_twice_in_a_set_waits_once),
        cmocka_unit_test(test_a_worker_twice_in_a_set_waits_once_for_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
