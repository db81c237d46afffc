/* Waits of a worker whose other tasks go on: no part of a deadlock until nothing of it moves, not ended with
 * its step, and ended when nobody waits in them any more. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void wait_aside(struct play *play, uint32_t worker, struct operation operation)
{
    operation.is_aside = true;
    operation.name = operation.name.size > 0 ? operation.name : bytes_of_string("pad");
    play_operation(play, worker, worker, operation);
}

static void tell(struct play *play, enum operation_kind kind, uint32_t worker)
{
    play_operation(play, worker, worker, (struct operation){.kind = kind});
}

static void a_deadlock_begins_when_the_last_task_waits(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play_wait_writer(&play, 0, 2);
    wait_aside(&play, 1, (struct operation){.kind = OPERATION_WAIT_READERS, .step = 2});
    play_pass_ms(&play, 10 * PLAY_DEADLOCK_MS);
    play_expect(&play, "");
    tell(&play, OPERATION_SETTLED, 1);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    assert_true(rooms_found_deadlock(play.rooms));
    play_finish(&play);
}

static void all_of_the_campaign_wait_when_the_last_task_waits(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 1);
    play_variable(&play, OPERATION_WAIT_SET, 0, "x", "nil");
    wait_aside(
        &play, 1,
        (struct operation){.kind = OPERATION_WAIT_SET, .room = ROOM_CAMPAIGN, .name = bytes_of_string("x")});
    play_pass_ms(&play, 10 * PLAY_DEADLOCK_MS);
    play_expect(&play, "");
    tell(&play, OPERATION_SETTLED, 1);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    assert_true(rooms_found_deadlock(play.rooms));
    play_finish(&play);
}

static void one_with_a_timeout_of_its_own_is_never_part_of_a_deadlock(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play_wait_writer(&play, 0, 2);
    wait_aside(&play, 1, (struct operation){.kind = OPERATION_WAIT_READERS, .step = 2, .timeout_ms = 30000});
    tell(&play, OPERATION_SETTLED, 1);
    play_pass_ms(&play, 10 * PLAY_DEADLOCK_MS);
    play_expect(&play, "");
    assert_false(rooms_found_deadlock(play.rooms));
    play_finish(&play);
}

static void a_wait_is_not_short_while_another_task_may_write(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    play_past(&play, 0, 1, NULL);
    play_past(&play, 1, 1, NULL);
    wait_aside(&play, 2, (struct operation){.kind = OPERATION_WAIT_WRITER, .step = 1});
    play_expect(&play, "");
    tell(&play, OPERATION_SETTLED, 2);
    play_expect(&play, "worker 2: wait_for_writer pad@1 short (nobody is left to write pad@1: workers 0–1 "
                       "ended step 1 without writing) without workers 0–1\n");
    play_finish(&play);
}

static void what_a_task_waits_for_may_come_after_the_step(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    wait_aside(&play, 2, (struct operation){.kind = OPERATION_WAIT_WRITER, .step = 1});
    play_past(&play, 2, 1, NULL);
    play_expect(&play, "");
    play_written(&play, 0, 1, "text");
    play_expect(&play, "worker 0: written pad@1 ok won\n"
                       "worker 2: wait_for_writer pad@1 ok \"text\"\n");
    play_finish(&play);
}

static void a_wait_beside_which_nothing_moves_goes_with_its_step(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    wait_aside(&play, 2, (struct operation){.kind = OPERATION_WAIT_WRITER, .step = 1});
    tell(&play, OPERATION_SETTLED, 2);
    play_past(&play, 2, 1, NULL);
    play_written(&play, 0, 1, "text");
    play_expect(&play, "worker 0: written pad@1 ok won\n");
    play_finish(&play);
}

static void one_that_nobody_waits_in_is_ended(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    wait_aside(&play, 2, (struct operation){.kind = OPERATION_WAIT_WRITER, .step = 1});
    tell(&play, OPERATION_GIVEN_UP, 2);
    play_expect(&play, "worker 2: wait_for_writer pad@1 timeout\n");
    tell(&play, OPERATION_GIVEN_UP, 2);
    tell(&play, OPERATION_SETTLED, 2);
    play_expect(&play, "");
    wait_aside(
        &play, 2,
        (struct operation){.kind = OPERATION_WAIT_SET, .room = ROOM_CAMPAIGN, .name = bytes_of_string("x")});
    tell(&play, OPERATION_GIVEN_UP, 2);
    play_expect(&play, "worker 2: wait_var x timeout\n");
    play_finish(&play);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(a_deadlock_begins_when_the_last_task_waits),
        cmocka_unit_test(all_of_the_campaign_wait_when_the_last_task_waits),
        cmocka_unit_test(one_with_a_timeout_of_its_own_is_never_part_of_a_deadlock),
        cmocka_unit_test(a_wait_is_not_short_while_another_task_may_write),
        cmocka_unit_test(what_a_task_waits_for_may_come_after_the_step),
        cmocka_unit_test(a_wait_beside_which_nothing_moves_goes_with_its_step),
        cmocka_unit_test(one_that_nobody_waits_in_is_ended),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
