/* Bytes that have an owner: copies of their own, memory that is taken over, empty ones. */
#include "common/memory.h"
#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_copy_outlives_what_it_was_made_from(void **state)
{
    (void)state;
    char *source = memory_copy_string("pad.lua");
    struct text text = text_copy(bytes_of(source, 3));
    memset(source, '#', 7);
    memory_free(source);
    assert_true(bytes_equal_string(text.bytes, "pad"));
    assert_int_equal(text.bytes.data[3], 0);
    text_finish(&text);
    assert_null(text.bytes.data);
    assert_int_equal(text.bytes.size, 0);
    text_finish(&text);
}

static void an_empty_copy_is_an_empty_string(void **state)
{
    (void)state;
    struct text text = text_copy(bytes_of(NULL, 0));
    struct text other = text_copy_string("");
    assert_int_equal(text.bytes.size, 0);
    assert_string_equal((const char *)text.bytes.data, "");
    assert_string_equal((const char *)other.bytes.data, "");
    text_finish(&text);
    text_finish(&other);
}

static void memory_is_taken_and_not_copied(void **state)
{
    (void)state;
    char *memory = memory_copy_string("taken");
    struct text text = text_take(memory, 5);
    assert_ptr_equal(text.bytes.data, memory);
    assert_true(bytes_equal_string(text.bytes, "taken"));
    text_finish(&text); /* the leak checker judges */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_outlives_what_it_was_made_from),
        cmocka_unit_test(an_empty_copy_is_an_empty_string),
        cmocka_unit_test(memory_is_taken_and_not_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
