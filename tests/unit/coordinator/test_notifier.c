/* The scene, and everything that can go wrong in it: writers, readers, and what each is told. */
#include "tests/unit/coordinator/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Five workers in one room whose progress is known; worker 4 writes. */
static void set_up(struct play *play)
{
    struct campaign_options options = play_options(5);
    play_init(play, &options);
    play_read(play, 0, 1);
    play_known(play);
    play_expect(play, "room 0 synchronises\n");
}

static void readers_wait(struct play *play, uint64_t step)
{
    struct operation wait = {.kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = step};
    play_operation(play, 0, 3, wait);
}

static void readers_end(struct play *play, uint64_t step)
{
    for (uint32_t worker = 0; worker < 4; worker++) {
        play_past(play, worker, step, NULL);
    }
}

static void test_a_round(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    readers_wait(&play, 1);
    play_expect(&play, "");
    play_written(&play, 4, 1, "hello");
    play_expect(&play, "worker 4: written pad@1 ok won\n"
                       "workers 0–3: wait_for_writer pad@1 ok \"hello\"\n");
    play_past(&play, 4, 1, NULL);
    play_wait_readers(&play, 4, 1);
    for (uint32_t reader = 1; reader < 4; reader++) {
        play_expect(&play, ""); /* worker 0 read in set_up */
        play_read(&play, reader, 1);
    }
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 4 of 4\n");
    play_finish(&play);
}

static void test_a_reader_of_a_step_sees_its_payload_only(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
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
    set_up(&play);
    play_written(&play, 4, 1, "one");
    play_written(&play, 3, 1, "two");
    play_wait_writer(&play, 0, 1);
    play_expect(&play, "worker 4: written pad@1 ok won\n"
                       "worker 3: written pad@1 ok\n"
                       "worker 0: wait_for_writer pad@1 ok \"one\"\n");
    play_finish(&play);
}

static void test_reads_are_counted_by_worker(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    play_written(&play, 4, 1, "x");
    play_past(&play, 4, 1, NULL);
    play_wait_readers(&play, 4, 1);
    play_read(&play, 1, 1);
    play_read(&play, 1, 1);
    play_read(&play, 1, 1);
    play_read(&play, 2, 1);
    play_expect(&play, "worker 4: written pad@1 ok won\n"); /* worker 3 has not */
    play_read(&play, 3, 1);
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 4 of 4\n");
    play_finish(&play);
}

static void test_a_reader_that_fails_is_not_waited_for(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    play_written(&play, 4, 1, "x");
    play_past(&play, 4, 1, NULL);
    play_wait_readers(&play, 4, 1);
    play_read(&play, 1, 1);
    play_read(&play, 2, 1);
    play_expect(&play, "worker 4: written pad@1 ok won\n");
    play_past(&play, 3, 1, "it was not there");
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 3 of 4\n");
    play_finish(&play);
}

static void test_strict_says_who_did_not_read(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    play_written(&play, 4, 1, "x");
    play_past(&play, 4, 1, NULL);
    struct operation wait = {
        .kind = OPERATION_WAIT_READERS, .name = bytes_of_string("pad"), .step = 1, .is_strict = true};
    play_operation(&play, 4, 4, wait);
    play_read(&play, 1, 1);
    play_past(&play, 3, 1, "it was not there");
    play_expect(&play, "worker 4: written pad@1 ok won\n");
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
    set_up(&play);
    readers_end(&play, 1);
    play_past(&play, 4, 1, NULL);
    play_ended(&play, 3, NULL);
    play_read(&play, 0, 2);
    play_read(&play, 1, 2);
    play_read(&play, 2, 2);
    struct operation wait = {
        .kind = OPERATION_WAIT_READERS, .name = bytes_of_string("pad"), .step = 2, .is_strict = true};
    play_operation(&play, 4, 4, wait);
    play_expect(&play, "worker 4: wait_for_readers pad@2 ok 3 of 3\n");
    play_finish(&play);
}

static void test_strict_misses_who_ended_after_the_step(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    play_read(&play, 1, 1);
    play_read(&play, 2, 1);
    struct operation ended = {.kind = OPERATION_ENDED, .step = 1}; /* its last one */
    play_operation(&play, 3, 3, ended);
    struct operation wait = {
        .kind = OPERATION_WAIT_READERS, .name = bytes_of_string("pad"), .step = 1, .is_strict = true};
    play_operation(&play, 4, 4, wait);
    play_expect(&play, "worker 4: wait_for_readers pad@1 short 3 of 4 (not everybody has read pad@1, 3 of 4 "
                       "have read: worker 3 ended step 1 without reading) without worker 3\n");
    play_finish(&play);
}

static void test_strict_is_content_when_all_have_read(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    for (uint32_t reader = 1; reader < 4; reader++) {
        play_read(&play, reader, 1);
    }
    struct operation wait = {
        .kind = OPERATION_WAIT_READERS, .name = bytes_of_string("pad"), .step = 1, .is_strict = true};
    play_operation(&play, 4, 4, wait);
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 4 of 4\n");
    play_finish(&play);
}

static void declare(struct play *play, uint32_t worker, uint64_t step, uint32_t readers)
{
    struct operation operation = {
        .kind = OPERATION_DECLARE, .name = bytes_of_string("pad"), .step = step, .count = readers};
    play_operation(play, worker, worker, operation);
}

static void test_declared_readers(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    declare(&play, 4, 1, 2);
    declare(&play, 3, 1, 2);
    declare(&play, 2, 1, 3);
    play_expect(&play, "worker 4: notifier pad@1 ok\n"
                       "worker 3: notifier pad@1 ok\n"
                       "worker 2: notifier pad@1 refused (pad@1 has readers=2 already; it cannot have "
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
    set_up(&play);
    declare(&play, 4, 1, 4);
    play_wait_readers(&play, 4, 1);
    play_read(&play, 1, 1);
    play_past(&play, 2, 1, NULL);
    play_expect(&play, "worker 4: notifier pad@1 ok\n");
    play_past(&play, 3, 1, NULL);
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 2 of 4\n");
    play_finish(&play);
}

static void test_a_writer_that_fails_is_told_to_its_readers(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    readers_end(&play, 1);
    readers_end(&play, 2);
    readers_wait(&play, 3);
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
    set_up(&play);
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
    set_up(&play);
    readers_wait(&play, 1);
    play_wait_writer(&play, 4, 1);
    play_expect(&play, "");
    play_finish(&play);
}

/* Worker 0 is the only one past step 1: it is not "somebody else", so it goes on waiting when the others end.
 */
static void test_who_waits_for_an_earlier_writer_is_not_its_own_reason(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    play_past(&play, 0, 1, NULL);
    for (uint32_t worker = 0; worker < 5; worker++) {
        play_wait_writer(&play, worker, 1);
    }
    play_expect(&play, "workers 1–4: wait_for_writer pad@1 short (nobody is left to write pad@1: worker 0 "
                       "ended step 1 without writing) without worker 0\n");
    play_past(&play, 1, 1, "short");
    play_expect(&play, ""); /* 2, 3 and 4 are still on their way */
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
    set_up(&play);
    readers_end(&play, 1);
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
    set_up(&play);
    play_past(&play, 4, 1, "out of ink");
    play_past(&play, 4, 2, NULL);
    readers_wait(&play, 1);
    play_expect(&play, "workers 0–3: wait_for_writer pad@1 short (nobody is left to write pad@1: worker 4 "
                       "ended step 1 without writing (out of ink)) without worker 4\n");
    play_finish(&play);
}

static void test_signals_of_a_step_that_is_over(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
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

static void test_timeouts_say_who_is_missing(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    readers_end(&play, 1);
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
    set_up(&play);
    readers_wait(&play, 1);
    play_pass_ms(&play, 60000);
    play_expect(&play, "workers 0–3: wait_for_writer pad@1 timeout (waited 1 m for the writer of pad@1: "
                       "worker 4 is in step 1) without worker 4\n");
    play_finish(&play);
}

static void test_a_write_at_the_last_moment_counts(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    readers_wait(&play, 1);
    play_pass_ms(&play, 59999);
    play.now_ns += 2 * PLAY_MS;
    play_written(&play, 4, 1, "x");
    play_expect(&play, "worker 4: written pad@1 ok won\n"
                       "workers 0–3: wait_for_writer pad@1 ok \"x\"\n");
    play_finish(&play);
}

static void test_two_that_wait_for_readers_without_having_read(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    play_wait_readers(&play, 3, 1);
    play_wait_readers(&play, 4, 1);
    play_read(&play, 1, 1);
    play_read(&play, 2, 1);
    play_expect(&play, ""); /* each could still read, as far as the other knows */
    play_lose(&play, 3, "gone");
    play_expect(&play, "worker 4: wait_for_readers pad@1 ok 3 of 4\n");
    play_finish(&play);
}

static void test_rooms_of_one_turn(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(4);
    options.room_size = 2;
    play_init(&play, &options);
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

static void test_waits_that_end_alike_share_a_reply(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    for (uint32_t worker = 0; worker < 5; worker++) {
        play_past(&play, worker, 1, NULL);
    }
    struct operation wait = {.kind = OPERATION_WAIT_READERS, .name = bytes_of_string("pad"), .step = 1};
    play_operation(&play, 0, 4, wait);
    /* Worker 0 has read, the others left without. */
    play_expect(&play, "worker 0: wait_for_readers pad@1 ok 1 of 5\n"
                       "workers 1–4: wait_for_readers pad@1 ok 1 of 4\n");
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_round),
        cmocka_unit_test(test_a_reader_of_a_step_sees_its_payload_only),
        cmocka_unit_test(test_the_first_write_wins),
        cmocka_unit_test(test_reads_are_counted_by_worker),
        cmocka_unit_test(test_a_reader_that_fails_is_not_waited_for),
        cmocka_unit_test(test_strict_says_who_did_not_read),
        cmocka_unit_test(test_strict_does_not_miss_who_ended_in_order_before),
        cmocka_unit_test(test_strict_misses_who_ended_after_the_step),
        cmocka_unit_test(test_strict_is_content_when_all_have_read),
        cmocka_unit_test(test_declared_readers),
        cmocka_unit_test(test_declared_readers_that_cannot_come),
        cmocka_unit_test(test_a_writer_that_fails_is_told_to_its_readers),
        cmocka_unit_test(test_short_only_when_all_others_wait),
        cmocka_unit_test(test_nobody_past_is_not_short),
        cmocka_unit_test(test_who_waits_for_an_earlier_writer_is_not_its_own_reason),
        cmocka_unit_test(test_the_causes_of_short_stand_in_order),
        cmocka_unit_test(test_a_failure_is_told_also_when_its_worker_has_gone_on),
        cmocka_unit_test(test_signals_of_a_step_that_is_over),
        cmocka_unit_test(test_timeouts_say_who_is_missing),
        cmocka_unit_test(test_waits_that_began_together_time_out_together),
        cmocka_unit_test(test_a_write_at_the_last_moment_counts),
        cmocka_unit_test(test_two_that_wait_for_readers_without_having_read),
        cmocka_unit_test(test_rooms_of_one_turn),
        cmocka_unit_test(test_waits_that_end_alike_share_a_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
