/* A buffer grows up to its maximum and says when something did not fit. */
#include "common/buffer.h"
#include "common/memory.h"
#include "tests/unit/common/check.h"

#include <string.h>

static void test_grows_by_all_kinds_of_appends(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, 1000);
    assert_string_equal(buffer_string(&buffer), "");
    assert_true(buffer_append(&buffer, "ab", 2));
    assert_true(buffer_append_string(&buffer, "cd"));
    assert_true(buffer_append_format(&buffer, "%d-%s", 42, "x"));
    assert_true(buffer_append(&buffer, NULL, 0));
    assert_string_equal(buffer_string(&buffer), "abcd42-x");
    assert_true(bytes_equal_string(buffer_bytes(&buffer), "abcd42-x"));
    assert_false(buffer.has_overflowed);
}

static void test_keeps_bytes_through_growth(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, 10000);
    for (unsigned i = 0; i < 10000; i++) {
        uint8_t byte = (uint8_t)(i * 7);
        assert_true(buffer_append(&buffer, &byte, 1));
    }
    for (unsigned i = 0; i < 10000; i++) {
        assert_int_equal(buffer.data[i], (uint8_t)(i * 7));
    }
    assert_false(buffer_append(&buffer, "x", 1));
    assert_int_equal(buffer.size, 10000);
}

static void test_appends_nothing_of_what_does_not_fit(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, 5);
    assert_true(buffer_append_string(&buffer, "abc"));
    assert_false(buffer_append_string(&buffer, "def"));
    assert_true(buffer.has_overflowed);
    assert_false(buffer_append_format(&buffer, "%03d", 1));
    assert_string_equal(buffer_string(&buffer), "abc");
    assert_true(buffer_append_format(&buffer, "%d", 12));
    assert_string_equal(buffer_string(&buffer), "abc12");
    assert_true(buffer.has_overflowed);
    assert_false(buffer_append(&buffer, "x", SIZE_MAX));
}

static void test_clear_forgets_content_and_overflow(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, 3);
    assert_false(buffer_append_string(&buffer, "long"));
    buffer_clear(&buffer);
    assert_false(buffer.has_overflowed);
    assert_true(buffer_append_string(&buffer, "new"));
    assert_string_equal(buffer_string(&buffer), "new");
}

static void test_take_hands_over_and_leaves_empty(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, 100);
    buffer_append_string(&buffer, "hello");
    size_t size = 0;
    uint8_t *taken = buffer_take(&buffer, &size);
    assert_int_equal(size, 5);
    assert_memory_equal(taken, "hello", 6);
    assert_int_equal(buffer.size, 0);
    assert_int_equal(buffer.maximum, 100);
    buffer_append_string(&buffer, "other");
    assert_memory_equal(taken, "hello", 6);
    memory_free(taken);
}

static void test_take_of_nothing_is_an_empty_string(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, 0);
    size_t size = 1;
    uint8_t *taken = buffer_take(&buffer, &size);
    assert_non_null(taken);
    assert_int_equal(size, 0);
    assert_int_equal(taken[0], 0);
    memory_free(taken);
}

static void test_stays_in_the_memory_of_the_caller(void **state)
{
    (void)state;
    struct buffer buffer;
    uint8_t memory[9];
    memset(memory, '#', sizeof memory);
    buffer_init_within(&buffer, memory, 8);
    assert_true(buffer_append(&buffer, "1234567", 7));
    assert_ptr_equal(buffer.data, memory);
    assert_string_equal(buffer_string(&buffer), "1234567");
    assert_false(buffer_append(&buffer, "8", 1));
    assert_true(buffer.has_overflowed);
    assert_ptr_equal(buffer.data, memory);
    assert_int_equal(memory[8], '#');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_by_all_kinds_of_appends),
        cmocka_unit_test(test_keeps_bytes_through_growth),
        cmocka_unit_test(test_appends_nothing_of_what_does_not_fit),
        cmocka_unit_test(test_clear_forgets_content_and_overflow),
        cmocka_unit_test(test_take_hands_over_and_leaves_empty),
        cmocka_unit_test(test_take_of_nothing_is_an_empty_string),
        cmocka_unit_test(test_stays_in_the_memory_of_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
