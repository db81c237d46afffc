/* When readers saw what was written, and whether they saw the same. */
#include "common/digest.h"
#include "coordinator/core/rooms/sightings.h"
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define EDIT_MS 1000

/* Five workers in a room; worker 4 writes. */
static void set_up(struct play *play)
{
    play_init_rooms(play, 10, 5);
    play->is_quiet = true;
    play_known(play);
}

static int64_t ns(double ms)
{
    return (int64_t)(ms * 1e6);
}

static void signal_at(struct play *play, enum operation_kind kind, uint32_t worker, uint64_t step, double ms)
{
    struct operation operation = {.kind = kind,
                                  .room = worker / 5,
                                  .name = bytes_of_string("pad"),
                                  .step = step,
                                  .value = play_value("text"),
                                  .first_ns = ns(ms),
                                  .uncertainty_us = 100 + worker};
    play_operation(play, worker, worker, operation);
}

static void saw(struct play *play, uint32_t worker, uint64_t step, const char *text)
{
    uint8_t digest[OPERATION_DIGEST_BYTES];
    digest_start_of(bytes_of_string(text), digest, sizeof digest);
    struct operation operation = {.kind = OPERATION_READ,
                                  .room = worker / 5,
                                  .name = bytes_of_string("pad"),
                                  .step = step,
                                  .first_ns = ns(2000),
                                  .digest = bytes_of(digest, sizeof digest)};
    play_operation(play, worker, worker, operation);
}

/* All are past the step and the next one, so that it is over. */
static void end_step(struct play *play, uint64_t step)
{
    for (uint32_t worker = 0; worker < 10; worker++) {
        play_past(play, worker, step + 1, NULL);
    }
    play_settle(play);
}

static const struct seen_report *report(struct play *play, struct campaign_report *into)
{
    play_settle(play);
    sightings_report(rooms_sightings(play->rooms), into);
    return into->seen_count == 1 ? into->seen : NULL;
}

static void test_time_counts_from_the_edit(void **state)
{
    (void)state;
    struct play play;
    struct campaign_report told = {0};
    set_up(&play);
    signal_at(&play, OPERATION_WRITING, 4, 1, EDIT_MS);
    signal_at(&play, OPERATION_WRITTEN, 4, 1, EDIT_MS + 500);
    signal_at(&play, OPERATION_READ, 0, 1, EDIT_MS + 30);
    signal_at(&play, OPERATION_READ, 1, 1, EDIT_MS + 10);
    signal_at(&play, OPERATION_READ, 1, 1, EDIT_MS + 900); /* counts once */
    const struct seen_report *seen = report(&play, &told);
    assert_non_null(seen);
    assert_int_equal(seen->seen_count, 2);
    assert_int_equal(histogram_quantile(seen->seen_us, 0.5), 10007);
    assert_int_equal(histogram_maximum(seen->seen_us), 30000);
    assert_int_equal(seen->uncertainty_us, 104 + 101);
    assert_int_equal(seen->last_count, 0); /* not over yet */
    end_step(&play, 1);
    seen = report(&play, &told);
    assert_int_equal(histogram_maximum(seen->spread_us), 20000);
    assert_int_equal(seen->last_count, 1);
    assert_int_equal(seen->last[0].worker, 0);
    assert_int_equal(seen->last[0].times, 1);
    assert_int_equal(seen->steps_compared, 0);
    play_finish(&play);
}

static void test_written_stands_in_for_writing(void **state)
{
    (void)state;
    struct play play;
    struct campaign_report told = {0};
    set_up(&play);
    signal_at(&play, OPERATION_WRITTEN, 4, 1, EDIT_MS);
    signal_at(&play, OPERATION_WRITTEN, 3, 1, EDIT_MS + 50); /* too late */
    signal_at(&play, OPERATION_READ, 0, 1, EDIT_MS + 70);
    assert_int_equal(histogram_maximum(report(&play, &told)->seen_us), 70000);
    play_finish(&play);
}

/* Reports of agents arrive in any order. */
static void test_a_sighting_may_be_told_before_the_edit(void **state)
{
    (void)state;
    struct play play;
    struct campaign_report told = {0};
    set_up(&play);
    signal_at(&play, OPERATION_READ, 0, 1, EDIT_MS + 5);
    signal_at(&play, OPERATION_READ, 1, 1, EDIT_MS - 5);
    assert_null(report(&play, &told));
    signal_at(&play, OPERATION_WRITTEN, 4, 1, EDIT_MS);
    const struct seen_report *seen = report(&play, &told);
    assert_int_equal(seen->seen_count, 2);
    assert_int_equal(histogram_maximum(seen->seen_us), 5000);
    assert_int_equal(histogram_quantile(seen->seen_us, 0.5), 0);
    assert_int_equal(seen->before_edit, 1);
    play_finish(&play);
}

static void read_with(struct play *play, uint32_t worker, const char *browser, bool is_at_once, double ms)
{
    struct operation operation = {.kind = OPERATION_READ,
                                  .room = worker / 5,
                                  .name = bytes_of_string("pad"),
                                  .step = 1,
                                  .text = bytes_of_string(browser),
                                  .is_at_once = is_at_once,
                                  .first_ns = ns(ms)};
    play_operation(play, worker, worker, operation);
}

static void test_what_was_there_at_once_is_in_no_number(void **state)
{
    (void)state;
    struct play play;
    struct campaign_report told = {0};
    set_up(&play);
    read_with(&play, 0, "", true, EDIT_MS + 900);
    const struct seen_report *seen = report(&play, &told);
    assert_non_null(seen);
    assert_int_equal(seen->at_once, 1);
    signal_at(&play, OPERATION_WRITTEN, 4, 1, EDIT_MS);
    read_with(&play, 1, "", false, EDIT_MS + 20);
    read_with(&play, 2, "", false, EDIT_MS + 30);
    read_with(&play, 3, "", true, EDIT_MS + 700);
    end_step(&play, 1);
    seen = report(&play, &told);
    assert_int_equal(seen->seen_count, 2);
    assert_int_equal(seen->at_once, 2);
    assert_int_equal(histogram_maximum(seen->seen_us), 30000);
    assert_int_equal(histogram_maximum(seen->spread_us), 10000);
    assert_int_equal(seen->last[0].worker, 2);
    assert_int_equal(seen->part_count, 0);
    play_finish(&play);
}

static void test_browsers_are_counted_apart_too(void **state)
{
    (void)state;
    struct play play;
    struct campaign_report told = {0};
    set_up(&play);
    read_with(&play, 0, "firefox", false, EDIT_MS + 40);
    signal_at(&play, OPERATION_WRITTEN, 4, 1, EDIT_MS);
    assert_int_equal(report(&play, &told)->part_count, 0); /* one kind is no part */
    read_with(&play, 1, "chromium", false, EDIT_MS + 20);
    read_with(&play, 2, "firefox", true, EDIT_MS + 20);
    read_with(&play, 3, "", false, EDIT_MS + 60);
    const struct seen_report *seen = report(&play, &told);
    assert_int_equal(seen->seen_count, 3);
    assert_int_equal(seen->part_count, 2);
    assert_true(bytes_equal_string(seen->parts[0].browser, "firefox"));
    assert_int_equal(seen->parts[0].seen_count, 1);
    assert_int_equal(seen->parts[0].at_once, 1);
    assert_int_equal(histogram_maximum(seen->parts[0].seen_us), 40000);
    assert_true(bytes_equal_string(seen->parts[1].browser, "chromium"));
    assert_int_equal(histogram_maximum(seen->parts[1].seen_us), 20000);
    static const char *const names[] = {"a", "b", "c", "a much longer name than any browser has",
                                        "unprintable \x01"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        read_with(&play, 5 + i, names[i], false, EDIT_MS);
    }
    signal_at(&play, OPERATION_WRITTEN, 8, 1, EDIT_MS);
    seen = report(&play, &told);
    assert_int_equal(seen->part_count, SIGHTINGS_PARTS);
    assert_int_equal(seen->seen_count, 8);
    play_finish(&play);
}

static void test_many_readers_of_one_message(void **state)
{
    (void)state;
    static const uint32_t AFTER_US[] = {0, 100, 4000000000u, 7};
    struct play play;
    struct campaign_report told = {0};
    set_up(&play);
    signal_at(&play, OPERATION_WRITTEN, 4, 1, EDIT_MS);
    struct operation read = {.kind = OPERATION_READ,
                             .name = bytes_of_string("pad"),
                             .step = 1,
                             .first_ns = ns(EDIT_MS + 1),
                             .after_us = AFTER_US,
                             .after_count = 3};
    play_nonsense(&play, 0, 3, read, "one_read: 3 instants for other workers");
    read.after_count = 4;
    play_operation(&play, 0, 3, read);
    const struct seen_report *seen = report(&play, &told);
    assert_int_equal(seen->seen_count, 4);
    assert_int_equal(histogram_quantile(seen->seen_us, 0.25), 1000);
    assert_int_equal(histogram_maximum(seen->seen_us), 3600000000u); /* a longer time is an error */
    end_step(&play, 1);
    assert_int_equal(report(&play, &told)->last[0].worker, 2);
    play_finish(&play);
}

static void test_instants_beyond_all_bounds(void **state)
{
    (void)state;
    static const int64_t EXTREMES[] = {INT64_MIN, INT64_MAX, 1, -1};
    for (size_t edit = 0; edit < 4; edit++) {
        for (size_t seen = 0; seen < 4; seen++) {
            struct play play;
            set_up(&play);
            struct operation written = {.kind = OPERATION_WRITTEN,
                                        .name = bytes_of_string("pad"),
                                        .step = 1,
                                        .value = play_value("text"),
                                        .first_ns = EXTREMES[edit],
                                        .uncertainty_us = UINT32_MAX};
            play_operation(&play, 4, 4, written);
            written.kind = OPERATION_READ;
            written.first_ns = EXTREMES[seen];
            play_operation(&play, 0, 0, written);
            end_step(&play, 1);
            play_finish(&play);
        }
    }
}

static void test_what_is_not_known_is_not_counted(void **state)
{
    (void)state;
    struct play play;
    struct campaign_report told = {0};
    set_up(&play);
    signal_at(&play, OPERATION_WRITTEN, 4, 1, 0);
    signal_at(&play, OPERATION_READ, 0, 1, EDIT_MS);
    signal_at(&play, OPERATION_WRITTEN, 4, 2, EDIT_MS);
    signal_at(&play, OPERATION_READ, 0, 2, 0);
    assert_null(report(&play, &told));
    play_finish(&play);
}

static void test_readers_differ_from_what_was_written(void **state)
{
    (void)state;
    struct play play;
    struct campaign_report told = {0};
    struct bytes name;
    const struct divergence *first;
    set_up(&play);
    saw(&play, 0, 1, "other"); /* before it is known what was written */
    signal_at(&play, OPERATION_WRITTEN, 4, 1, EDIT_MS);
    saw(&play, 1, 1, "text");
    saw(&play, 2, 1, "other");
    signal_at(&play, OPERATION_WRITTEN, 9, 1, EDIT_MS);
    saw(&play, 5, 1, "text");
    assert_int_equal(sightings_diverged(rooms_sightings(play.rooms), &name, &first), 0);
    end_step(&play, 1);
    const struct seen_report *seen = report(&play, &told);
    assert_int_equal(seen->steps_compared, 2);
    assert_int_equal(seen->steps_diverged, 1);
    assert_int_equal(seen->reads_compared, 4);
    assert_int_equal(seen->reads_differed, 2);
    assert_int_equal(sightings_diverged(rooms_sightings(play.rooms), &name, &first), 1);
    assert_int_equal(first->room, 0);
    assert_int_equal(first->step, 1);
    assert_true(first->is_from_written);
    assert_int_equal(first->worker_count, 2);
    assert_int_equal(first->workers[0], 0);
    assert_int_equal(first->workers[1], 2);
    play_finish(&play);
}

/* Even if no text was written. */
static void test_readers_differ_from_most(void **state)
{
    (void)state;
    struct play play;
    struct campaign_report told = {0};
    set_up(&play);
    saw(&play, 0, 1, "one");
    saw(&play, 1, 1, "two");
    saw(&play, 2, 1, "two");
    saw(&play, 3, 1, "two");
    end_step(&play, 1);
    const struct seen_report *seen = report(&play, &told);
    assert_int_equal(seen->example_count, 1);
    assert_int_equal(seen->examples[0].differed, 1);
    assert_false(seen->examples[0].is_from_written);
    assert_int_equal(seen->examples[0].workers[0], 0);
    play_finish(&play);
}

/* At the end nothing is left out, even if a step is not over. */
static void test_steps_that_are_not_over_count_at_the_end(void **state)
{
    (void)state;
    struct play play;
    struct campaign_report told = {0};
    set_up(&play);
    signal_at(&play, OPERATION_WRITTEN, 4, 1, EDIT_MS);
    saw(&play, 0, 1, "other");
    struct sightings *sightings = rooms_take_sightings(play.rooms);
    sightings_report(sightings, &told);
    assert_int_equal(told.seen[0].steps_diverged, 1);
    assert_int_equal(told.seen[0].last_count, 1);
    sightings_free(&sightings);
    play_finish(&play);
}

static void test_more_texts_and_names_than_are_told_apart(void **state)
{
    (void)state;
    struct campaign_options options = play_options(200);
    struct play play;
    struct campaign_report told = {0};
    play_init(&play, &options);
    play.is_quiet = true;
    play_known(&play);
    for (uint32_t worker = 0; worker < 200; worker++) {
        char text[40];
        snprintf(text, sizeof text, "text %u", worker);
        uint8_t digest[OPERATION_DIGEST_BYTES];
        digest_start_of(bytes_of_string(text), digest, sizeof digest);
        struct operation operation = {.kind = OPERATION_READ,
                                      .name = bytes_of_string("pad"),
                                      .step = 1,
                                      .digest = bytes_of(digest, sizeof digest)};
        play_operation(&play, worker, worker, operation);
        operation.name = bytes_of_string(text);
        play_operation(&play, worker, worker, operation);
    }
    play_settle(&play);
    struct sightings *sightings = rooms_take_sightings(play.rooms);
    sightings_report(sightings, &told);
    assert_int_equal(told.seen_count, SIGHTINGS_NAMES);
    assert_int_equal(told.seen[1].steps_compared, 1);
    assert_int_equal(told.seen[1].reads_differed, 199);
    assert_int_equal(told.seen[1].examples[0].worker_count, SIGHTING_TEXTS - 1);
    sightings_free(&sightings);
    play_finish(&play);
}

/* A reader whose step is repeated may see twice what was not written yet: more often than there are workers.
 * A copy that takes over after each settling, as in every story here, has to know all of it. */
static void test_repeated_steps_see_again(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(2);
    options.on_loss = ON_LOSS_REPLACE_AGAIN;
    play_init(&play, &options);
    play.is_quiet = true;
    play_known(&play);
    for (unsigned time = 0; time < 3; time++) {
        signal_at(&play, OPERATION_READ, 1, 1, 1000);
        play_settle(&play);
        (void)rooms_restart(play.rooms, play.now_ns, 1, "its agent was lost");
        play_settle(&play);
    }
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeated_steps_see_again),
        cmocka_unit_test(test_time_counts_from_the_edit),
        cmocka_unit_test(test_written_stands_in_for_writing),
        cmocka_unit_test(test_a_sighting_may_be_told_before_the_edit),
        cmocka_unit_test(test_what_was_there_at_once_is_in_no_number),
        cmocka_unit_test(test_browsers_are_counted_apart_too),
        cmocka_unit_test(test_many_readers_of_one_message),
        cmocka_unit_test(test_instants_beyond_all_bounds),
        cmocka_unit_test(test_what_is_not_known_is_not_counted),
        cmocka_unit_test(test_readers_differ_from_what_was_written),
        cmocka_unit_test(test_readers_differ_from_most),
        cmocka_unit_test(test_steps_that_are_not_over_count_at_the_end),
        cmocka_unit_test(test_more_texts_and_names_than_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
