/* The last minute of a campaign: what is between two reports, what comes twice or not at all, what it looks
 * like. */
#include "cli/view/live_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void see(struct live_history *history, uint64_t ms, uint64_t requests, uint64_t p95_us)
{
    const struct report_view report = {.running_ns = ms * 1000000,
                                       .requests_total = requests,
                                       .steps_ok = requests * 2,
                                       .recent.p95_us = p95_us};
    live_history_add(history, &report);
}

static void expect_picture(const struct live_history *history, const double *values, const char *expected)
{
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, 1024);
    live_history_draw(history, values, 12, &line);
    assert_string_equal(buffer_string(&line), expected);
}

static void nothing_is_known_at_first(void **state)
{
    (void)state;
    struct live_history history = {.is_begun = false};
    expect_picture(&history, history.rates, "            ");
    see(&history, 5000, 1000, 7);
    expect_picture(&history, history.rates, "            ");
    assert_true(live_history_most(history.rates) < 0);
    assert_true(live_history_rate(&history, 10) == 0);
}

static void rates_are_of_the_time_between_reports(void **state)
{
    (void)state;
    struct live_history history = {.is_begun = false};
    see(&history, 1000, 0, 0);
    see(&history, 2000, 100, 1000);
    see(&history, 2500, 500, 9000); /* within the same second: the terminal was resized */
    see(&history, 4000, 700, 2000); /* one report was missed */
    assert_true(history.rates[2] == 100);
    assert_true(history.rates[3] == 300);
    assert_true(history.rates[4] == 300);
    assert_true(history.p95_us[4] == 2000);
    assert_true(live_history_most(history.rates) == 300);
    assert_true(live_history_rate(&history, 2) == 300);
    assert_true(live_history_rate(&history, 60) == 700.0 / 3);
}

static void steps_count_where_there_are_no_requests(void **state)
{
    (void)state;
    struct live_history history = {.is_begun = false};
    struct report_view report = {.running_ns = 1000000000, .steps_ok = 1, .steps_failed = 1};
    live_history_add(&history, &report);
    report.running_ns = 2000000000;
    report.steps_ok = 4;
    report.steps_failed = 2;
    live_history_add(&history, &report);
    assert_true(history.rates[2] == 4);
    assert_true(history.p95_us[2] < 0);
}

static void the_newest_is_right_and_a_minute_is_kept(void **state)
{
    (void)state;
    struct live_history history = {.is_begun = false};
    uint64_t requests = 0;
    for (uint64_t second = 1; second <= 200; second++) {
        requests += second > 190 ? 80 : second > 170 ? 0 : 40;
        see(&history, second * 1000, requests, 1000);
    }
    expect_picture(&history, history.rates, "▅▅▅▅▅▅▁▁▁▁██");
    expect_picture(&history, history.p95_us, "████████████");
    see(&history, 400000, requests, 1000); /* the coordinator was away for long */
    expect_picture(&history, history.rates, "▁▁▁▁▁▁▁▁▁▁▁▁");
}

/* As after a coordinator that has begun again. */
static void time_that_runs_back_begins_again(void **state)
{
    (void)state;
    struct live_history history = {.is_begun = false};
    see(&history, 60000, 100, 1000);
    see(&history, 61000, 200, 1000);
    see(&history, 30000, 50, 1000);
    see(&history, 31000, 150, 1000);
    assert_true(history.rates[31] == 100);
    assert_int_equal(history.newest, 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_at_first),
        cmocka_unit_test(rates_are_of_the_time_between_reports),
        cmocka_unit_test(steps_count_where_there_are_no_requests),
        cmocka_unit_test(the_newest_is_right_and_a_minute_is_kept),
        cmocka_unit_test(time_that_runs_back_begins_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
