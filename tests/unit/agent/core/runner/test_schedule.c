/* When workers start. */
#include "agent/core/runner/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS 1000000ull

static void spreads_the_ramp_up_over_all_workers(void **state)
{
    (void)state;
    struct campaign_options options = {.workers = 4, .ramp_up_ms = 1000};
    assert_int_equal(schedule_start_ns(&options, 50 * MS, 0), 50 * MS);
    assert_int_equal(schedule_start_ns(&options, 50 * MS, 1), 300 * MS);
    assert_int_equal(schedule_start_ns(&options, 50 * MS, 3), 800 * MS);
}

static void starts_all_at_once_without_ramp_up(void **state)
{
    (void)state;
    struct campaign_options options = {.workers = 4};
    assert_int_equal(schedule_start_ns(&options, 50 * MS, 3), 50 * MS);
}

static void loses_nothing_to_rounding(void **state)
{
    (void)state;
    struct campaign_options options = {.workers = 1000000, .ramp_up_ms = 1};
    assert_int_equal(schedule_start_ns(&options, 0, 1), 1);
    assert_int_equal(schedule_start_ns(&options, 0, 999999), 999999);
    options.workers = 3;
    assert_int_equal(schedule_start_ns(&options, 0, 2), 666666);
    options.ramp_up_ms = 2;
    assert_int_equal(schedule_start_ns(&options, 0, 2), 1333333);
}

static void does_not_overflow(void **state)
{
    (void)state;
    /* A year, a million workers: the product would not fit. */
    struct campaign_options options = {.workers = 1000000, .ramp_up_ms = 365ull * 86400000};
    uint64_t last_ns = schedule_start_ns(&options, 0, 999999);
    assert_int_equal(last_ns, 365ull * 86400000 * MS / 1000000 * 999999);
    options.ramp_up_ms = UINT64_MAX;
    assert_true(schedule_start_ns(&options, UINT64_MAX / 2, 999999) == UINT64_MAX - 1);
    assert_true(schedule_after_ns(5, UINT64_MAX) == UINT64_MAX - 1);
    assert_int_equal(schedule_after_ns(5, 2), 5 + 2 * MS);
    uint64_t most_ms = (UINT64_MAX - 1) / MS;
    assert_true(schedule_after_ns(5, most_ms) == 5 + most_ms * MS);
    assert_true(schedule_after_ns(5, most_ms + 1) == UINT64_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spreads_the_ramp_up_over_all_workers),
        cmocka_unit_test(starts_all_at_once_without_ramp_up),
        cmocka_unit_test(loses_nothing_to_rounding),
        cmocka_unit_test(does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
