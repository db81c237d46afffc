/* A histogram keeps three digits of every value, and survives transmission. */
#include "common/histogram.h"
#include "common/random.h"
#include "tests/unit/common/check.h"

static void test_empty(void **state)
{
    (void)state;
    SCOPED(histogram_free) struct histogram *histogram = histogram_new();
    struct histogram_cursor cursor = {0};
    assert_true(histogram_count(histogram) == 0);
    assert_true(histogram_maximum(histogram) == 0);
    assert_true(histogram_quantile(histogram, 0.5) == 0);
    assert_false(histogram_next(histogram, &cursor));
    histogram_clear(histogram);
}

static void test_small_values_are_exact(void **state)
{
    (void)state;
    SCOPED(histogram_free) struct histogram *histogram = histogram_new();
    for (uint64_t value = 1; value <= 1000; value++) {
        histogram_record(histogram, value);
    }
    assert_true(histogram_count(histogram) == 1000);
    assert_true(histogram_quantile(histogram, 0) == 1);
    assert_true(histogram_quantile(histogram, 0.5) == 500);
    assert_true(histogram_quantile(histogram, 0.99) == 990);
    assert_true(histogram_quantile(histogram, 0.9991) == 1000);
    assert_true(histogram_quantile(histogram, 1) == 1000);
    assert_true(histogram_quantile(histogram, -3) == 1);
    assert_true(histogram_quantile(histogram, 7) == 1000);
}

/* Whatever the value, the result is at least it and at most 0.1 % above. */
static void test_every_range_keeps_three_digits(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 1);
    SCOPED(histogram_free) struct histogram *histogram = histogram_new();
    for (unsigned i = 0; i < 500; i++) {
        uint64_t value = random_next(&random) >> random_below(&random, 64);
        histogram_clear(histogram);
        histogram_record(histogram, value);
        histogram_raise_maximum(histogram, UINT64_MAX);
        uint64_t known = histogram_quantile(histogram, 0.5);
        assert_true(known >= value);
        assert_true(known - value <= value / 1024);
    }
}

static void test_edges_of_buckets(void **state)
{
    (void)state;
    static const uint64_t edges[] = {2047, 2048,           2049,           4095,      4096,
                                     4099, UINT64_MAX / 2, UINT64_MAX - 1, UINT64_MAX};
    SCOPED(histogram_free) struct histogram *histogram = histogram_new();
    uint32_t previous = 0;
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        histogram_clear(histogram);
        histogram_record(histogram, edges[i]);
        struct histogram_cursor cursor = {0};
        assert_true(histogram_next(histogram, &cursor));
        assert_true(cursor.count == 1);
        assert_true(cursor.bucket >= previous);
        assert_false(histogram_next(histogram, &cursor));
        assert_true(histogram_quantile(histogram, 0.5) == edges[i]);
        previous = cursor.bucket;
    }
    assert_int_equal(previous, 2048 + 53 * 1024 - 1);
}

static void test_neighbouring_buckets_touch(void **state)
{
    (void)state;
    uint64_t last_highest = 0;
    for (uint32_t bucket = 1; bucket < 2048 + 53 * 1024; bucket += bucket < 5000 ? 1 : 511) {
        SCOPED(histogram_free) struct histogram *histogram = histogram_new();
        assert_true(histogram_add_bucket(histogram, bucket - 1, 1));
        histogram_raise_maximum(histogram, UINT64_MAX);
        last_highest = histogram_quantile(histogram, 1);
        histogram_clear(histogram);
        histogram_record(histogram, last_highest + 1);
        struct histogram_cursor cursor = {0};
        assert_true(histogram_next(histogram, &cursor));
        assert_int_equal(cursor.bucket, bucket);
    }
}

static void test_quantile_never_passes_the_maximum(void **state)
{
    (void)state;
    SCOPED(histogram_free) struct histogram *histogram = histogram_new();
    histogram_add(histogram, 1000000, 5);
    assert_true(histogram_maximum(histogram) == 1000000);
    assert_true(histogram_quantile(histogram, 0.5) == 1000000);
    histogram_add(histogram, 2000000, 0);
    assert_true(histogram_maximum(histogram) == 1000000);
}

static void test_quantiles_in_one_pass_are_those_one_by_one(void **state)
{
    static const double quantiles[] = {-1, 0, 0.1, 0.5, 0.5, 0.99, 1, 2};
    enum { COUNT = sizeof quantiles / sizeof quantiles[0] };
    struct random random;
    (void)state;
    random_seed(&random, 7);
    SCOPED(histogram_free) struct histogram *histogram = histogram_new();
    for (unsigned round = 0; round < 200; round++) {
        uint64_t values[COUNT];
        histogram_quantiles(histogram, quantiles, values, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            assert_true(values[i] == histogram_quantile(histogram, quantiles[i]));
            assert_true(i == 0 || values[i] >= values[i - 1]);
        }
        histogram_record(histogram, random_next(&random) >> random_below(&random, 64));
    }
}

static void record_some(struct histogram *histogram, struct histogram *all, struct random *random)
{
    for (unsigned i = 0; i < 500; i++) {
        uint64_t value = random_next(random) >> (20 + random_below(random, 40));
        histogram_record(histogram, value);
        histogram_record(all, value);
    }
}

static void assert_same(const struct histogram *left, const struct histogram *right)
{
    struct histogram_cursor first = {0};
    struct histogram_cursor second = {0};
    while (histogram_next(left, &first)) {
        assert_true(histogram_next(right, &second));
        assert_int_equal(first.bucket, second.bucket);
        assert_true(first.count == second.count);
    }
    assert_false(histogram_next(right, &second));
    assert_true(histogram_count(left) == histogram_count(right));
    assert_true(histogram_maximum(left) == histogram_maximum(right));
}

static void test_merging_loses_nothing(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 2);
    SCOPED(histogram_free) struct histogram *all = histogram_new();
    SCOPED(histogram_free) struct histogram *merged = histogram_new();
    for (unsigned i = 0; i < 3; i++) {
        SCOPED(histogram_free) struct histogram *part = histogram_new();
        record_some(part, all, &random);
        histogram_merge(merged, part);
    }
    assert_same(merged, all);
    histogram_merge(merged, merged);
    assert_true(histogram_count(merged) == 2 * histogram_count(all));
}

static void test_buckets_travel(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 3);
    SCOPED(histogram_free) struct histogram *sent = histogram_new();
    SCOPED(histogram_free) struct histogram *unused = histogram_new();
    SCOPED(histogram_free) struct histogram *received = histogram_new();
    record_some(sent, unused, &random);
    struct histogram_cursor cursor = {0};
    uint32_t previous = 0;
    while (histogram_next(sent, &cursor)) {
        assert_true(cursor.position == 1 || cursor.bucket >= previous);
        previous = cursor.bucket;
        assert_true(histogram_add_bucket(received, cursor.bucket, cursor.count));
    }
    histogram_raise_maximum(received, histogram_maximum(sent));
    assert_same(received, sent);
}

static void test_refuses_buckets_that_there_are_not(void **state)
{
    (void)state;
    SCOPED(histogram_free) struct histogram *histogram = histogram_new();
    assert_true(histogram_add_bucket(histogram, 2048 + 53 * 1024 - 1, 1));
    assert_false(histogram_add_bucket(histogram, 2048 + 53 * 1024, 1));
    assert_false(histogram_add_bucket(histogram, UINT32_MAX, 1));
    assert_true(histogram_count(histogram) == 1);
}

static void test_counts_stay_at_the_end(void **state)
{
    (void)state;
    SCOPED(histogram_free) struct histogram *histogram = histogram_new();
    assert_true(histogram_add_bucket(histogram, 5, UINT64_MAX));
    assert_true(histogram_add_bucket(histogram, 5, 2));
    assert_true(histogram_add_bucket(histogram, 9, UINT64_MAX));
    assert_true(histogram_count(histogram) == UINT64_MAX);
    assert_true(histogram_quantile(histogram, 0.5) == 5);
    assert_true(histogram_maximum(histogram) == 9);
}

static void test_clear_starts_anew(void **state)
{
    (void)state;
    SCOPED(histogram_free) struct histogram *histogram = histogram_new();
    histogram_record(histogram, 100000);
    histogram_record(histogram, 7);
    histogram_clear(histogram);
    assert_true(histogram_count(histogram) == 0);
    assert_true(histogram_maximum(histogram) == 0);
    histogram_record(histogram, 200000);
    histogram_record(histogram, 9);
    assert_true(histogram_count(histogram) == 2);
    assert_true(histogram_quantile(histogram, 0.5) == 9);
    struct histogram_cursor cursor = {0};
    unsigned buckets = 0;
    while (histogram_next(histogram, &cursor)) {
        buckets++;
    }
    assert_int_equal(buckets, 2);
}

static void test_what_was_added_can_be_removed(void **state)
{
    (void)state;
    SCOPED(histogram_free) struct histogram *histogram = histogram_new();
    SCOPED(histogram_free) struct histogram *before = histogram_new();
    histogram_add(histogram, 7, 3);
    histogram_add(histogram, 5000, 2);
    histogram_merge(before, histogram);
    histogram_add(histogram, 7, 1);
    histogram_add(histogram, 100001, 4);
    struct histogram_cursor cursor = {0};
    uint64_t more = 0;
    while (histogram_next_beyond(histogram, before, &cursor)) {
        more += cursor.count;
        histogram_remove_bucket(histogram, cursor.bucket, cursor.count);
    }
    assert_int_equal(more, 5);
    assert_int_equal(histogram_count(histogram), 5);
    assert_int_equal(histogram_quantile(histogram, 0.5), 7);
    assert_in_range(histogram_maximum(histogram), 5000, 5003);
    cursor = (struct histogram_cursor){0};
    assert_false(histogram_next_beyond(histogram, before, &cursor));
    histogram_remove_bucket(histogram, 7, 99); /* more than there are */
    histogram_remove_bucket(histogram, 8, 1);
    histogram_remove_bucket(histogram, 999999, 1);
    assert_in_range(histogram_quantile(histogram, 0), 5000, 5003);
}

static void test_the_mean_is_that_of_the_buckets(void **state)
{
    (void)state;
    SCOPED(histogram_free) struct histogram *histogram = histogram_new();
    assert_true(histogram_mean(histogram) == 0);
    histogram_add(histogram, 10, 3);
    histogram_add(histogram, 30, 1);
    assert_true(histogram_mean(histogram) == 15);
    histogram_clear(histogram);
    histogram_add(histogram, 1000000, 1);
    histogram_add(histogram, 3000000, 1);
    assert_true(histogram_mean(histogram) > 1999000 && histogram_mean(histogram) < 2001000);
}

/* As long as buckets come in rising order they are kept as pairs; nothing of that shows. */
static void test_pairs_and_the_array_are_alike(void **state)
{
    struct random random;
    (void)state;
    random_seed(&random, 7);
    for (unsigned round = 0; round < 200; round++) {
        SCOPED(histogram_free) struct histogram *array = histogram_new();
        SCOPED(histogram_free) struct histogram *pairs = histogram_new();
        SCOPED(histogram_free) struct histogram *before = histogram_new();
        uint64_t count = random_below(&random, 3) == 0 ? 2000 : random_below(&random, 40);
        for (unsigned i = 0; i < count; i++) {
            histogram_record(array, random_below(&random, 3) == 0 ? 5 : random_below(&random, 1000000));
        }
        struct histogram_cursor cursor = {0};
        while (histogram_next(array, &cursor)) {
            assert_true(histogram_add_bucket(pairs, cursor.bucket, cursor.count));
            if (cursor.bucket % 2 == 0) {
                assert_true(histogram_add_bucket(before, cursor.bucket, 1));
            }
        }
        histogram_raise_maximum(pairs, histogram_maximum(array));
        assert_true(histogram_count(pairs) == histogram_count(array));
        for (unsigned eighth = 0; eighth <= 8; eighth++) {
            const double quantile = eighth / 8.0;
            assert_true(histogram_quantile(pairs, quantile) == histogram_quantile(array, quantile));
        }
        assert_true(histogram_moments(pairs).mean == histogram_moments(array).mean);
        struct histogram_cursor of_array = {0};
        struct histogram_cursor of_pairs = {0};
        while (histogram_next_beyond(array, before, &of_array)) {
            assert_true(histogram_next_beyond(pairs, before, &of_pairs));
            assert_true(of_array.bucket == of_pairs.bucket && of_array.count == of_pairs.count);
        }
        assert_false(histogram_next_beyond(pairs, before, &of_pairs));

        /* A bucket below those that are there, one that is there, one that is taken out, and the other way.
         */
        uint64_t total = histogram_count(array);
        assert_true(histogram_add_bucket(pairs, 0, 3));
        assert_true(histogram_add_bucket(pairs, 0, 1));
        assert_true(histogram_count(pairs) == total + 4);
        assert_true(histogram_quantile(pairs, 0) == 0);
        histogram_remove_bucket(pairs, 0, 4);
        histogram_merge(array, pairs);
        assert_true(histogram_count(array) == 2 * total);
        histogram_clear(pairs);
        assert_true(histogram_count(pairs) == 0);
        assert_true(histogram_add_bucket(pairs, 9, 1));
        histogram_clear(pairs);
        cursor = (struct histogram_cursor){0};
        assert_false(histogram_next(pairs, &cursor));
    }
}

static void test_values_are_counted_between_bounds(void **state)
{
    static const uint64_t bounds[] = {10, 1000, 50000};
    struct histogram *histogram = histogram_new();
    uint64_t counts[4];
    (void)state;
    histogram_count_within(histogram, bounds, counts, 3);
    assert_true(counts[0] == 0 && counts[1] == 0 && counts[2] == 0 && counts[3] == 0);
    histogram_add(histogram, 10, 1);
    histogram_add(histogram, 11, 2);
    histogram_add(histogram, 1000, 3);
    histogram_add(histogram, 49900, 4);
    histogram_add(histogram, 50100, 5);
    histogram_add(histogram, UINT64_MAX, 6);
    histogram_count_within(histogram, bounds, counts, 3);
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[1], 5);
    assert_int_equal(counts[2], 4);
    assert_int_equal(counts[3], 11);
    histogram_free(&histogram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_small_values_are_exact),
        cmocka_unit_test(test_every_range_keeps_three_digits),
        cmocka_unit_test(test_edges_of_buckets),
        cmocka_unit_test(test_neighbouring_buckets_touch),
        cmocka_unit_test(test_quantile_never_passes_the_maximum),
        cmocka_unit_test(test_quantiles_in_one_pass_are_those_one_by_one),
        cmocka_unit_test(test_merging_loses_nothing),
        cmocka_unit_test(test_buckets_travel),
        cmocka_unit_test(test_refuses_buckets_that_there_are_not),
        cmocka_unit_test(test_counts_stay_at_the_end),
        cmocka_unit_test(test_clear_starts_anew),
        cmocka_unit_test(test_what_was_added_can_be_removed),
        cmocka_unit_test(test_pairs_and_the_array_are_alike),
        cmocka_unit_test(test_values_are_counted_between_bounds),
        cmocka_unit_test(test_the_mean_is_that_of_the_buckets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
