/* What precedes the text of a file, and bytes that are not UTF-8. */
#include "agent/script/file_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MARK "\xef\xbb\xbf"

static void expect_source(const char *text, const char *source)
{
    struct bytes found = file_text_of_source(bytes_of_string(text));

    assert_true(bytes_equal_string(found, source));
}

static void a_mark_and_a_shebang_are_no_source(void **state)
{
    (void)state;
    expect_source("return 1", "return 1");
    expect_source("", "");
    expect_source(MARK, "");
    expect_source(MARK "return 1", "return 1");
    expect_source("#!/usr/bin/env tutti\nreturn 1", "\nreturn 1");
    expect_source(MARK "#!tutti\r\nreturn 1", "\nreturn 1");
    expect_source("#", "");
    expect_source("-- #\n#x", "-- #\n#x");
    expect_source(MARK MARK "x", MARK "x");
}

static void a_mark_is_no_text(void **state)
{
    (void)state;
    assert_true(bytes_equal_string(file_text_without_mark(bytes_of_string(MARK "#a")), "#a"));
    assert_true(bytes_equal_string(file_text_without_mark(bytes_of_string("\xef\xbb")), "\xef\xbb"));
}

static void bytes_that_are_not_utf8_are_told_with_their_line(void **state)
{
    struct error error = {""};

    (void)state;
    assert_true(file_text_check(bytes_of_string("a\n\xc3\xa9\xf0\x9f\x8e\xbc\n"), &error));
    assert_true(file_text_check(bytes_of("a\0b", 3), &error));
    assert_false(file_text_check(bytes_of_string("name\nren\xe9\n"), &error));
    assert_string_equal(error.text, "2: the byte 0xE9 is not UTF-8; save the file as UTF-8");
    assert_false(file_text_check(bytes_of_string("\xc3"), &error));
    assert_string_equal(error.text, "1: the byte 0xC3 is not UTF-8; save the file as UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_and_a_shebang_are_no_source),
        cmocka_unit_test(a_mark_is_no_text),
        cmocka_unit_test(bytes_that_are_not_utf8_are_told_with_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
