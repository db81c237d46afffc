/* The scene from the readers' side: what they are told when the writer writes, fails or does not come. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_a_round(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_readers_wait(&play, 1);
    play_expect(&play, "");
    play_written(&play, 4, 1, "hello");
    play_expect(&play, "worker 4: written pad@1 ok won\n"
                       "workers 0–3: wait_for_writer pad@1 ok \"hello\"\n");
    play_past(&play, 4, 1, NULL);
    play_wait_readers(&play, 4, 1);
    for (uint32_t reader = 1; reader < 4; reader++) {
        play_expect(&play, ""); /* worker 0 has read already */
        play_read(&play, reader, 1);
    }
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 4 of 4\n");
    play_finish(&play);
}

static void test_a_reader_of_a_step_sees_its_payload_only(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_written(&play, 4, 1, "one");
    play_past(&play, 4, 1, NULL);
    play_written(&play, 4, 2, "two");
    play_past(&play, 0, 1, NULL);
    play_wait_writer(&play, 0, 2);
    play_wait_writer(&play, 1, 1);
    play_expect(&play, "worker 4: written pad@1 ok won\n"
                       "worker 4: written pad@2 ok won\n"
                       "worker 1: wait_for_writer pad@1 ok \"one\"\n"
                       "worker 0: wait_for_writer pad@2 ok \"two\"\n");
    play_finish(&play);
}

static void test_the_first_write_wins(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_written(&play, 4, 1, "one");
    play_written(&play, 3, 1, "two");
    play_wait_writer(&play, 0, 1);
    play_expect(&play, "worker 4: written pad@1 ok won\n"
                       "worker 3: written pad@1 ok\n"
                       "worker 0: wait_for_writer pad@1 ok \"one\"\n");
    play_finish(&play);
}

static void test_a_writer_that_fails_is_told_to_its_readers(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_readers_past(&play, 1);
    play_readers_past(&play, 2);
    play_readers_wait(&play, 3);
    play_past(&play, 4, 2, NULL);
    play_expect(&play, "");
    play_past(&play, 4, 3, "pad.lua:31: assertion failed");
    play_expect(&play, "workers 0–3: wait_for_writer pad@3 short (nobody is left to write pad@3: worker 4 "
                       "ended step 3 without writing (pad.lua:31: assertion failed)) without worker 4\n");
    play_finish(&play);
}

static void test_short_only_when_all_others_wait(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_wait_writer(&play, 0, 1);
    play_wait_writer(&play, 1, 1);
    play_wait_writer(&play, 2, 1);
    play_past(&play, 4, 1, NULL);
    play_expect(&play, ""); /* worker 3 may still write */
    play_wait_writer(&play, 3, 1);
    play_expect(&play, "workers 0–3: wait_for_writer pad@1 short (nobody is left to write pad@1: worker 4 "
                       "ended step 1 without writing) without worker 4\n");
    play_finish(&play);
}

static void test_nobody_past_is_not_short(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_readers_wait(&play, 1);
    play_wait_writer(&play, 4, 1);
    play_expect(&play, "");
    play_finish(&play);
}

/* Worker 0 is the only one past step 1: it does not count as "somebody else", so it still waits when the
 * others end. */
static void test_who_waits_for_an_earlier_writer_is_not_its_own_reason(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_past(&play, 0, 1, NULL);
    for (uint32_t worker = 0; worker < 5; worker++) {
        play_wait_writer(&play, worker, 1);
    }
    play_expect(&play, "workers 1–4: wait_for_writer pad@1 short (nobody is left to write pad@1: worker 0 "
                       "ended step 1 without writing) without worker 0\n");
    play_past(&play, 1, 1, "short");
    play_expect(&play, ""); /* 2, 3 and 4 have yet to arrive */
    for (uint32_t worker = 2; worker < 5; worker++) {
        play_past(&play, worker, 1, "short");
    }
    play_expect(&play, "worker 0: wait_for_writer pad@1 short (nobody is left to write pad@1: workers 1–4 "
                       "ended step 1 without writing (short)) without workers 1–4\n");
    play_finish(&play);
}

static void test_the_causes_of_short_stand_in_order(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_readers_past(&play, 1);
    play_past(&play, 4, 1, NULL);
    play_ended(&play, 0, NULL);
    play_past(&play, 1, 2, NULL);
    play_lose(&play, 2, "agent a1 was lost");
    play_past(&play, 4, 2, "out of ink");
    play_wait_writer(&play, 3, 2);
    play_expect(&play, "worker 3: wait_for_writer pad@2 short (nobody is left to write pad@2: worker 4 ended "
                       "step 2 without writing (out of ink), worker 2 ended in step 2 without writing (agent "
                       "a1 was lost), worker 1 ended step 2 without writing, worker 0 ended before step 2) "
                       "without workers 0–2 and 4\n");
    play_finish(&play);
}

static void test_a_failure_is_told_also_when_its_worker_has_gone_on(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_past(&play, 4, 1, "out of ink");
    play_past(&play, 4, 2, NULL);
    play_readers_wait(&play, 1);
    play_expect(&play, "workers 0–3: wait_for_writer pad@1 short (nobody is left to write pad@1: worker 4 "
                       "ended step 1 without writing (out of ink)) without worker 4\n");
    play_finish(&play);
}

static void test_timeouts_say_who_is_missing(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_readers_past(&play, 1);
    play_past(&play, 4, 1, NULL);
    play_read(&play, 0, 2);
    play_read(&play, 1, 2);
    play_wait_writer(&play, 3, 2);
    struct operation wait = {
        .kind = OPERATION_WAIT_READERS, .name = bytes_of_string("pad"), .step = 2, .timeout_ms = 2500};
    play_operation(&play, 4, 4, wait);
    play_pass_ms(&play, 2499);
    play_expect(&play, "");
    play_pass_ms(&play, 1);
    play_expect(&play, "worker 4: wait_for_readers pad@2 timeout 2 of 4 (waited 2.5 s for the readers of "
                       "pad@2: 2 of 4 have read; worker 2 is in step 2, worker 3 waits for the writer of "
                       "pad@2) without workers 2–3\n");
    play_pass_ms(&play, 60000);
    play_expect(&play, "worker 3: wait_for_writer pad@2 timeout (waited 1 m for the writer of pad@2: workers "
                       "0–2 and 4 are in step 2) without workers 0–2 and 4\n");
    play_finish(&play);
}

static void test_waits_that_began_together_time_out_together(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_readers_wait(&play, 1);
    play_pass_ms(&play, 60000);
    play_expect(&play, "workers 0–3: wait_for_writer pad@1 timeout (waited 1 m for the writer of pad@1: "
                       "worker 4 is in step 1) without worker 4\n");
    play_finish(&play);
}

static void test_a_write_at_the_last_moment_counts(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_readers_wait(&play, 1);
    play_pass_ms(&play, 59999);
    play.now_ns += 2 * PLAY_MS;
    play_written(&play, 4, 1, "x");
    play_expect(&play, "worker 4: written pad@1 ok won\n"
                       "workers 0–3: wait_for_writer pad@1 ok \"x\"\n");
    play_finish(&play);
}

static void test_rooms_of_one_turn(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 4, 2);
    struct operation wait = {.kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = 1};
    struct operation written = {
        .kind = OPERATION_WRITTEN, .name = bytes_of_string("pad"), .step = 1, .value = play_value("x")};
    for (uint32_t room = 0; room < 2; room++) {
        wait.room = written.room = room;
        play_operation(&play, room * 2, room * 2, wait);
        play_operation(&play, room * 2 + 1, room * 2 + 1, written);
    }
    play_expect(&play, "room 0 synchronises\nroom 1 synchronises\n"
                       "worker 1: written pad@1 ok won\n"
                       "worker 3: written pad@1 ok won\n"
                       "worker 0: wait_for_writer pad@1 ok \"x\"\n"
                       "worker 2: wait_for_writer pad@1 ok \"x\"\n");
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_round),
        cmocka_unit_test(test_a_reader_of_a_step_sees_its_payload_only),
        cmocka_unit_test(test_the_first_write_wins),
        cmocka_unit_test(test_a_writer_that_fails_is_told_to_its_readers),
        cmocka_unit_test(test_short_only_when_all_others_wait),
        cmocka_unit_test(test_nobody_past_is_not_short),
        cmocka_unit_test(test_who_waits_for_an_earlier_writer_is_not_its_own_reason),
        cmocka_unit_test(test_the_causes_of_short_stand_in_order),
        cmocka_unit_test(test_a_failure_is_told_also_when_its_worker_has_gone_on),
        cmocka_unit_test(test_timeouts_say_who_is_missing),
        cmocka_unit_test(test_waits_that_began_together_time_out_together),
        cmocka_unit_test(test_a_write_at_the_last_moment_counts),
        cmocka_unit_test(test_rooms_of_one_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
