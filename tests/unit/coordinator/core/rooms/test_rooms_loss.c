/* Workers that are lost from their room, and those that come back. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_a_lost_worker_is_past_and_its_wait_forgotten(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    play_wait_writer(&play, 0, 1);
    play_wait_readers(&play, 1, 1);
    play_lose(&play, 0, "agent a1 was lost");
    play_expect(&play, "");
    assert_int_equal(play_count(&play).live_waits, 1);
    play_read(&play, 2, 1);
    play_expect(&play, "worker 1: wait_for_readers pad@1 ok 2 of 2\n");
    play_finish(&play);
}

static void test_a_restarted_worker_goes_on_at_the_next_step(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    play_all_past(&play, 1);
    for (uint32_t worker = 0; worker < 3; worker++) {
        play_begun(&play, worker, 2);
    }
    play_wait_writer(&play, 0, 2);
    play_wait_writer(&play, 1, 2);
    play_expect(&play, "");
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 2, "agent a1 was lost"), 3);
    play_expect(&play,
                "workers 0–1: wait_for_writer pad@2 short by loss (nobody is left to write pad@2: worker "
                "2 ended step 2 without writing (agent a1 was lost)) without worker 2\n");
    play_wait_writer(&play, 0, 3);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a2 was lost"), 3);
    assert_int_equal(play_count(&play).live_waits, 0);
    play_ended(&play, 1, NULL);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 1, "agent a3 was lost"), 0);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 99, "nobody"), 0);
    assert_int_equal(rooms_steps_lost(play.rooms), 2);
    play_finish(&play);
}

/* A failure of a script among those who did not write is a reason of its own. */
static void test_a_loss_beside_a_failure_is_not_the_only_reason(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    play_wait_writer(&play, 0, 1);
    play_past(&play, 1, 1, "pad.lua:7: no");
    play_lose(&play, 2, "agent a1 was lost");
    play_expect(&play, "worker 0: wait_for_writer pad@1 short (nobody is left to write pad@1: worker 1 ended "
                       "step 1 without writing (pad.lua:7: no), worker 2 ended in step 1 without writing "
                       "(agent a1 was lost)) without workers 1–2\n");
    play_past(&play, 0, 1, NULL);
    play_past(&play, 1, 2, NULL);
    play_wait_writer(&play, 0, 2);
    play_expect(&play,
                "worker 0: wait_for_writer pad@2 short by loss (nobody is left to write pad@2: worker 2 "
                "ended in step 1 (agent a1 was lost), worker 1 ended step 2 without writing) without "
                "workers 1–2\n");
    play_finish(&play);
}

static void test_who_rests_between_two_steps_loses_none(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    play_begun(&play, 0, 1);
    assert_int_equal(rooms_steps_ended(play.rooms), 0);
    play_past(&play, 0, 1, NULL);
    assert_int_equal(rooms_steps_ended(play.rooms), 1);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost"), 2);
    assert_int_equal(rooms_steps_lost(play.rooms), 0);
    play_begun(&play, 0, 2);
    play_begun(&play, 0, 3); /* and so has ended the second, well */
    assert_int_equal(rooms_steps_ended(play.rooms), 2);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a2 was lost"), 4);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a3 was lost"), 4);
    assert_int_equal(rooms_steps_lost(play.rooms), 1);
    play_finish(&play);
}

/* Its message is still queued, but already acknowledged. */
static void test_a_step_that_waits_to_be_applied_may_have_begun(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    struct worker_run run = {.first = 0, .stride = 1, .count = 1};
    struct operation begun = {
        .kind = OPERATION_BEGUN, .step = 1, .workers = {.runs = &run, .run_count = 1, .run_capacity = 1}};
    rooms_note_begun(play.rooms, &begun);
    begun.step = UINT64_MAX;
    rooms_note_begun(play.rooms, &begun);
    run.first = 99;
    rooms_note_begun(play.rooms, &begun);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost"), 2);
    assert_int_equal(rooms_steps_lost(play.rooms), 1);
    play_finish(&play);
}

/* What it did is undone as far as possible, so that no other worker gets past it while it runs the step
 * again. */
static void test_who_does_its_step_again_reads_and_arrives_again(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(3);
    options.on_loss = ON_LOSS_REPLACE_AGAIN;
    play_init(&play, &options);
    play_known(&play);
    play_expect(&play, "room 0 synchronises\n");
    play_read(&play, 0, 1);
    play_barrier(&play, 0, 1);
    play_barrier(&play, 1, 1);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost"), 1);
    assert_int_equal(rooms_steps_lost(play.rooms), 0);
    play_read(&play, 1, 1);
    play_wait_readers(&play, 2, 1);
    play_expect(&play, "");
    play_read(&play, 0, 1);
    play_expect(&play, "worker 2: wait_for_readers pad@1 ok 2 of 2\n");
    play_barrier(&play, 2, 1);
    play_expect(&play, "");
    play_barrier(&play, 0, 1);
    play_expect(&play, "workers 0–2: barrier rush@1 ok 4 of 4 rank 2 with 3 present\n");
    play_finish(&play);
}

/* Only the step that it runs again is undone, not the one that it has ended. */
static void test_a_step_that_has_ended_is_not_undone(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(3);
    options.on_loss = ON_LOSS_REPLACE_AGAIN;
    play_init(&play, &options);
    play_known(&play);
    play_expect(&play, "room 0 synchronises\n");
    play_read(&play, 0, 1);
    play_past(&play, 0, 1, NULL);
    play_begun(&play, 0, 2);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost"), 2);
    play_read(&play, 1, 1);
    play_wait_strictly(&play, 2, 1);
    play_expect(&play, "worker 2: wait_for_readers pad@1 ok 2 of 2\n");
    play_finish(&play);
}

static void test_a_worker_comes_back_after_its_loss(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play_all_past(&play, 1);
    play_begun(&play, 0, 2);
    play_begun(&play, 1, 2);
    play_lose(&play, 0, "agent a1 was lost");
    play_lose(&play, 1, "agent a1 was lost");
    play_expect(&play, "room 0 is done\n");
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost"), 3);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 1, "agent a1 was lost"), 3);
    assert_int_equal(rooms_live_workers(play.rooms), 2);
    play_wait_writer(&play, 0, 3);
    play_expect(&play, "");
    play_written(&play, 1, 3, "x");
    play_expect(&play, "worker 1: written pad@3 ok won\nworker 0: wait_for_writer pad@3 ok \"x\"\n");
    play_ended(&play, 0, NULL);
    play_ended(&play, 1, NULL);
    play_expect(&play, "room 0 is done\n");
    play_finish(&play);
}

static void test_answers_to_a_lost_worker_are_dropped(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    play_variable(&play, OPERATION_GET, 0, "x", "nil");
    play_variable(&play, OPERATION_GET, 1, "x", "nil");
    rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost");
    play_variable(&play, OPERATION_GET, 2, "x", "nil");
    play_expect(&play, "worker 1: get_var x ok nil\nworker 2: get_var x ok nil\n");
    play_variable(&play, OPERATION_GET, 0, "x", "nil");
    play_expect(&play, "worker 0: get_var x ok nil\n");
    play_finish(&play);
}

static void test_a_worker_restarts_before_its_room_met(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 0);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost"), 1);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 2, "agent a1 was lost"), 0); /* there is none */
    struct operation set = {.kind = OPERATION_SET, .name = bytes_of_string("x"), .value = play_value("1")};
    play_operation(&play, 1, 1, set); /* a room to remember, but without a meeting */
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost"), 1);
    play_finish(&play);
}

static void test_who_came_back_and_ended_does_not_come_back_again(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play_begun(&play, 0, 1);
    play_lose(&play, 0, "agent a1 was lost");
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost"), 2);
    play_ended(&play, 0, NULL);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a2 was lost"), 0);
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lost_worker_is_past_and_its_wait_forgotten),
        cmocka_unit_test(test_a_restarted_worker_goes_on_at_the_next_step),
        cmocka_unit_test(test_a_loss_beside_a_failure_is_not_the_only_reason),
        cmocka_unit_test(test_who_rests_between_two_steps_loses_none),
        cmocka_unit_test(test_a_step_that_waits_to_be_applied_may_have_begun),
        cmocka_unit_test(test_who_does_its_step_again_reads_and_arrives_again),
        cmocka_unit_test(test_a_step_that_has_ended_is_not_undone),
        cmocka_unit_test(test_a_worker_comes_back_after_its_loss),
        cmocka_unit_test(test_answers_to_a_lost_worker_are_dropped),
        cmocka_unit_test(test_a_worker_restarts_before_its_room_met),
        cmocka_unit_test(test_who_came_back_and_ended_does_not_come_back_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
