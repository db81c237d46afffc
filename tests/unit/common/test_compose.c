/* Text in an array is complete, or cut at a character boundary. */
#include "common/compose.h"
#include "tests/unit/common/check.h"

static void test_what_fits_is_whole(void **state)
{
    (void)state;
    char text[8];
    compose(text, sizeof text, "%s %u", "abcde", 7u);
    assert_string_equal(text, "abcde 7");
    compose(text, sizeof text, "abcäö");
    assert_string_equal(text, "abcäö");
    compose(text, sizeof text, "%s", "");
    assert_string_equal(text, "");
}

static void assert_cut(size_t size, const char *whole, const char *cut)
{
    char text[16];
    memset(text, '#', sizeof text);
    compose(text, size, "%s", whole);
    assert_string_equal(text, cut);
}

static void test_what_does_not_fit_is_cut_between_characters(void **state)
{
    (void)state;
    assert_cut(1, "abc", "");
    assert_cut(1, "ä", "");
    assert_cut(3, "abc", "ab");
    assert_cut(3, "aä", "a");
    assert_cut(4, "aäb", "aä");
    assert_cut(3, "–b", "");
    assert_cut(4, "–b", "–");
    assert_cut(5, "a🦀", "a");
    assert_cut(6, "a🦀b", "a🦀");
}

static void test_what_is_no_text_is_cut_all_the_same(void **state)
{
    (void)state;
    assert_cut(4, "\x80\x80\x80\x80", "");
    assert_cut(9, "aaaa\x80\x80\x80\x80\x80", "aaaa");
    assert_cut(4, "ab\xff\xff", "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_fits_is_whole),
        cmocka_unit_test(test_what_does_not_fit_is_cut_between_characters),
        cmocka_unit_test(test_what_is_no_text_is_cut_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
