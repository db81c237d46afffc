/* How far apart two words are. */
#include "common/edit_distance.h"
#include "tests/unit/common/check.h"

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
        cmocka_unit_test(distances_count_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
