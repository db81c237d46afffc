/* Which of the last exchanges of the clocks is trusted. */
#include "agent/core/clock_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS INT64_C(1000000)

static void add(struct clock_filter *filter, int64_t now_ns, int64_t round_trip_ns, int64_t offset_ns)
{
    struct link_sample sample = {.our_received_ns = (uint64_t)now_ns,
                                 .round_trip_ns = (uint64_t)round_trip_ns,
                                 .offset_ns = offset_ns};
    clock_filter_add(filter, &sample);
}

static void knows_nothing_before_the_first_exchange(void **state)
{
    (void)state;
    struct clock_filter filter;
    clock_filter_init(&filter);
    assert_false(clock_filter_is_set(&filter));
    assert_int_equal(clock_filter_to_ours(&filter, 5000 * MS), 0);
    add(&filter, 1000 * MS, 2 * MS, 300 * MS);
    assert_true(clock_filter_is_set(&filter));
    assert_int_equal(filter.offset_ns, 300 * MS);
    assert_int_equal(filter.uncertainty_ns, MS);
}

static void believes_the_shortest_round_trip(void **state)
{
    (void)state;
    struct clock_filter filter;
    clock_filter_init(&filter);
    add(&filter, 1000 * MS, 20 * MS, 309 * MS);
    add(&filter, 1010 * MS, 2 * MS, 300 * MS);
    add(&filter, 1020 * MS, 50 * MS, 280 * MS);
    assert_int_equal(filter.offset_ns, 300 * MS);
    assert_true(filter.uncertainty_ns >= (uint64_t)MS && filter.uncertainty_ns < (uint64_t)(2 * MS));
}

static void forgets_what_is_older_than_its_samples(void **state)
{
    (void)state;
    struct clock_filter filter;
    clock_filter_init(&filter);
    add(&filter, 1000 * MS, MS, 300 * MS);
    for (unsigned i = 1; i < CLOCK_FILTER_SAMPLES; i++) {
        add(&filter, 1000 * MS + i, 10 * MS, 305 * MS);
        assert_int_equal(filter.offset_ns, 300 * MS);
    }
    add(&filter, 1001 * MS, 10 * MS, 305 * MS);
    assert_int_equal(filter.offset_ns, 305 * MS);
}

static void believes_an_old_exchange_less_and_less(void **state)
{
    (void)state;
    struct clock_filter filter;
    clock_filter_init(&filter);
    add(&filter, 1000 * MS, 2 * MS, 300 * MS);
    /* Ten seconds at 100 ppm are 1 ms, so 1 + 1 ms against 1.5 ms. */
    add(&filter, 11000 * MS, 3 * MS, 301 * MS);
    assert_int_equal(filter.offset_ns, 301 * MS);
    assert_int_equal(filter.uncertainty_ns, 3 * MS / 2);
}

/* 100 millionths of a second for each second since. */
static void an_old_exchange_is_less_certain_by_its_age_alone(void **state)
{
    (void)state;
    struct clock_filter filter;
    clock_filter_init(&filter);
    add(&filter, 1000000 * MS, 2 * MS, 300 * MS);
    add(&filter, 1001000 * MS, 4 * MS, 305 * MS);
    assert_int_equal(filter.offset_ns, 300 * MS);
    assert_int_equal(filter.uncertainty_ns, MS + MS / 10);
    for (int i = 0; i < 20; i++) {
        add(&filter, 1001000 * MS, 4 * MS, 305 * MS);
    }
    assert_int_equal(filter.count, CLOCK_FILTER_SAMPLES);
    assert_int_equal(filter.offset_ns, 305 * MS);
}

static void converts_both_ways(void **state)
{
    (void)state;
    struct clock_filter filter;
    clock_filter_init(&filter);
    add(&filter, 1000 * MS, MS, -400 * MS);
    assert_int_equal(clock_filter_to_ours(&filter, 600 * MS), 1000 * MS);
    assert_int_equal(clock_filter_to_theirs(&filter, 1000 * MS), 600 * MS);
    assert_int_equal(clock_filter_to_ours(&filter, 0), 0); /* at once */
    clock_filter_init(&filter);
    add(&filter, 1000 * MS, MS, 400 * MS);
    assert_int_equal(clock_filter_to_ours(&filter, 300 * MS),
                     1); /* before our time, which is different from at once */
    assert_int_equal(clock_filter_to_ours(&filter, 400 * MS), 1);
    assert_int_equal(clock_filter_to_ours(&filter, INT64_MIN), 1);
    clock_filter_init(&filter);
    add(&filter, 1000 * MS, MS, INT64_MIN / 2 - 5);
    assert_true(clock_filter_to_ours(&filter, INT64_MAX) == (uint64_t)INT64_MAX);
    assert_true(clock_filter_to_theirs(&filter, INT64_MIN) == INT64_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_nothing_before_the_first_exchange),
        cmocka_unit_test(believes_the_shortest_round_trip),
        cmocka_unit_test(forgets_what_is_older_than_its_samples),
        cmocka_unit_test(believes_an_old_exchange_less_and_less),
        cmocka_unit_test(an_old_exchange_is_less_certain_by_its_age_alone),
        cmocka_unit_test(converts_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
