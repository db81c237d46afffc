/* The same numbers from the same seed everywhere. */
#include "common/random.h"
#include "tests/unit/common/check.h"

static void test_follows_the_published_generator(void **state)
{
    (void)state;
    struct random random = {.state = {1, 2, 3, 4}};
    static const uint64_t expected[] = {11520, 0, 1509978240, 1215971899390074240};
    for (unsigned i = 0; i < 4; i++) {
        assert_true(random_next(&random) == expected[i]);
    }
}

static void test_seeds_by_splitmix(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 0);
    assert_true(random.state[0] == 0xe220a8397b1dcdafU);
    assert_true(random.state[1] == 0x6e789e6aa1b965f4U);
}

static void test_below_is_even(void **state)
{
    (void)state;
    struct random random;
    unsigned counts[7] = {0};
    random_seed(&random, 5);
    for (unsigned i = 0; i < 70000; i++) {
        counts[random_below(&random, 7)]++;
    }
    for (unsigned i = 0; i < 7; i++) {
        assert_in_range(counts[i], 9600, 10400);
    }
    assert_true(random_below(&random, 1) == 0);
    /* Without rejection, the lowest third would come up half of the time. */
    uint64_t third = (uint64_t)1 << 62;
    unsigned low = 0;
    for (unsigned i = 0; i < 9000; i++) {
        uint64_t number = random_below(&random, 3 * third);
        assert_true(number < 3 * third);
        low += number < third;
    }
    assert_in_range(low, 2800, 3200);
}

static void test_unit_stays_below_one(void **state)
{
    (void)state;
    struct random random;
    double sum = 0;
    random_seed(&random, 6);
    for (unsigned i = 0; i < 10000; i++) {
        double unit = random_unit(&random);
        assert_true(unit >= 0 && unit < 1);
        sum += unit;
    }
    assert_true(sum > 4900 && sum < 5100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follows_the_published_generator),
        cmocka_unit_test(test_seeds_by_splitmix),
        cmocka_unit_test(test_below_is_even),
        cmocka_unit_test(test_unit_stays_below_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
