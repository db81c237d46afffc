/* Sets of seats, on both sides of a word boundary. */
#include "coordinator/core/base/bitset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_adding_and_removing(void **state)
{
    (void)state;
    uint64_t bits[2] = {0};
    assert_true(bitset_add(bits, 63));
    assert_true(bitset_add(bits, 64));
    assert_false(bitset_add(bits, 64));
    assert_true(bitset_has(bits, 64));
    assert_false(bitset_has(bits, 65));
    assert_false(bitset_has(NULL, 65));
    assert_true(bitset_remove(bits, 63));
    assert_false(bitset_remove(bits, 63));
    assert_true(bitset_has(bits, 64));
}

/* Compares each search with a look at every position. */
static void test_searching(void **state)
{
    (void)state;
    const uint32_t members[] = {0, 3, 62, 63, 64, 65, 127, 128, 190};
    uint64_t left[4] = {0};
    uint64_t right[4] = {0};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        (void)bitset_add(i % 3 == 0 ? right : left, members[i]);
        (void)bitset_add(left, members[i] / 2);
    }
    const uint32_t counts[] = {0, 1, 63, 64, 65, 128, 191, 250};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (uint32_t from = 0; from <= counts[i]; from++) {
            uint32_t outside = from;
            while (outside < counts[i] && (bitset_has(left, outside) || bitset_has(right, outside))) {
                outside++;
            }
            uint32_t only = from;
            while (only < counts[i] && !(bitset_has(left, only) && !bitset_has(right, only))) {
                only++;
            }
            assert_int_equal(bitset_next_outside(left, right, from, counts[i]), outside);
            assert_int_equal(bitset_next_only_in(left, right, from, counts[i]), only);
        }
    }
    assert_int_equal(bitset_next_outside(NULL, NULL, 7, 9), 7);
    assert_int_equal(bitset_next_only_in(NULL, left, 0, 200), 200);
    assert_int_equal(bitset_words(0), 0);
    assert_int_equal(bitset_words(64), 1);
    assert_int_equal(bitset_words(65), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adding_and_removing),
        cmocka_unit_test(test_searching),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
