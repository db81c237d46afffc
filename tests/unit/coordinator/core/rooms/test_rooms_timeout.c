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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_that_wait_for_the_same_writer),
        cmocka_unit_test(test_many_that_are_past_the_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
