/* When an agent counts as a bottleneck, and when it no longer does. */
#include "coordinator/core/report/overload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND_US 1000000u

static void seconds(struct overload *overload, unsigned count, uint64_t lag_us, uint64_t busy_us)
{
    struct loop_gauges loops[] = {
        {.lag_p99_us = 10, .lag_max_us = 20, .busy_us = 30},
        {.lag_p99_us = lag_us, .lag_max_us = 2 * lag_us, .busy_us = busy_us},
    };
    struct gauges gauges = {
        .interval_us = SECOND_US, .host_cpu_us = 1500000, .loops = loops, .loop_count = 2};
    for (unsigned i = 0; i < count; i++) {
        overload_add(overload, &gauges);
    }
}

static void nobody_is_accused_for_a_few_seconds(void **state)
{
    (void)state;
    struct overload overload = {0};
    for (int i = 0; i < 5; i++) {
        seconds(&overload, OVERLOAD_AFTER_US / SECOND_US - 1, OVERLOAD_LAG_US * 10, SECOND_US);
        seconds(&overload, 1, 0, 0);
    }
    assert_int_equal(overload.total.us, 0);
}

static void high_but_below_the_marks_is_no_overload(void **state)
{
    (void)state;
    struct overload overload = {0};
    seconds(&overload, 100, OVERLOAD_LAG_US - 1, (uint64_t)(OVERLOAD_BUSY * SECOND_US) - 1);
    assert_int_equal(overload.total.us, 0);
}

static void either_mark_is_enough_and_counts_from_its_beginning(void **state)
{
    (void)state;
    struct overload late = {0};
    struct overload busy = {0};
    seconds(&late, 7, OVERLOAD_LAG_US, 0);
    seconds(&busy, 7, 0, SECOND_US);
    assert_int_equal(late.total.us, 7 * SECOND_US);
    assert_int_equal(late.total.lag_p99_us, OVERLOAD_LAG_US);
    assert_int_equal(late.total.lag_max_us, 2 * OVERLOAD_LAG_US);
    assert_int_equal(late.total.host_cpu_us, 7 * 1500000);
    assert_int_equal(busy.total.us, 7 * SECOND_US);
    assert_int_equal(busy.total.busy_us, 7 * SECOND_US);
}

static void it_goes_on_through_short_pauses_and_between_the_marks(void **state)
{
    (void)state;
    struct overload overload = {0};
    seconds(&overload, 6, OVERLOAD_LAG_US, 0);
    seconds(&overload, 3, 0, 0);
    seconds(&overload, 1, OVERLOAD_CALM_LAG_US, 0);
    assert_int_equal(overload.total.us, 10 * SECOND_US);
    seconds(&overload, 20, OVERLOAD_CALM_LAG_US, 0);
    assert_int_equal(overload.total.us, 30 * SECOND_US);
    seconds(&overload, 20, OVERLOAD_CALM_LAG_US - 1, 0);
    assert_int_equal(overload.total.us, 30 * SECOND_US);
    seconds(&overload, 4, OVERLOAD_LAG_US, 0); /* it would have to start again */
    assert_int_equal(overload.total.us, 30 * SECOND_US);
    seconds(&overload, 1, OVERLOAD_LAG_US, 0);
    assert_int_equal(overload.total.us, 35 * SECOND_US);
}

/* A report of an empty interval says nothing: neither that there is overload nor that it continues. */
static void no_time_is_no_overload(void **state)
{
    (void)state;
    struct overload overload = {0};
    seconds(&overload, 6, OVERLOAD_LAG_US, 0);
    for (int i = 0; i < 10; i++) {
        seconds(&overload, 1, 0, 0);
        overload_add(&overload, &(struct gauges){.interval_us = 0});
    }
    assert_int_equal(overload.total.us, 6 * SECOND_US);
    assert_false(overload.is_on);
}

static void a_loop_is_never_busier_than_all_the_time(void **state)
{
    (void)state;
    struct overload overload = {0};
    seconds(&overload, 6, 0, 5 * SECOND_US);
    assert_int_equal(overload.total.busy_us, overload.total.us);
    overload_add(&overload, &(struct gauges){.interval_us = 0});
    assert_int_equal(overload.total.us, 6 * SECOND_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_accused_for_a_few_seconds),
        cmocka_unit_test(high_but_below_the_marks_is_no_overload),
        cmocka_unit_test(either_mark_is_enough_and_counts_from_its_beginning),
        cmocka_unit_test(it_goes_on_through_short_pauses_and_between_the_marks),
        cmocka_unit_test(no_time_is_no_overload),
        cmocka_unit_test(a_loop_is_never_busier_than_all_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
