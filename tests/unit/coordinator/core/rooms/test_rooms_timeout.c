/* Waits that time out at the same time, more than one settling answers. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WORKERS 1000u
#define REPLIES 300u /* each of a timeout of its own */

/* Few replies, but each is about all workers of the room. */
static void expect_two_settlings(struct play *play, enum operation_kind kind)
{
    for (uint32_t worker = 0; worker < REPLIES; worker++) {
        struct operation wait = {
            .kind = kind, .name = bytes_of_string("pad"), .step = 1, .timeout_ms = worker + 1};
        play_operation(play, worker, worker, wait);
    }
    play_settle(play);
    uint64_t before = play_count(play).live_waits;
    play->now_ns += REPLIES * PLAY_MS;
    rooms_settle(play->rooms, play->now_ns, &play->news);
    assert_int_equal(rooms_due_ns(play->rooms), 0);
    assert_in_range(play->news.reply_count, 1, REPLIES - 1);
    assert_int_equal(play_count(play).live_waits, before - play->news.reply_count);
    rooms_settle(play->rooms, play->now_ns, &play->news);
    assert_int_equal(play_count(play).live_waits, before - REPLIES);
    assert_true(rooms_due_ns(play->rooms) > 0);
}

static void test_many_that_wait_for_the_same_writer(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, WORKERS);
    play.is_quiet = true;
    struct operation wait = {
        .kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = 1, .timeout_ms = 60000};
    play_operation(&play, REPLIES, WORKERS - 2, wait);
    expect_two_settlings(&play, OPERATION_WAIT_WRITER);
    play_finish(&play);
}

static void test_many_that_are_past_the_step(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, WORKERS);
    play.is_quiet = true;
    struct operation past = {.kind = OPERATION_PAST, .step = 1};
    play_operation(&play, REPLIES, WORKERS - 2, past);
    expect_two_settlings(&play, OPERATION_WAIT_READERS);
    play_finish(&play);
}

static void meets(struct play *play, uint32_t worker, enum barrier_timeout on_timeout)
{
    struct operation operation = {.kind = OPERATION_BARRIER,
                                  .name = bytes_of_string("rush"),
                                  .step = 1,
                                  .count = 3,
                                  .timeout_ms = 100 + worker,
                                  .on_timeout = on_timeout};
    play_operation(play, worker, worker, operation);
}

static void play_later(struct play *play, uint64_t ms)
{
    play->now_ns += ms * PLAY_MS;
}

static void test_who_timed_out_at_a_barrier_counts(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 4);
    meets(&play, 0, BARRIER_TIMEOUT_FAIL);
    meets(&play, 1, BARRIER_TIMEOUT_FAIL);
    play_expect(&play, "");
    play_later(&play, 200);
    play_expect(&play,
                "worker 0: barrier rush@1 timeout 2 of 3 (waited 100 ms for barrier rush@1: 2 of 3 have "
                "arrived; workers 2–3 are in step 1) without workers 2–3\n"
                "worker 1: barrier rush@1 timeout 2 of 3 (waited 101 ms for barrier rush@1: 2 of 3 have "
                "arrived; workers 2–3 are in step 1) without workers 2–3\n");
    meets(&play, 2, BARRIER_TIMEOUT_FAIL);
    play_expect(&play, "worker 2: barrier rush@1 ok 3 of 3 rank 3 with 1 present\n");
    play_finish(&play);
}

static void test_who_left_a_barrier_does_not(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 4);
    play.is_quiet = true;
    meets(&play, 0, BARRIER_TIMEOUT_LEAVE);
    meets(&play, 1, BARRIER_TIMEOUT_LEAVE);
    play_settle(&play);
    play_later(&play, 200);
    play_settle(&play);
    play.is_quiet = false;
    play_expect(&play, "");
    meets(&play, 2, BARRIER_TIMEOUT_LEAVE);
    meets(&play, 3, BARRIER_TIMEOUT_LEAVE);
    play_expect(&play, "");
    play_past(&play, 0, 1, NULL);
    play_expect(&play, "");
    play_past(&play, 1, 1, NULL);
    play_expect(&play, "workers 2–3: barrier rush@1 ok 4 of 3 rank 3 with 2 present\n");
    play_finish(&play);
}

static void test_who_is_present_goes(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 4);
    meets(&play, 0, BARRIER_TIMEOUT_GO);
    meets(&play, 1, BARRIER_TIMEOUT_FAIL);
    play_expect(&play, "");
    play_later(&play, 100);
    play_expect(&play, "workers 0–1: barrier rush@1 ok 2 of 3 rank 1\n");
    meets(&play, 2, BARRIER_TIMEOUT_GO);
    play_expect(&play, "worker 2: barrier rush@1 ok 3 of 3 rank 3 with 1 present\n");
    play_finish(&play);
}

static void play_crowds(struct play *play, struct campaign_report *report, char line[256])
{
    play_settle(play);
    report->made_ns = play->now_ns;
    report->crowd_count = 0;
    rooms_describe_waits(play->rooms, report, line, 256);
}

static void test_who_waits_for_what_and_since_when(void **state)
{
    (void)state;
    struct play play;
    struct campaign_report report = {.crowd_count = 0};
    char line[256];
    play_init_synchronised(&play, 8);
    play_crowds(&play, &report, line);
    assert_int_equal(report.crowd_count, 0);
    assert_string_equal(line, "");
    struct operation wait = {.kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = 1};
    play_operation(&play, 0, 0, wait);
    play_later(&play, 1500);
    meets(&play, 1, BARRIER_TIMEOUT_FAIL);
    wait.step = 2;
    play_operation(&play, 2, 4, wait);
    play_later(&play, 50);
    play_crowds(&play, &report, line);
    assert_int_equal(report.crowd_count, 2);
    assert_int_equal(report.crowds[0].kind, OPERATION_WAIT_WRITER);
    assert_true(bytes_equal_string(report.crowds[0].name, "pad"));
    assert_int_equal(report.crowds[0].workers, 4);
    assert_int_equal(report.crowds[0].first_step, 1);
    assert_int_equal(report.crowds[0].last_step, 2);
    assert_int_equal(report.crowds[0].oldest_ns, 1550 * (uint64_t)PLAY_MS);
    assert_int_equal(report.crowds[1].kind, OPERATION_BARRIER);
    assert_int_equal(report.crowds[1].workers, 1);
    assert_int_equal(report.crowds[1].oldest_ns, 50 * (uint64_t)PLAY_MS);
    assert_string_equal(line, "4 wait for the writer of pad@1–2 · 1 for barrier rush@1");
    play_finish(&play);
}

/* The ones of the most workers are kept, most first, however many there are. */
static void test_the_largest_crowds_are_kept(void **state)
{
    (void)state;
    struct play play;
    struct campaign_report report = {.crowd_count = 0};
    char line[256];
    char name[] = "a";
    uint32_t worker = 1;
    play_init_synchronised(&play, 100);
    for (uint32_t crowd = 1; crowd <= 12; crowd++) {
        struct operation wait = {.kind = OPERATION_WAIT_WRITER, .name = bytes_of_string(name), .step = 1};
        play_operation(&play, worker, worker + crowd - 1, wait);
        worker += crowd;
        name[0]++;
    }
    play_crowds(&play, &report, line);
    assert_int_equal(report.crowd_count, REPORT_WAIT_CROWDS);
    for (uint32_t place = 0; place < REPORT_WAIT_CROWDS; place++) {
        char expected[] = {(char)('l' - place), '\0'};
        assert_int_equal(report.crowds[place].workers, 12 - place);
        assert_true(bytes_equal_string(report.crowds[place].name, expected));
    }
    assert_string_equal(line, "1 waits for the writer of a@1 · 2 for the writer of b@1 · 3 for the writer "
                              "of c@1 · 72 for something else");
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_waits_for_what_and_since_when),
        cmocka_unit_test(test_the_largest_crowds_are_kept),
        cmocka_unit_test(test_who_timed_out_at_a_barrier_counts),
        cmocka_unit_test(test_who_left_a_barrier_does_not),
        cmocka_unit_test(test_who_is_present_goes),
        cmocka_unit_test(test_many_that_wait_for_the_same_writer),
        cmocka_unit_test(test_many_that_are_past_the_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
