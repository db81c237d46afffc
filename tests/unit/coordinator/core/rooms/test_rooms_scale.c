/* Workers that join rooms that are in use. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The new worker begins further on: it is somebody who is past the step and did not write. */
static void test_a_worker_that_joins_beyond_a_step_ends_waits_in_it(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 1, 2);
    play_read(&play, 0, 1);
    play_known(&play);
    play_expect(&play, "room 0 synchronises\n");
    play_wait_writer(&play, 0, 1);
    play_expect(&play, "");
    rooms_extend(play.rooms, 2);
    uint64_t first_step = rooms_change_step(play.rooms, 0);
    assert_int_equal(first_step, 3);
    assert_int_equal(rooms_join(play.rooms, play.now_ns, 1, first_step), 3);
    play_expect(&play, "worker 0: wait_for_writer pad@1 short (nobody is left to write pad@1: worker 1 ended "
                       "step 1 without writing) without worker 1\n");
    play_finish(&play);
}

static void test_only_the_rooms_of_those_that_join_have_to_be_known(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 2);
    struct operation read = {.kind = OPERATION_READ, .room = 1, .name = bytes_of_string("pad"), .step = 1};
    play_operation(&play, 2, 2, read); /* the progress of worker 3 is unknown */
    play_past(&play, 2, 0, NULL);
    play_ended(&play, 0, NULL);
    play_ended(&play, 1, NULL);
    play_ended(&play, 2, NULL);
    play_ended(&play, 4, NULL);
    play_expect(&play, "room 1 synchronises\n");
    assert_true(rooms_may_join(play.rooms, 0, 2));
    assert_true(rooms_may_join(play.rooms, 4, 5));
    assert_false(rooms_may_join(play.rooms, 4, 6)); /* worker 5 has not ended */
    assert_false(rooms_may_join(play.rooms, 2, 3));
    assert_false(rooms_may_join(play.rooms, 0, 3));
    play_past(&play, 3, 0, NULL);
    assert_true(rooms_may_join(play.rooms, 0, 3));
    play_finish(&play);
}

/* A worker that writes, reads or meets others in a step has ended the one before, whatever it has reported.
 */
static void test_who_acts_in_a_step_has_ended_those_before(void **state)
{
    (void)state;
    const enum operation_kind kinds[] = {OPERATION_WRITING, OPERATION_WRITTEN, OPERATION_READ,
                                         OPERATION_BARRIER};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct play play;
        play_init_synchronised(&play, 2);
        play.is_quiet = true;
        assert_int_equal(rooms_change_step(play.rooms, 0), 3);
        struct operation operation = {.kind = kinds[i],
                                      .name = bytes_of_string("pad"),
                                      .step = 6,
                                      .value = play_value("text"),
                                      .first_ns = 1};
        play_operation(&play, 1, 1, operation);
        play_settle(&play);
        assert_int_equal(rooms_change_step(play.rooms, 0), 8);
        play_finish(&play);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_worker_that_joins_beyond_a_step_ends_waits_in_it),
        cmocka_unit_test(test_only_the_rooms_of_those_that_join_have_to_be_known),
        cmocka_unit_test(test_who_acts_in_a_step_has_ended_those_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
