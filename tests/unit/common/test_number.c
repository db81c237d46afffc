/* What counts as a whole number, and how far apart two words are. */
#include "common/edit_distance.h"
#include "common/number.h"
#include "tests/unit/common/check.h"

static void digits_up_to_the_maximum_are_a_number(void **state)
{
    (void)state;
    uint64_t number = 1;
    assert_true(number_parse(TEXT("0"), 0, &number));
    assert_int_equal(number, 0);
    assert_true(number_parse(TEXT("007"), 7, &number));
    assert_int_equal(number, 7);
    assert_true(number_parse(TEXT("18446744073709551615"), UINT64_MAX, &number));
    assert_true(number == UINT64_MAX);
    assert_true(number_parse(bytes_of("65536", 4), 6553, &number));
    assert_int_equal(number, 6553);
}

static void nothing_else_is_one(void **state)
{
    static const char *const texts[] = {"",   " 1",  "1 ",  "+1",  "-1",
                                        "1a", "0x1", "1.0", "101", "18446744073709551616"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint64_t number = 42;
        assert_false(number_parse(TEXT(texts[i]), 100, &number));
        assert_int_equal(number, 42);
    }
    uint64_t number = 42;
    assert_false(number_parse(TEXT("18446744073709551616"), UINT64_MAX, &number));
    assert_false(number_parse(TEXT("99999999999999999999999"), UINT64_MAX, &number));
    assert_int_equal(number, 42);
}

static void distances_count_letters(void **state)
{
    (void)state;
    assert_int_equal(edit_distance(TEXT("workers"), TEXT("workers")), 0);
    assert_int_equal(edit_distance(TEXT("workers"), TEXT("worker")), 1);
    assert_int_equal(edit_distance(TEXT("kitten"), TEXT("sitting")), 3);
    assert_int_equal(edit_distance(TEXT(""), TEXT("run")), 3);
    assert_int_equal(edit_distance(TEXT("run"), TEXT("")), 3);
    assert_int_equal(edit_distance(TEXT("ab"), TEXT("ba")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_up_to_the_maximum_are_a_number),
        cmocka_unit_test(nothing_else_is_one),
        cmocka_unit_test(distances_count_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
