/* The search for deadlocks: found as soon as they exist, described so that a person understands them, and
 * never imagined. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The article's script: from step 2 on its writer waits for the readers of its own step. */
static void test_as_published(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    for (uint32_t worker = 0; worker < 5; worker++) {
        play_past(&play, worker, 1, NULL);
    }
    play_readers_wait(&play, 2);
    play_wait_readers(&play, 4, 2);
    play_expect(&play, "");
    assert_false(rooms_found_deadlock(play.rooms));
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    play_expect(
        &play,
        "workers 0–3: wait_for_writer pad@2 deadlock (waited in vain for the writer of pad@2, since everyone "
        "who could help is waiting too: worker 4 waits for the readers of pad@2: 0 of 4 have "
        "read · workers 0–3 wait for the writer of pad@2) without worker 4\n"
        "worker 4: wait_for_readers pad@2 deadlock 0 of 4 (waited in vain for the readers of pad@2, "
        "since everyone who could help is waiting too: worker 4 waits for the readers of pad@2: 0 of 4 "
        "have read · workers 0–3 wait for the writer of pad@2) without workers 0–3\n"
        "deadlock: worker 4 waits for the readers of pad@2: 0 of 4 have read · workers 0–3 wait for "
        "the writer of pad@2\n");
    assert_true(rooms_found_deadlock(play.rooms));
    play_finish(&play);
}

static void test_no_writer_at_all(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 4);
    play_readers_wait(&play, 1);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    play_expect(&play,
                "workers 0–3: wait_for_writer pad@1 deadlock (waited in vain for the writer of pad@1, "
                "since everyone who could help is waiting too: workers 0–3 wait for the writer of pad@1)\n"
                "deadlock: workers 0–3 wait for the writer of pad@1\n");
    play_finish(&play);
}

static void test_not_while_somebody_moves_who_could_help(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_readers_wait(&play, 1);
    play_pass_ms(&play, 1000);
    play_expect(&play, "");
    play_wait_readers(&play, 4, 1);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    assert_non_null(strstr(buffer_string(&play.story), "deadlock: worker 4"));
    play_finish(&play);
}

/* Worker 2 has moved on: it can no longer help in step 1, whatever it does. */
static void test_those_ahead_do_not_count(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    struct operation barrier = {
        .kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1, .count = 3};
    play_operation(&play, 0, 0, barrier);
    play_wait_readers(&play, 1, 1);
    play_read(&play, 2, 1);
    play_pass_ms(&play, 1000);
    play_expect(&play, "worker 1: wait_for_readers pad@1 ok 2 of 2\n");
    play_wait_writer(&play, 1, 1);
    play_pass_ms(&play, 1000);
    play_expect(&play, "");
    play_past(&play, 2, 1, NULL);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    play_expect(&play,
                "worker 0: barrier rush@1 deadlock 1 of 3 (waited in vain for barrier rush@1, since everyone "
                "who could help is waiting too: worker 0 waits for barrier rush@1: 1 of 3 have "
                "arrived · worker 1 waits for the writer of pad@1) without worker 1\n"
                "worker 1: wait_for_writer pad@1 deadlock (waited in vain for the writer of pad@1, "
                "since everyone who could help is waiting too: worker 0 waits for barrier rush@1: 1 of 3 "
                "have arrived · worker 1 waits for the writer of pad@1) without worker 0\n"
                "deadlock: worker 0 waits for barrier rush@1: 1 of 3 have arrived · worker 1 waits "
                "for the writer of pad@1\n");
    play_finish(&play);
}

/* Which call of the same name it is, and which step a worker is in that waits for something of another one.
 */
static void test_calls_and_steps_are_told_apart(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    struct operation barrier = {
        .kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1, .nth = 1, .count = 3};
    play_operation(&play, 0, 0, barrier);
    play_wait_writer(&play, 1, 1);
    play_past(&play, 2, 1, NULL);
    play_wait_writer(&play, 2, 1);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    const char *deadlock = strstr(buffer_string(&play.story), "\ndeadlock: ");
    assert_non_null(deadlock);
    assert_string_equal(
        deadlock, "\ndeadlock: worker 0 waits for barrier rush@1 (call 2): 1 of 3 have arrived · worker "
                  "1 waits for the writer of pad@1 · worker 2 waits for the writer of pad@1 in step "
                  "2\n");
    play_finish(&play);
}

static void test_a_timeout_of_its_own_is_no_deadlock(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    struct operation wait = {
        .kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = 1, .timeout_ms = 5000};
    play_operation(&play, 0, 0, wait);
    play_wait_writer(&play, 1, 1);
    play_pass_ms(&play, 4999);
    play_expect(&play, "");
    play_pass_ms(&play, 1);
    play_expect(&play, "worker 0: wait_for_writer pad@1 timeout (waited 5 s for the writer of pad@1)\n");
    play_finish(&play);
}

static void test_not_before_progress_is_known(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 0);
    play_wait_writer(&play, 0, 1);
    play_wait_writer(&play, 1, 1);
    play_past(&play, 0, 0, NULL);
    play_pass_ms(&play, 1000);
    play_expect(&play, "room 0 synchronises\n");
    play_past(&play, 1, 4, NULL); /* it had been at step 5 all along */
    play_expect(&play, "worker 0: wait_for_writer pad@1 short (nobody is left to write pad@1: worker 1 ended "
                       "step 1 without writing) without worker 1\n");
    play_finish(&play);
}

static void test_what_is_on_its_way_has_time_to_arrive(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 0);
    play_variable(&play, OPERATION_WAIT_SET, 0, "x", "nil");
    play_variable(&play, OPERATION_WAIT_SET, 1, "y", "nil");
    play_settle(&play);
    play_pass_ms(&play, PLAY_DEADLOCK_MS - 1);
    assert_false(rooms_found_deadlock(play.rooms));
    play_pass_ms(&play, 1);
    play_settle(&play);
    assert_true(rooms_found_deadlock(play.rooms));
    play_finish(&play);
}

static void test_barriers_are_told_before_writers(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    play_wait_writer(&play, 0, 1);
    play_barrier(&play, 1, 1);
    play_wait_readers(&play, 2, 1);
    play_settle(&play);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    const char *told = buffer_string(&play.story);
    const char *readers = strstr(told, "deadlock: worker 2 waits for the readers");
    assert_non_null(readers);
    const char *barrier = strstr(readers, "worker 1 waits for");
    const char *writer = strstr(readers, "worker 0 waits for");
    assert_true(barrier != NULL && writer != NULL && barrier < writer);
    play_finish(&play);
}

static void test_a_loss_can_make_one(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    play_wait_readers(&play, 1, 1);
    play_wait_readers(&play, 2, 1);
    play_pass_ms(&play, 1000);
    play_expect(&play, "");
    play_lose(&play, 0, "agent a1 was lost");
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    assert_non_null(strstr(buffer_string(&play.story), "deadlock: workers 1–2 wait for the readers"));
    play_finish(&play);
}

static void test_never_while_stopping(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 4);
    play_readers_wait(&play, 1);
    rooms_stop(play.rooms, play.now_ns);
    play_expect(&play, "workers 0–3: wait_for_writer pad@1 stopped (the campaign is stopping)\n");
    play_readers_wait(&play, 1);
    play_pass_ms(&play, 1000);
    play_expect(&play, "workers 0–3: wait_for_writer pad@1 stopped (the campaign is stopping)\n");
    assert_false(rooms_found_deadlock(play.rooms));
    play_finish(&play);
}

static void test_it_goes_on_afterwards(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 4);
    play_readers_wait(&play, 1);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    buffer_clear(&play.story);
    for (uint32_t worker = 0; worker < 4; worker++) {
        play_past(&play, worker, 1, "deadlock");
    }
    play_readers_wait(&play, 2);
    play_expect(&play, "");
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    assert_non_null(strstr(buffer_string(&play.story), "deadlock: workers 0–3 wait for the writer of pad@2"));
    play_finish(&play);
}

static void test_many_rooms_at_once(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 9, 3);
    for (uint32_t room = 0; room < 3; room++) {
        struct operation wait = {
            .kind = OPERATION_WAIT_WRITER, .room = room, .name = bytes_of_string("pad"), .step = 1};
        play_operation(&play, room * 3, room * 3 + 2, wait);
    }
    play_known(&play);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    const char *told = strstr(buffer_string(&play.story), "\ndeadlock: ");
    assert_non_null(told);
    assert_string_equal(told, "\ndeadlock: workers 0–2 wait for the writer of pad@1 · and in 2 more rooms\n");
    play_finish(&play);
}

/* For a variable of the room. */
static void wait_for_y(struct play *play, uint32_t room, uint32_t worker)
{
    struct operation wait = {.kind = OPERATION_WAIT_SET, .room = room, .name = bytes_of_string("y")};
    play_operation(play, worker, worker, wait);
}

static void wait_for_the_writer(struct play *play, uint32_t room, uint32_t worker)
{
    struct operation wait = {
        .kind = OPERATION_WAIT_WRITER, .room = room, .name = bytes_of_string("pad"), .step = 1};
    play_operation(play, worker, worker, wait);
}

/* Two rooms of two, tied together by variables of the campaign. */
static void test_variables_tie_rooms_together(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 4, 2);
    wait_for_the_writer(&play, 0, 0);
    play_past(&play, 0, 0, NULL);
    play_past(&play, 1, 0, NULL);
    play_variable(&play, OPERATION_WAIT_SET, 1, "x", "nil");
    play_variable(&play, OPERATION_WAIT_SET, 2, "x", "nil");
    play_pass_ms(&play, 1000);
    play_expect(&play, "room 0 synchronises\n"); /* worker 3 can set x, and then 1 can write */
    wait_for_y(&play, 1, 3);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    const char *told = strstr(buffer_string(&play.story), "\ndeadlock: ");
    assert_non_null(told);
    assert_string_equal(told, "\ndeadlock: worker 0 waits for the writer of pad@1 · workers 1–2 wait for "
                              "variable x to be set · worker 3 waits for variable y to be set\n");
    assert_int_equal(play_count(&play).live_waits, 0);
    assert_int_equal(play_count(&play).live_variables, 0);
    play_finish(&play);
}

static void test_rooms_that_are_tied_wait_for_progress_too(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 1);
    wait_for_the_writer(&play, 1, 1);
    play_variable(&play, OPERATION_WAIT_SET, 0, "x", "nil");
    play_pass_ms(&play, 1000);
    play_expect(&play, "room 1 synchronises\n");
    play_past(&play, 1, 0, NULL);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    assert_true(rooms_found_deadlock(play.rooms));
    play_finish(&play);
}

static void test_a_room_of_nothing_but_waits_for_variables(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 4, 2);
    wait_for_y(&play, 1, 2);
    play_pass_ms(&play, 1000);
    wait_for_y(&play, 1, 3);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    assert_true(rooms_found_deadlock(play.rooms));
    play_finish(&play);
}

static void test_a_room_that_only_has_variables(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 4, 2);
    wait_for_y(&play, 1, 2);
    play_pass_ms(&play, 1000);
    play_expect(&play, "");
    play_ended(&play, 3, NULL);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    play_expect(&play, "worker 2: wait_var y deadlock (waited in vain for variable y to be set, since "
                       "everyone who could help is waiting too: worker 2 waits for variable y to be set)\n"
                       "deadlock: worker 2 waits for variable y to be set\n");
    play_finish(&play);
}

/* The missing worker may be one that was told to begin no new step: not the script's fault. */
static void test_draining_is_no_deadlock(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    wait_for_y(&play, 0, 0);
    rooms_drain(play.rooms, play.now_ns);
    play_ended(&play, 1, NULL);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    play_expect(&play, "worker 0: wait_var y stopped (waited in vain for variable y to be set, since the "
                       "campaign is stopping: worker 0 waits for variable y to be set)\n");
    assert_false(rooms_found_deadlock(play.rooms));
    play_finish(&play);
}

static void test_draining_one_room_is_no_deadlock_of_another(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 1);
    play_variable(&play, OPERATION_WAIT_SET, 0, "x", "nil");
    rooms_drain(play.rooms, play.now_ns);
    play_ended(&play, 1, NULL);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    play_expect(&play, "worker 0: wait_var x stopped (waited in vain for variable x to be set, since the "
                       "campaign is stopping: worker 0 waits for variable x to be set)\n");
    play_finish(&play);
}

static void test_draining_hides_no_deadlock(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 4);
    rooms_drain(play.rooms, play.now_ns);
    play_readers_wait(&play, 1);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    assert_true(rooms_found_deadlock(play.rooms));
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_published),
        cmocka_unit_test(test_no_writer_at_all),
        cmocka_unit_test(test_not_while_somebody_moves_who_could_help),
        cmocka_unit_test(test_those_ahead_do_not_count),
        cmocka_unit_test(test_calls_and_steps_are_told_apart),
        cmocka_unit_test(test_a_timeout_of_its_own_is_no_deadlock),
        cmocka_unit_test(test_not_before_progress_is_known),
        cmocka_unit_test(test_what_is_on_its_way_has_time_to_arrive),
        cmocka_unit_test(test_barriers_are_told_before_writers),
        cmocka_unit_test(test_a_loss_can_make_one),
        cmocka_unit_test(test_never_while_stopping),
        cmocka_unit_test(test_it_goes_on_afterwards),
        cmocka_unit_test(test_many_rooms_at_once),
        cmocka_unit_test(test_variables_tie_rooms_together),
        cmocka_unit_test(test_rooms_that_are_tied_wait_for_progress_too),
        cmocka_unit_test(test_a_room_of_nothing_but_waits_for_variables),
        cmocka_unit_test(test_a_room_that_only_has_variables),
        cmocka_unit_test(test_draining_is_no_deadlock),
        cmocka_unit_test(test_draining_one_room_is_no_deadlock_of_another),
        cmocka_unit_test(test_draining_hides_no_deadlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
