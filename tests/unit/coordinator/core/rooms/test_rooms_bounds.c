/* The bounds of rooms: how much they hold, what they refuse beyond it, and that they return everything to the
 * quota. */
#include "common/value.h"
#include "tests/unit/coordinator/core/rooms/play.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t LARGEST_PAYLOAD[VALUE_MAX_BYTES];

static void test_a_million_workers_that_never_meet(void **state)
{
    (void)state;
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    struct play play;
    play_init_rooms(&play, 1000000, 5);
    struct operation ended = {.kind = OPERATION_ENDED};
    play_operation(&play, 0, 499999, ended);
    play_settle(&play);
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    assert_in_range(after - before, 0, 4000000);
    assert_int_equal(rooms_live_workers(play.rooms), 500000);
    play_finish(&play);
}

static void declare_numbered(struct play *play, const char *stem, uint32_t number, uint32_t readers)
{
    char name[32];
    snprintf(name, sizeof name, "%s%u", stem, (unsigned)number);
    struct operation declare = {
        .kind = OPERATION_DECLARE, .name = bytes_of_string(name), .step = 1, .count = readers};
    play_operation(play, 0, 0, declare);
}

static void test_notifiers_are_bounded(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play.is_quiet = true;
    enum outcome outcome = OUTCOME_OK;
    uint32_t made = 0;
    for (uint64_t step = 2; outcome == OUTCOME_OK && step < 200000; step++) {
        play_declare(&play, 0, step, 1);
        play_settle(&play);
        outcome = play.news.replies[0].outcome;
        made++;
    }
    assert_int_equal(outcome, OUTCOME_REFUSED);
    assert_int_equal(made, 100000);
    play_read(&play, 1, 1); /* known ones still work */
    play_wait_readers(&play, 0, 1);
    play_settle(&play);
    assert_int_equal(play.news.replies[0].outcome, OUTCOME_OK);
    play_finish(&play);
}

static void test_many_notifiers_in_a_step(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play.is_quiet = true;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 100; i++) {
            declare_numbered(&play, "pad", i, i + 1 + round);
            play_settle(&play);
            assert_int_equal(play.news.replies[0].outcome, round == 0 ? OUTCOME_OK : OUTCOME_REFUSED);
        }
    }
    assert_int_equal(play_count(&play).live_notifiers, 101);
    play_finish(&play);
}

/* Uses up the quota of a room. */
static void fill(struct play *play)
{
    for (uint32_t made = 1; made < 100000; made++) { /* one exists already: pad@1 */
        declare_numbered(play, "n", made, 1);
    }
    play->is_quiet = true;
    play_settle(play);
    assert_int_equal(play->news.replies[play->news.reply_count - 1].outcome, OUTCOME_OK);
    play->is_quiet = false;
}

static void refused(struct play *play, enum operation_kind kind)
{
    struct operation one_more = {
        .kind = kind, .name = bytes_of_string("more"), .step = 1, .value = play_value("x")};
    play_operation(play, 1, 1, one_more);
    play_settle(play);
    assert_int_equal(play->news.reply_count, 1);
    assert_int_equal(play->news.replies[0].outcome, OUTCOME_REFUSED);
    assert_int_equal(play_count(play).live_waits, 0);
}

static void test_a_full_room_refuses_each_kind(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    fill(&play);
    play.is_quiet = true;
    refused(&play, OPERATION_DECLARE);
    refused(&play, OPERATION_WRITTEN);
    refused(&play, OPERATION_WAIT_WRITER);
    refused(&play, OPERATION_WAIT_READERS);
    refused(&play, OPERATION_BARRIER);
    struct operation read = {.kind = OPERATION_READ, .name = bytes_of_string("more"), .step = 1};
    play_operation(&play, 1, 1, read);
    play_settle(&play); /* it is not answered */
    assert_int_equal(play.news.reply_count, 0);
    play_finish(&play);
}

static enum outcome write_bytes(struct play *play, const char *name, uint64_t step, struct bytes payload)
{
    struct operation written = {
        .kind = OPERATION_WRITTEN, .name = bytes_of_string(name), .step = step, .value = payload};
    play_operation(play, 0, 0, written);
    play_settle(play);
    return play->news.replies[0].outcome;
}

/* Worker 0 writes as much as it may, and continues. */
static enum outcome write_largest(struct play *play, uint64_t step)
{
    enum outcome outcome = write_bytes(play, "pad", step, bytes_of(LARGEST_PAYLOAD, sizeof LARGEST_PAYLOAD));
    play_past(play, 0, step, NULL);
    return outcome;
}

static void test_payloads_are_bounded(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 2);
    play.is_quiet = true;
    enum outcome outcome = OUTCOME_OK;
    uint64_t step = 1;
    for (; outcome == OUTCOME_OK && step < 20000; step++) {
        outcome = write_largest(&play, step);
    }
    assert_int_equal(outcome, OUTCOME_REFUSED);
    assert_in_range(step, 1000, 1030); /* 64 MiB of 64 KiB */
    play_past(&play, 1, step, NULL);
    play_settle(&play); /* makes space */
    for (uint64_t again = step; again < step + 100; again++) {
        assert_int_equal(write_largest(&play, again), OUTCOME_OK);
    }
    play_finish(&play);
}

static void test_payloads_give_back_their_room(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 1);
    play.is_quiet = true;
    for (uint64_t step = 1; step < 9000; step++) { /* far more than 64 MiB, one after the other */
        assert_int_equal(write_largest(&play, step), OUTCOME_OK);
    }
    play_finish(&play);
}

/* What was refused for the quota is not returned to it when everything is freed. */
static void test_steps_that_found_no_room_leave_nothing(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 1);
    play.is_quiet = true;
    char name[32];
    for (size_t size = VALUE_MAX_BYTES; size > 0; size /= 2) {
        enum outcome outcome = OUTCOME_OK;
        while (outcome == OUTCOME_OK) {
            snprintf(name, sizeof name, "n%u", (unsigned)play_count(&play).live_notifiers);
            outcome = write_bytes(&play, name, 1, bytes_of(LARGEST_PAYLOAD, size));
        }
    }
    for (uint64_t step = 2; step < 1000; step++) {
        assert_int_equal(write_bytes(&play, name, step, bytes_of(LARGEST_PAYLOAD, 1)), OUTCOME_REFUSED);
    }
    play_past(&play, 0, 2000, NULL);
    play_settle(&play);
    assert_int_equal(play_count(&play).live_notifiers, 0);
    play_finish(&play);
}

static void test_texts_stay_within_their_bound(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 3);
    char name[256];
    char failure[2000];
    memset(name, 1, sizeof name - 1);
    memset(failure, 'e', sizeof failure - 1);
    name[sizeof name - 1] = failure[sizeof failure - 1] = '\0';
    struct operation wait = {
        .kind = OPERATION_WAIT_WRITER, .name = bytes_of_string(name), .step = 1, .timeout_ms = 10};
    play_operation(&play, 0, 1, wait);
    play_past(&play, 2, 1, failure);
    play_settle(&play);
    assert_int_equal(play.news.replies[0].outcome, OUTCOME_SHORT);
    assert_in_range(play.news.replies[0].text.size, 1000, 2000);
    assert_true(bytes_is_printable(play.news.replies[0].text));
    play_finish(&play);
}

static void test_few_are_named_of_many_that_are_missing(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 1000);
    struct operation wait = {
        .kind = OPERATION_WAIT_READERS, .name = bytes_of_string("pad"), .step = 1, .timeout_ms = 10};
    play_operation(&play, 5, 5, wait);
    play_pass_ms(&play, 10);
    play_expect(
        &play,
        "worker 5: wait_for_readers pad@1 timeout 1 of 999 (waited 10 ms for the readers of "
        "pad@1: 1 of 999 have read; workers 1–4 and 6–33 are in step 1, 966 more) without workers 1–4 and "
        "6–33\n");
    play_finish(&play);
}

static void test_no_wait_is_unbounded(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = {.workers = 2};
    play_init(&play, &options);
    play_wait_writer(&play, 0, 1);
    play_pass_ms(&play, 59999);
    play_expect(&play, "room 0 synchronises\n");
    play_pass_ms(&play, 1);
    assert_int_equal(play_count(&play).live_waits, 0);
    struct operation wait = {
        .kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = 1, .timeout_ms = UINT64_MAX};
    play_operation(&play, 0, 0, wait);
    play_pass_ms(&play, 1000000);
    assert_int_equal(play_count(&play).live_waits, 1);
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_million_workers_that_never_meet),
        cmocka_unit_test(test_notifiers_are_bounded),
        cmocka_unit_test(test_many_notifiers_in_a_step),
        cmocka_unit_test(test_a_full_room_refuses_each_kind),
        cmocka_unit_test(test_payloads_are_bounded),
        cmocka_unit_test(test_payloads_give_back_their_room),
        cmocka_unit_test(test_steps_that_found_no_room_leave_nothing),
        cmocka_unit_test(test_texts_stay_within_their_bound),
        cmocka_unit_test(test_few_are_named_of_many_that_are_missing),
        cmocka_unit_test(test_no_wait_is_unbounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
