/* A sketch gives quantiles within its error, and merges without loss. */
#include "coordinator/core/series/sketch.h"

#include "common/histogram.h"
#include "common/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define VALUES 5000u
#define PARTS 64u

static const double QUANTILES[] = {0.5, 0.95, 0.99};

static int compare_values(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Latencies of each order of magnitude, up to an hour. */
static uint64_t draw_value(struct random *random)
{
    return (uint64_t)exp(random_unit(random) * 22);
}

static void quantiles_are_within_the_error(void **state)
{
    (void)state;
    static uint64_t values[VALUES];
    struct sketch sketch = {0};
    struct random random;
    random_seed(&random, 7);
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = draw_value(&random);
        sketch_add(&sketch, values[i], 1);
    }
    qsort(values, VALUES, sizeof values[0], compare_values);
    uint64_t found[3];
    sketch_quantiles(&sketch, QUANTILES, found, 3);
    for (size_t i = 0; i < 3; i++) {
        uint64_t exact = values[(size_t)ceil(QUANTILES[i] * VALUES) - 1];
        double off = fabs((double)found[i] - (double)exact) / (double)exact;
        assert_true(off <= SKETCH_ERROR);
    }
    assert_int_equal(sketch.maximum, values[VALUES - 1]);
    sketch_finish(&sketch);
}

static void parts_are_the_whole(void **state)
{
    (void)state;
    struct sketch parts[PARTS] = {0};
    struct sketch whole = {0};
    struct sketch merged = {0};
    struct random random;
    random_seed(&random, 8);
    for (size_t i = 0; i < VALUES; i++) {
        uint64_t value = draw_value(&random);
        sketch_add(&whole, value, 1);
        sketch_add(&parts[i % PARTS], value, 1);
    }
    for (size_t i = 0; i < PARTS; i++) {
        sketch_merge(&merged, &parts[i]);
        sketch_finish(&parts[i]);
    }
    assert_int_equal(merged.used, whole.used);
    assert_int_equal(merged.maximum, whole.maximum);
    assert_memory_equal(merged.counts, whole.counts, whole.used * sizeof *whole.counts);
    sketch_finish(&merged);
    sketch_finish(&whole);
}

static void a_histogram_counts_like_its_values(void **state)
{
    (void)state;
    struct histogram *histogram = histogram_new();
    struct sketch direct = {0};
    struct sketch over = {0};
    struct random random;
    random_seed(&random, 9);
    for (size_t i = 0; i < VALUES; i++) {
        uint64_t value = draw_value(&random);
        histogram_record(histogram, value);
        sketch_add(&direct, value, 1);
    }
    sketch_add_histogram(&over, histogram);
    sketch_add_histogram(&over, NULL);
    assert_int_equal(over.used, direct.used);
    assert_int_equal(over.maximum, direct.maximum);
    assert_memory_equal(over.counts, direct.counts, direct.used * sizeof *direct.counts);
    histogram_free(&histogram);
    sketch_finish(&direct);
    sketch_finish(&over);
}

static void small_values_and_the_largest_are_exact(void **state)
{
    (void)state;
    static const uint64_t exact[] = {0, 1, 63, 64, UINT64_MAX};
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
        struct sketch sketch = {0};
        uint64_t found[3];
        sketch_add(&sketch, exact[i], 1);
        sketch_quantiles(&sketch, QUANTILES, found, 3);
        assert_true(found[0] <= exact[i] && (double)(exact[i] - found[0]) <= SKETCH_ERROR * (double)exact[i]);
        assert_int_equal(found[2], found[0]);
        sketch_finish(&sketch);
    }
}

static void an_empty_one_has_zeros(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    uint64_t found[3] = {1, 1, 1};
    sketch_add(&sketch, 5, 0);
    sketch_quantiles(&sketch, QUANTILES, found, 3);
    assert_int_equal(found[0] + found[1] + found[2], 0);
}

static void counts_saturate(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    sketch_add(&sketch, 5, UINT64_MAX);
    sketch_add(&sketch, 5, 7);
    assert_int_equal(sketch.counts[5], UINT32_MAX);
    sketch_finish(&sketch);
}

static void packs_and_unpacks(void **state)
{
    (void)state;
    struct sketch sketch = {0};
    struct sketch back = {0};
    struct buffer bytes;
    buffer_init(&bytes, 100000);
    sketch_add(&sketch, 0, 3);
    sketch_add(&sketch, 1200, 5);
    sketch_add(&sketch, UINT64_MAX, 1);
    sketch_pack(&sketch, &bytes);
    struct unpack from = unpack_of(buffer_bytes(&bytes));
    sketch_unpack(&back, &from);
    assert_true(unpack_is_done(&from));
    assert_int_equal(back.used, sketch.used);
    assert_int_equal(back.maximum, sketch.maximum);
    assert_memory_equal(back.counts, sketch.counts, sketch.used * sizeof *sketch.counts);
    for (size_t size = 0; size < bytes.size; size++) {
        struct sketch part = {0};
        from = unpack_of(bytes_of(bytes.data, size));
        sketch_unpack(&part, &from);
        assert_true(from.is_broken);
        sketch_finish(&part);
    }
    sketch_finish(&sketch);
    sketch_finish(&back);
    buffer_finish(&bytes);
}

static void a_bucket_that_there_is_not_is_refused(void **state)
{
    (void)state;
    struct sketch back = {0};
    struct buffer bytes;
    buffer_init(&bytes, 100);
    pack_number(&bytes, 9);
    pack_number(&bytes, 1);
    pack_number(&bytes, 1920); /* the highest is 1919 */
    pack_number(&bytes, 0);
    struct unpack from = unpack_of(buffer_bytes(&bytes));
    sketch_unpack(&back, &from);
    assert_true(from.is_broken);
    sketch_finish(&back);
    buffer_finish(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_the_error),
        cmocka_unit_test(parts_are_the_whole),
        cmocka_unit_test(a_histogram_counts_like_its_values),
        cmocka_unit_test(small_values_and_the_largest_are_exact),
        cmocka_unit_test(an_empty_one_has_zeros),
        cmocka_unit_test(counts_saturate),
        cmocka_unit_test(packs_and_unpacks),
        cmocka_unit_test(a_bucket_that_there_is_not_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
