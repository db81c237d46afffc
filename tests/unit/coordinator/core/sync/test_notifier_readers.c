/* The scene from the writer's side: which readers it waits for, and which it no longer has to wait for. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Worker 0 has read already. */
static void writer_writes(struct play *play)
{
    play_init_synchronised(play, 5);
    play_written(play, 4, 1, "x");
    play_past(play, 4, 1, NULL);
    play_expect(play, "worker 4: written pad@1 ok won\n");
}

static void test_reads_are_counted_by_worker(void **state)
{
    (void)state;
    struct play play;
    writer_writes(&play);
    play_wait_readers(&play, 4, 1);
    play_read(&play, 1, 1);
    play_read(&play, 1, 1);
    play_read(&play, 1, 1);
    play_read(&play, 2, 1);
    play_expect(&play, ""); /* worker 3 has not */
    play_read(&play, 3, 1);
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 4 of 4\n");
    play_finish(&play);
}

static void test_a_reader_that_fails_is_not_waited_for(void **state)
{
    (void)state;
    struct play play;
    writer_writes(&play);
    play_wait_readers(&play, 4, 1);
    play_read(&play, 1, 1);
    play_read(&play, 2, 1);
    play_expect(&play, "");
    play_past(&play, 3, 1, "it was not there");
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 3 of 4\n");
    play_finish(&play);
}

static void test_strict_says_who_did_not_read(void **state)
{
    (void)state;
    struct play play;
    writer_writes(&play);
    play_wait_strictly(&play, 4, 1);
    play_read(&play, 1, 1);
    play_past(&play, 3, 1, "it was not there");
    play_expect(&play, "");
    play_lose(&play, 2, "agent a1 was lost");
    play_expect(&play, "worker 4: wait_for_readers pad@1 short 2 of 4 (not everybody has read pad@1, 2 of 4 "
                       "have read: worker 3 ended step 1 without reading (it was not there), worker 2 ended "
                       "in step 1 without reading (agent a1 was lost)) without workers 2–3\n");
    play_finish(&play);
}

static void test_strict_does_not_miss_who_ended_in_order_before(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_readers_past(&play, 1);
    play_past(&play, 4, 1, NULL);
    play_ended(&play, 3, NULL);
    play_read(&play, 0, 2);
    play_read(&play, 1, 2);
    play_read(&play, 2, 2);
    play_wait_strictly(&play, 4, 2);
    play_expect(&play, "worker 4: wait_for_readers pad@2 ok 3 of 3\n");
    play_finish(&play);
}

/* Where another worker writes each step, the one that waits is not the one that wrote. */
static void test_the_writer_need_not_read(void **state)
{
    (void)state;
    struct play play;
    writer_writes(&play);
    for (uint32_t worker = 1; worker < 4; worker++) {
        play_read(&play, worker, 1);
        play_past(&play, worker, 1, NULL);
    }
    play_past(&play, 0, 1, NULL);
    play_wait_strictly(&play, 0, 1);
    play_expect(&play, "worker 0: wait_for_readers pad@1 ok 4 of 4\n");
    play_wait_readers(&play, 1, 1);
    play_expect(&play, "worker 1: wait_for_readers pad@1 ok 4 of 4\n");
    play_finish(&play);
}

static void test_strict_misses_who_ended_after_the_step(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_read(&play, 1, 1);
    play_read(&play, 2, 1);
    struct operation ended = {.kind = OPERATION_ENDED, .step = 1}; /* its last one */
    play_operation(&play, 3, 3, ended);
    play_wait_strictly(&play, 4, 1);
    play_expect(&play, "worker 4: wait_for_readers pad@1 short 3 of 4 (not everybody has read pad@1, 3 of 4 "
                       "have read: worker 3 ended step 1 without reading) without worker 3\n");
    play_finish(&play);
}

static void test_strict_is_content_when_all_have_read(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    for (uint32_t reader = 1; reader < 4; reader++) {
        play_read(&play, reader, 1);
    }
    play_wait_strictly(&play, 4, 1);
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 4 of 4\n");
    play_finish(&play);
}

static void test_declared_readers(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_declare(&play, 4, 1, 2);
    play_declare(&play, 3, 1, 2);
    play_declare(&play, 2, 1, 3);
    play_expect(&play, "worker 4: notifier pad@1 ok\n"
                       "worker 3: notifier pad@1 ok\n"
                       "worker 2: notifier pad@1 refused (pad@1 already has readers=2; it cannot have "
                       "readers=3)\n");
    play_wait_readers(&play, 4, 1);
    play_expect(&play, "");
    play_read(&play, 3, 1);
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 2 of 2\n");
    play_finish(&play);
}

static void test_declared_readers_that_cannot_come(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_declare(&play, 4, 1, 4);
    play_wait_readers(&play, 4, 1);
    play_read(&play, 1, 1);
    play_past(&play, 2, 1, NULL);
    play_expect(&play, "worker 4: notifier pad@1 ok\n");
    play_past(&play, 3, 1, NULL);
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 2 of 4\n");
    play_finish(&play);
}

static void test_signals_of_a_step_that_is_over(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_past(&play, 4, 1, NULL);
    play_written(&play, 4, 1, "late");
    play_expect(&play, "worker 4: written pad@1 refused (step 1 of this worker is over: written() belongs to "
                       "the step that the worker is in)\n");
    play_past(&play, 3, 1, NULL);
    play_read(&play, 3, 1);
    play_read(&play, 1, 1);
    play_read(&play, 2, 1);
    play_wait_readers(&play, 4, 1);
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 3 of 4\n"); /* 3 does not count */
    play_finish(&play);
}

static void test_two_that_wait_for_readers_without_having_read(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_wait_readers(&play, 3, 1);
    play_wait_readers(&play, 4, 1);
    play_read(&play, 1, 1);
    play_read(&play, 2, 1);
    play_expect(&play, ""); /* each could still read, as far as the other knows */
    play_lose(&play, 3, "gone");
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 3 of 4\n");
    play_finish(&play);
}

static void test_waits_that_end_alike_share_a_reply(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    for (uint32_t worker = 0; worker < 5; worker++) {
        play_past(&play, worker, 1, NULL);
    }
    struct operation wait = {.kind = OPERATION_WAIT_READERS, .name = bytes_of_string("pad"), .step = 1};
    play_operation(&play, 0, 4, wait);
    /* Worker 0 has read, the others left without reading. */
    play_expect(&play, "worker 0: wait_for_readers pad@1 ok 1 of 5\n"
                       "workers 1–4: wait_for_readers pad@1 ok 1 of 4\n");
    play_finish(&play);
}

static void test_a_room_of_as_many_as_a_word_has_bits(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 64);
    play_wait_readers(&play, 0, 1);
    for (uint32_t worker = 1; worker < 64; worker++) {
        play_expect(&play, "");
        play_read(&play, worker, 1);
    }
    play_expect(&play, "worker 0: wait_for_readers pad@1 ok 64 of 64\n");
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_are_counted_by_worker),
        cmocka_unit_test(test_a_reader_that_fails_is_not_waited_for),
        cmocka_unit_test(test_strict_says_who_did_not_read),
        cmocka_unit_test(test_strict_does_not_miss_who_ended_in_order_before),
        cmocka_unit_test(test_the_writer_need_not_read),
        cmocka_unit_test(test_strict_misses_who_ended_after_the_step),
        cmocka_unit_test(test_strict_is_content_when_all_have_read),
        cmocka_unit_test(test_declared_readers),
        cmocka_unit_test(test_declared_readers_that_cannot_come),
        cmocka_unit_test(test_signals_of_a_step_that_is_over),
        cmocka_unit_test(test_two_that_wait_for_readers_without_having_read),
        cmocka_unit_test(test_waits_that_end_alike_share_a_reply),
        cmocka_unit_test(test_a_room_of_as_many_as_a_word_has_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
