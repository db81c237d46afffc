/* Nothing that comes from outside can control a terminal or break a line of JSON. */
#include "common/escape.h"
#include "tests/unit/common/check.h"

typedef void escaper(struct buffer *buffer, struct bytes bytes);

static void assert_escaped(escaper *escape, struct bytes bytes, const char *expected)
{
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, 100);
    escape(&buffer, bytes);
    assert_string_equal(buffer_string(&buffer), expected);
}

static void test_text(void **state)
{
    (void)state;
    assert_escaped(escape_text, TEXT("plain größe 0–3 \"q\" \\"), "plain größe 0–3 \"q\" \\");
    assert_escaped(escape_text, TEXT("a\nb\tc\r"), "a\\nb\\tc\\r");
    assert_escaped(escape_text, TEXT("\x1b[31m\x7f\xc2\x9b"), "\\x1b[31m\\x7f\\x9b");
    assert_escaped(escape_text, TEXT("a\u202Eb\u2066\u200Bc\u2028d\uFEFF\u00AD"),
                   "a\\u{202e}b\\u{2066}\\u{200b}c\\u{2028}d\\u{feff}\\xad");
    assert_escaped(escape_text, TEXT("\U000E0041 \u200D \U0001F600 \u4E16"),
                   "\\u{e0041} \u200D \U0001F600 \u4E16");
    assert_escaped(escape_text, bytes_of("a\0\xff\xe2\x80", 5), "a\\x00\\xff\\xe2\\x80");
}

static void test_json(void **state)
{
    (void)state;
    assert_escaped(escape_json, TEXT("größe \"q\" \\ /"), "größe \\\"q\\\" \\\\ /");
    assert_escaped(escape_json, bytes_of("\n\x1b\0\x7f", 4), "\\n\\u001b\\u0000\\u007f");
    assert_escaped(escape_json, TEXT("a\u202Eb\u2028"), "a\\u202eb\\u2028");
    assert_escaped(escape_json, TEXT("\U000E0041"), "\\udb40\\udc41");
    assert_escaped(escape_json, TEXT("a\xff!"), "a\xef\xbf\xbd!");
}

static void test_is_cut_before_what_does_not_fit(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, 4);
    escape_text(&buffer, TEXT("ab–c"));
    assert_string_equal(buffer_string(&buffer), "ab");
    assert_true(buffer.has_overflowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_is_cut_before_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
