/* The variables of a script: names, values, lines of a file, bounds. */
#include "proto/message/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The variables as "NAME=VALUE;…" of the test. */
static void expect(struct bytes environment, const char *wanted)
{
    SCOPED(buffer_finish) struct buffer told;
    struct bytes name;
    struct bytes value;
    buffer_init(&told, ENVIRONMENT_MAX_BYTES * 2);
    assert_true(environment_check(environment, NULL));
    while (environment_next(&environment, &name, &value)) {
        buffer_append_format(&told, "%.*s=%.*s;", BYTES_FORMAT(name), BYTES_FORMAT(value));
    }
    assert_string_equal(buffer_string(&told), wanted);
}

static void expect_lines(const char *lines, const char *wanted)
{
    SCOPED(buffer_finish) struct buffer environment;
    struct error error = {0};
    environment_init(&environment);
    bool is_good = environment_set_lines(&environment, lines, &error);
    if (!is_good) {
        fail_msg("%s", error.text);
    }
    expect(buffer_bytes(&environment), wanted);
}

static void refuse_lines(const char *lines, const char *words)
{
    SCOPED(buffer_finish) struct buffer environment;
    struct error error = {0};
    environment_init(&environment);
    assert_false(environment_set_lines(&environment, lines, &error));
    assert_non_null(strstr(error.text, words));
    assert_null(strstr(error.text, "secret"));
}

static void refuse_bytes(const char *bytes, size_t size, const char *words)
{
    struct error error = {0};
    assert_false(environment_check(bytes_of(bytes, size), &error));
    assert_non_null(strstr(error.text, words));
}

static void the_last_value_of_a_name_counts(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer environment;
    environment_init(&environment);
    assert_true(environment_set_word(&environment, "A=1", NULL));
    assert_true(environment_set_word(&environment, "B=x=y", NULL));
    assert_true(environment_set_word(&environment, "AB=", NULL));
    assert_true(environment_set_word(&environment, "A=longer than before", NULL));
    expect(buffer_bytes(&environment), "B=x=y;AB=;A=longer than before;");
    assert_true(environment_set_word(&environment, "AB=2", NULL));
    expect(buffer_bytes(&environment), "B=x=y;A=longer than before;AB=2;");
}

static void lines_have_comments_quotes_and_spaces(void **state)
{
    (void)state;
    expect_lines("", "");
    expect_lines("\n # only\n\t\r\n", "");
    expect_lines("A=1\nexport B = 2 \nC=a b\t# c\r\nD=a#b\nE= # e\nexport=5",
                 "A=1;B=2;C=a b;D=a#b;E=;export=5;");
    expect_lines("A='it # is \\n so' # c\nB=\"a\\n\\r\\t\\\\\\\"\\$\"\nC=''\nD=\"\"#",
                 "A=it # is \\n so;B=a\n\r\t\\\"$;C=;D=;");
}

static void malformed_lines_are_named(void **state)
{
    (void)state;
    refuse_lines("A=1\n\nsecret", "line 3: expected NAME=VALUE");
    refuse_lines("A='secret", "line 1: the quote is not closed");
    refuse_lines("A=\"secret\\\"", "line 1: the quote is not closed");
    refuse_lines("A=\"secret\\", "line 1: the quote is not closed");
    refuse_lines("A='x' secret", "line 1: something follows");
    refuse_lines("A=\"\\q secret\"", "line 1: in \"");
    refuse_lines("=secret", "line 1: \"\" is no name");
    refuse_lines("1A=secret", "line 1: \"1A\" is no name");
    refuse_lines("A-B=secret", "line 1: \"A-B\" is no name");
    refuse_lines("A\x1b[m=secret", "line 1: the name of a variable");
    refuse_lines("A=secret\xff", "line 1: the value of A is not text");
}

static void what_comes_over_the_wire_is_checked(void **state)
{
    (void)state;
    static const char both[] = "A=1\0B=\0";
    expect(bytes_of(both, sizeof both - 1), "A=1;B=;");
    assert_true(environment_check(bytes_of("", 0), NULL));
    refuse_bytes("A=1", 3, "cut off");
    refuse_bytes("A", 2, "A has no value");
    refuse_bytes("\0", 1, "is no name");
    refuse_bytes("A=1\0A=2", 8, "A is given twice");
}

static void it_is_bounded(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer environment;
    SCOPED(buffer_finish) struct buffer value;
    struct error error = {0};
    environment_init(&environment);
    buffer_init(&value, ENVIRONMENT_MAX_BYTES);
    while (value.size < ENVIRONMENT_MAX_BYTES - 3) {
        buffer_append_string(&value, "x");
    }
    assert_true(environment_set(&environment, bytes_of_string("A"), buffer_bytes(&value), NULL));
    assert_true(environment_check(buffer_bytes(&environment), NULL));
    assert_false(environment_set(&environment, bytes_of_string("B"), bytes_of("", 0), &error));
    assert_non_null(strstr(error.text, "65536"));
    assert_true(environment_set(&environment, bytes_of_string("A"), bytes_of("", 0), NULL));
    for (unsigned i = 1; i < ENVIRONMENT_MAX_NAMES; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "N%u", i);
        assert_true(environment_set(&environment, bytes_of_string(name), bytes_of("", 0), NULL));
    }
    assert_true(environment_check(buffer_bytes(&environment), NULL));
    assert_false(environment_set(&environment, bytes_of_string("M"), bytes_of("", 0), &error));
    assert_true(environment_set(&environment, bytes_of_string("N7"), bytes_of("x", 1), NULL));
    buffer_append(&environment, "M=", 3);
    assert_false(environment_check(buffer_bytes(&environment), &error));
    assert_non_null(strstr(error.text, "1000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_value_of_a_name_counts),
        cmocka_unit_test(lines_have_comments_quotes_and_spaces),
        cmocka_unit_test(malformed_lines_are_named),
        cmocka_unit_test(what_comes_over_the_wire_is_checked),
        cmocka_unit_test(it_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
