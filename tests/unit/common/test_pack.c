/* What was packed is unpacked unchanged, and anything else is broken. */
#include "common/memory.h"
#include "common/pack.h"
#include "tests/unit/common/check.h"

static void test_comes_out_as_it_went_in(void **state)
{
    (void)state;
    static const uint64_t NUMBERS[] = {0, 1, 127, 128, 300, UINT32_MAX, (uint64_t)1 << 63, UINT64_MAX};
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, 1000);
    for (size_t i = 0; i < 8; i++) {
        pack_number(&buffer, NUMBERS[i]);
        pack_fixed(&buffer, NUMBERS[i]);
    }
    pack_bytes(&buffer, bytes_of("a\0b", 3));
    pack_bytes(&buffer, bytes_of(NULL, 0));
    pack_flag(&buffer, true);
    pack_flag(&buffer, false);
    struct unpack unpack = unpack_of(buffer_bytes(&buffer));
    for (size_t i = 0; i < 8; i++) {
        assert_true(unpack_number(&unpack) == NUMBERS[i]);
        assert_true(unpack_fixed(&unpack) == NUMBERS[i]);
    }
    assert_true(bytes_equal(unpack_bytes(&unpack), bytes_of("a\0b", 3)));
    assert_int_equal(unpack_bytes(&unpack).size, 0);
    assert_true(unpack_flag(&unpack));
    assert_false(unpack_is_done(&unpack));
    assert_false(unpack_flag(&unpack));
    assert_true(unpack_is_done(&unpack));
}

static bool is_broken(const char *bytes, size_t size)
{
    struct unpack unpack = unpack_of(bytes_of(bytes, size));
    uint64_t number = unpack_number(&unpack);
    assert_true(!unpack.is_broken || number == 0);
    return unpack.is_broken;
}

static void test_numbers_that_do_not_end_or_do_not_fit(void **state)
{
    (void)state;
    assert_true(is_broken("", 0));
    assert_true(is_broken("\x80", 1));
    assert_true(is_broken("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
    assert_true(is_broken("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11));
    assert_false(is_broken("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10));
}

static void test_broken_stays_broken(void **state)
{
    (void)state;
    struct unpack unpack = unpack_of(bytes_of("\x05"
                                              "abcd",
                                              5));
    assert_int_equal(unpack_bytes(&unpack).size, 0);
    assert_true(unpack.is_broken);
    assert_int_equal(unpack_bytes(&unpack).size, 0); /* nothing left by now */
    assert_int_equal(unpack_number(&unpack), 0);
    assert_int_equal(unpack_fixed(&unpack), 0);
    assert_false(unpack_is_done(&unpack));
}

static void test_bounds(void **state)
{
    (void)state;
    struct unpack unpack = unpack_of(bytes_of("\x07\x08\x02", 3));
    assert_int_equal(unpack_bounded(&unpack, 7), 7);
    struct unpack other = unpack;
    assert_int_equal(unpack_bounded(&unpack, 7), 0);
    assert_true(unpack.is_broken);
    assert_int_equal(unpack_number(&other), 8);
    assert_false(unpack_flag(&other));
    assert_true(other.is_broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_out_as_it_went_in),
        cmocka_unit_test(test_numbers_that_do_not_end_or_do_not_fit),
        cmocka_unit_test(test_broken_stays_broken),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
