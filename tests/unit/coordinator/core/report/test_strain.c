/* When an agent counts as a bottleneck, and when it does not any more. */
#include "coordinator/core/report/strain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND_US 1000000u

static void seconds(struct strain *strain, unsigned count, uint64_t lag_us, uint64_t busy_us)
{
    struct loop_gauges loops[] = {
        {.lag_p99_us = 10, .lag_max_us = 20, .busy_us = 30},
        {.lag_p99_us = lag_us, .lag_max_us = 2 * lag_us, .busy_us = busy_us},
    };
    struct gauges gauges = {
        .interval_us = SECOND_US, .host_cpu_us = 1500000, .loops = loops, .loop_count = 2};
    for (unsigned i = 0; i < count; i++) {
        strain_add(strain, &gauges);
    }
}

static void nobody_is_accused_for_a_few_seconds(void **state)
{
    (void)state;
    struct strain strain = {0};
    for (int i = 0; i < 5; i++) {
        seconds(&strain, STRAIN_AFTER_US / SECOND_US - 1, STRAIN_LAG_US * 10, SECOND_US);
        seconds(&strain, 1, 0, 0);
    }
    assert_int_equal(strain.total.us, 0);
}

static void high_but_below_the_marks_is_no_strain(void **state)
{
    (void)state;
    struct strain strain = {0};
    seconds(&strain, 100, STRAIN_LAG_US - 1, (uint64_t)(STRAIN_BUSY * SECOND_US) - 1);
    assert_int_equal(strain.total.us, 0);
}

static void either_mark_is_enough_and_counts_from_its_beginning(void **state)
{
    (void)state;
    struct strain late = {0};
    struct strain busy = {0};
    seconds(&late, 7, STRAIN_LAG_US, 0);
    seconds(&busy, 7, 0, SECOND_US);
    assert_int_equal(late.total.us, 7 * SECOND_US);
    assert_int_equal(late.total.lag_p99_us, STRAIN_LAG_US);
    assert_int_equal(late.total.lag_max_us, 2 * STRAIN_LAG_US);
    assert_int_equal(late.total.host_cpu_us, 7 * 1500000);
    assert_int_equal(busy.total.us, 7 * SECOND_US);
    assert_int_equal(busy.total.busy_us, 7 * SECOND_US);
}

static void it_goes_on_through_short_pauses_and_between_the_marks(void **state)
{
    (void)state;
    struct strain strain = {0};
    seconds(&strain, 6, STRAIN_LAG_US, 0);
    seconds(&strain, 3, 0, 0);
    seconds(&strain, 1, STRAIN_CALM_LAG_US, 0);
    assert_int_equal(strain.total.us, 10 * SECOND_US);
    seconds(&strain, 20, STRAIN_CALM_LAG_US, 0);
    assert_int_equal(strain.total.us, 30 * SECOND_US);
    seconds(&strain, 20, STRAIN_CALM_LAG_US - 1, 0);
    assert_int_equal(strain.total.us, 30 * SECOND_US);
    seconds(&strain, 4, STRAIN_LAG_US, 0); /* it would have to begin anew */
    assert_int_equal(strain.total.us, 30 * SECOND_US);
    seconds(&strain, 1, STRAIN_LAG_US, 0);
    assert_int_equal(strain.total.us, 35 * SECOND_US);
}

/* A reading of no time says nothing: neither strain nor that it goes on. */
static void no_time_is_no_strain(void **state)
{
    (void)state;
    struct strain strain = {0};
    seconds(&strain, 6, STRAIN_LAG_US, 0);
    for (int i = 0; i < 10; i++) {
        seconds(&strain, 1, 0, 0);
        strain_add(&strain, &(struct gauges){.interval_us = 0});
    }
    assert_int_equal(strain.total.us, 6 * SECOND_US);
    assert_false(strain.is_on);
}

static void a_loop_is_never_busier_than_all_the_time(void **state)
{
    (void)state;
    struct strain strain = {0};
    seconds(&strain, 6, 0, 5 * SECOND_US);
    assert_int_equal(strain.total.busy_us, strain.total.us);
    strain_add(&strain, &(struct gauges){.interval_us = 0});
    assert_int_equal(strain.total.us, 6 * SECOND_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_accused_for_a_few_seconds),
        cmocka_unit_test(high_but_below_the_marks_is_no_strain),
        cmocka_unit_test(either_mark_is_enough_and_counts_from_its_beginning),
        cmocka_unit_test(it_goes_on_through_short_pauses_and_between_the_marks),
        cmocka_unit_test(no_time_is_no_strain),
        cmocka_unit_test(a_loop_is_never_busier_than_all_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
