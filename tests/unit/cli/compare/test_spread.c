/* Student's t against its tables, and the error of the mean of a series against what is known of it. */
#include "cli/compare/spread.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect_near(double value, double expected, double within)
{
    if (!(fabs(value - expected) <= within)) {
        fail_msg("%.9g is not %.9g ± %.3g", value, expected, within);
    }
}

static void probabilities_are_those_of_the_tables(void **state)
{
    (void)state;
    expect_near(student_probability(12.706, 1), 0.05, 1e-5);
    expect_near(student_probability(63.657, 1), 0.01, 1e-5);
    expect_near(student_probability(2.776, 4), 0.05, 1e-4);
    expect_near(student_probability(-2.776, 4), 0.05, 1e-4);
    expect_near(student_probability(3.355, 8), 0.01, 1e-4);
    expect_near(student_probability(1.960, 1e6), 0.05, 1e-4);
    expect_near(student_probability(0, 7), 1, 1e-12);
}

static void a_limit_is_where_the_probability_is_that_of_the_tables(void **state)
{
    (void)state;
    expect_near(student_limit(0.05, 1), 12.706, 1e-3);
    expect_near(student_limit(0.01, 2), 9.925, 1e-3);
    expect_near(student_limit(0.01, 38), 2.712, 1e-3);
    expect_near(student_limit(0.01, 1e6), 2.576, 1e-3);
    expect_near(student_limit(0.5, 1e6), 0.6745, 1e-3);
}

static void few_values_tell_nothing_of_the_error(void **state)
{
    (void)state;
    const double values[] = {1, 2, 3, 4, 5};
    struct spread spread = spread_of_series(values, 4);
    expect_near(spread.mean, 2.5, 1e-12);
    expect_near(spread.freedom, 0, 0);
    spread = spread_of_series(values, 5);
    assert_true(spread.freedom >= 1 && spread.freedom <= 4);
    assert_true(spread.error > 0);
    expect_near(spread_of_series(values, 0).mean, 0, 0);
}

static void values_in_turn_have_the_error_of_independent_ones(void **state)
{
    (void)state;
    const double values[] = {1, 3, 1, 3, 1, 3, 1, 3};
    struct spread spread = spread_of_series(values, 8);
    expect_near(spread.mean, 2, 1e-12);
    /* √(8 / 7 / 8) */
    expect_near(spread.error, 0.377964, 1e-6);
}

static void neighbours_that_resemble_each_other_count_for_less(void **state)
{
    (void)state;
    const double values[] = {1, 1, 1, 3, 3, 3, 1, 1, 3, 3, 3, 1, 1, 1, 3, 3};
    /* Ten products of +1 and five of −1, of sixteen squares; and what is missing in a series so short. */
    double resemblance = 5.0 / 16 + (1 + 4 * 5.0 / 16) / 16;
    struct spread spread = spread_of_series(values, 16);
    expect_near(spread.error, sqrt(16.0 / 15 / 16 * (1 + resemblance) / (1 - resemblance)), 1e-9);
    expect_near(spread.freedom, 16 * (1 - resemblance) / (1 + resemblance) - 1, 1e-9);
    const double same[] = {5, 5, 5, 5, 5};
    expect_near(spread_of_series(same, 5).error, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_are_those_of_the_tables),
        cmocka_unit_test(a_limit_is_where_the_probability_is_that_of_the_tables),
        cmocka_unit_test(few_values_tell_nothing_of_the_error),
        cmocka_unit_test(values_in_turn_have_the_error_of_independent_ones),
        cmocka_unit_test(neighbours_that_resemble_each_other_count_for_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
