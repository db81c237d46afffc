/* Sets of seats, on both sides of a word boundary. */
#include "coordinator/core/base/bitset.h"

#include "common/memory.h"

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

/* What is searched ends with the memory. */
static void test_searching_to_the_end(void **state)
{
    (void)state;
    uint64_t *full = memory_new(1, sizeof *full);
    *full = UINT64_MAX;
    assert_int_equal(bitset_next_outside(full, NULL, 0, 64), 64);
    assert_int_equal(bitset_next_only_in(NULL, full, 0, 64), 64);
    memory_free(full);
}

static uint64_t *repacked(const uint64_t *bits, uint32_t count, uint32_t count_then, size_t missing,
                          bool *is_whole)
{
    struct buffer packed;
    buffer_init(&packed, 1000);
    bitset_pack(bits, count, &packed);
    struct unpack from = unpack_of(bytes_of(packed.data, packed.size - missing));
    uint64_t *read = bitset_unpack(&from, count_then);
    *is_whole = unpack_is_done(&from);
    assert_true(read == NULL || !from.is_broken);
    assert_true(from.is_broken || missing == 0);
    buffer_finish(&packed);
    return read;
}

static void test_packing(void **state)
{
    (void)state;
    bool is_whole = false;
    uint64_t bits[2] = {5, 1};
    uint64_t *read = repacked(bits, 65, 65, 0, &is_whole);
    assert_true(is_whole);
    assert_memory_equal(read, bits, sizeof bits);
    memory_free(read);
    assert_null(repacked(NULL, 65, 65, 0, &is_whole));
    assert_true(is_whole);
    for (size_t missing = 1; missing <= sizeof bits; missing++) {
        assert_null(repacked(bits, 65, 65, missing, &is_whole));
    }
    bits[1] = 2; /* seat 65 of 65 */
    assert_null(repacked(bits, 66, 65, 0, &is_whole));
    assert_false(is_whole);
    assert_null(repacked(bits, 128, UINT32_MAX, 0, &is_whole));
    assert_false(is_whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adding_and_removing),
        cmocka_unit_test(test_searching),
        cmocka_unit_test(test_searching_to_the_end),
        cmocka_unit_test(test_packing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
