/* Errors are one line, wrapped outward, and never longer than their array. */
#include "common/bytes.h"
#include "common/error.h"
#include "tests/unit/common/check.h"

#include <errno.h>

static void test_set_and_wrap(void **state)
{
    (void)state;
    struct error error;
    assert_false(error_set(&error, "line %d: no such thing", 12));
    assert_false(error_wrap(&error, "bundle %s: ", "pad.lua"));
    assert_string_equal(error.text, "bundle pad.lua: line 12: no such thing");
}

static void test_system_tells_the_reason(void **state)
{
    (void)state;
    struct error error;
    assert_false(error_set_system(&error, ENOENT, "cannot open %s", "x.lua"));
    assert_string_equal(error.text, "cannot open x.lua: No such file or directory");
}

static void test_nobody_wants_the_words(void **state)
{
    (void)state;
    assert_false(error_set(NULL, "x"));
    assert_false(error_wrap(NULL, "x"));
    assert_false(error_set_system(NULL, ENOENT, "x"));
}

static void test_its_own_text_may_be_an_argument(void **state)
{
    (void)state;
    struct error error;
    error_set(&error, "inner");
    error_set(&error, "outer (%s)", error.text);
    assert_string_equal(error.text, "outer (inner)");
}

static void test_is_cut_between_characters(void **state)
{
    (void)state;
    struct error error;
    char filler[ERROR_MAX_BYTES];
    memset(filler, 'a', sizeof filler);
    filler[ERROR_MAX_BYTES - 2] = '\0';
    error_set(&error, "%s", filler);
    assert_int_equal(strlen(error.text), ERROR_MAX_BYTES - 2);
    error_wrap(&error, "–");
    assert_int_equal(strlen(error.text), ERROR_MAX_BYTES - 1);
    filler[ERROR_MAX_BYTES - 4] = '\0';
    error_set(&error, "%s", "–");
    error_wrap(&error, "%s", filler);
    assert_int_equal(strlen(error.text), ERROR_MAX_BYTES - 1);
    error_wrap(&error, "b");
    assert_int_equal(strlen(error.text), ERROR_MAX_BYTES - 3);
    assert_true(bytes_is_printable(TEXT(error.text)));
    error_set(&error, "%sa–", filler);
    assert_int_equal(strlen(error.text), ERROR_MAX_BYTES - 3);
    assert_true(bytes_is_printable(TEXT(error.text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_wrap),
        cmocka_unit_test(test_system_tells_the_reason),
        cmocka_unit_test(test_nobody_wants_the_words),
        cmocka_unit_test(test_its_own_text_may_be_an_argument),
        cmocka_unit_test(test_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
