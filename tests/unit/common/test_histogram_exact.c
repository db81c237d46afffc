/* Merged histograms against the sorted values themselves: ten distributions, each in 64 parts. */
#include "common/histogram.h"
#include "common/memory.h"
#include "common/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define VALUES 20000u
#define PARTS 64u
#define PRECISION 0.001
#define TAU 6.283185307179586

/* All in microseconds. */
static double draw_constant(struct random *random)
{
    (void)random;
    return 12345;
}

static double draw_uniform(struct random *random)
{
    return 1 + random_unit(random) * 1e6;
}

static double draw_exponential(struct random *random)
{
    return -20000 * log(1 - random_unit(random));
}

static double draw_normal(struct random *random)
{
    double length = sqrt(-2 * log(1 - random_unit(random)));
    double value = 50000 + 8000 * length * cos(TAU * random_unit(random));
    return value > 0 ? value : 0;
}

static double draw_log_normal(struct random *random)
{
    double length = sqrt(-2 * log(1 - random_unit(random)));
    return exp(9 + 1.5 * length * cos(TAU * random_unit(random)));
}

static double draw_pareto(struct random *random)
{
    return 500 / pow(1 - random_unit(random), 1 / 1.2);
}

static double draw_two_peaks(struct random *random)
{
    return random_below(random, 20) == 0 ? 1e6 + 1e5 * random_unit(random) : 300 + 50 * random_unit(random);
}

static double draw_small(struct random *random)
{
    return (double)random_below(random, 100);
}

static double draw_every_size(struct random *random)
{
    return exp(random_unit(random) * 40);
}

/* A server that stands still one second in ten. */
static double draw_stall(struct random *random)
{
    double at_s = random_unit(random) * 10;
    return at_s < 1 ? (1 - at_s) * 1e6 : 800 + 400 * random_unit(random);
}

typedef double draw_function(struct random *random);
static const struct {
    const char *name;
    draw_function *draw;
} DISTRIBUTIONS[] = {
    {"constant", draw_constant},    {"uniform", draw_uniform},       {"exponential", draw_exponential},
    {"normal", draw_normal},        {"log-normal", draw_log_normal}, {"Pareto", draw_pareto},
    {"two peaks", draw_two_peaks},  {"small", draw_small},           {"every size", draw_every_size},
    {"standing still", draw_stall},
};

static int compare_drawn(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void expect_near(const char *name, const char *what, double found, double exact, double precision)
{
    if (fabs(found - exact) > precision * exact + 1e-9) {
        fail_msg("%s: %s is %.17g instead of %.17g", name, what, found, exact);
    }
}

static void expect_quantiles(const char *name, const struct histogram *histogram, const uint64_t *sorted)
{
    static const double quantiles[] = {0.001, 0.5, 0.9, 0.95, 0.99, 0.999, 1};
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        size_t rank = (size_t)ceil(quantiles[i] * VALUES);
        char what[32];
        (void)snprintf(what, sizeof what, "p%g", quantiles[i] * 100);
        expect_near(name, what, (double)histogram_quantile(histogram, quantiles[i]), (double)sorted[rank - 1],
                    PRECISION);
    }
}

static void expect_moments(const char *name, const struct histogram *histogram, const uint64_t *sorted)
{
    struct histogram_moments moments = histogram_moments(histogram);
    double sum = 0;
    double squares = 0;
    for (size_t i = 0; i < VALUES; i++) {
        sum += (double)sorted[i];
    }
    for (size_t i = 0; i < VALUES; i++) {
        double difference = (double)sorted[i] - sum / VALUES;
        squares += difference * difference;
    }
    expect_near(name, "the minimum", (double)moments.minimum, (double)sorted[0], PRECISION);
    expect_near(name, "the mean", moments.mean, sum / VALUES, PRECISION / 2);
    /* Where all values are one, the deviation is that of the buckets: none. */
    expect_near(name, "the deviation", moments.deviation, sqrt(squares / VALUES), PRECISION);
    assert_int_equal(histogram_maximum(histogram), sorted[VALUES - 1]);
}

static void same_histograms(const struct histogram *left, const struct histogram *right)
{
    struct histogram_cursor a = {0};
    struct histogram_cursor b = {0};
    while (histogram_next(left, &a)) {
        assert_true(histogram_next(right, &b));
        assert_int_equal(a.bucket, b.bucket);
        assert_int_equal(a.count, b.count);
    }
    assert_false(histogram_next(right, &b));
    assert_int_equal(histogram_maximum(left), histogram_maximum(right));
}

static void parts_are_the_whole_and_near_the_values(void **state)
{
    (void)state;
    static uint64_t values[VALUES];
    for (size_t i = 0; i < sizeof DISTRIBUTIONS / sizeof DISTRIBUTIONS[0]; i++) {
        struct histogram *parts[PARTS];
        SCOPED(histogram_free) struct histogram *whole = histogram_new();
        SCOPED(histogram_free) struct histogram *merged = histogram_new();
        struct random random;
        random_seed(&random, 40 + i);
        for (size_t part = 0; part < PARTS; part++) {
            parts[part] = histogram_new();
        }
        for (size_t j = 0; j < VALUES; j++) {
            values[j] = (uint64_t)DISTRIBUTIONS[i].draw(&random);
            histogram_record(whole, values[j]);
            histogram_record(parts[random_below(&random, PARTS)], values[j]);
        }
        for (size_t part = 0; part < PARTS; part++) {
            histogram_merge(merged, parts[part]);
            histogram_free(&parts[part]);
        }
        qsort(values, VALUES, sizeof values[0], compare_drawn);
        same_histograms(merged, whole);
        expect_quantiles(DISTRIBUTIONS[i].name, merged, values);
        expect_moments(DISTRIBUTIONS[i].name, merged, values);
    }
}

static void an_empty_one_has_no_moments(void **state)
{
    (void)state;
    SCOPED(histogram_free) struct histogram *histogram = histogram_new();
    struct histogram_moments moments = histogram_moments(histogram);
    assert_true(moments.minimum == 0 && moments.mean == 0 && moments.deviation == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_the_whole_and_near_the_values),
        cmocka_unit_test(an_empty_one_has_no_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
