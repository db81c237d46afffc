/* Comparing, hashing and checking borrowed bytes. */
#include "common/bytes.h"
#include "tests/unit/common/check.h"

static void test_equal(void **state)
{
    (void)state;
    assert_true(bytes_equal(TEXT("abc"), TEXT("abc")));
    assert_false(bytes_equal(TEXT("abc"), TEXT("abd")));
    assert_false(bytes_equal(TEXT("abc"), TEXT("ab")));
    assert_true(bytes_equal(bytes_of(NULL, 0), TEXT("")));
    assert_true(bytes_equal(TEXT(NULL), TEXT("")));
    assert_true(bytes_equal_string(bytes_of("abcd", 3), "abc"));
    assert_false(bytes_equal_string(bytes_of("ab\0", 3), "ab"));
}

static void test_compare_orders_like_memcmp_then_by_length(void **state)
{
    (void)state;
    assert_true(bytes_compare(TEXT("a"), TEXT("b")) < 0);
    assert_true(bytes_compare(TEXT("b"), TEXT("aa")) > 0);
    assert_true(bytes_compare(TEXT("a"), TEXT("aa")) < 0);
    assert_true(bytes_compare(TEXT("aa"), TEXT("a")) > 0);
    assert_true(bytes_compare(TEXT(""), TEXT("a")) < 0);
    assert_int_equal(bytes_compare(bytes_of(NULL, 0), TEXT("")), 0);
    assert_true(bytes_compare(TEXT("\x7f"), TEXT("\x80")) < 0);
}

static void test_hash_is_the_same_every_time_and_spreads(void **state)
{
    (void)state;
    assert_true(bytes_hash(TEXT("room")) == bytes_hash(bytes_of("rooms", 4)));
    /* A fixed number: what was recorded on one machine replays identically on another. */
    assert_true(bytes_hash(TEXT("")) == 0xefd01f60ba992926U);
    unsigned counts[16] = {0};
    for (uint32_t i = 0; i < 1600; i++) {
        counts[bytes_hash(bytes_of(&i, sizeof i)) % 16]++;
    }
    for (unsigned i = 0; i < 16; i++) {
        assert_in_range(counts[i], 60, 140);
    }
}

static void test_printable_is_utf8_without_controls(void **state)
{
    (void)state;
    assert_true(bytes_is_printable(TEXT("")));
    assert_true(bytes_is_printable(TEXT("größe 0–3 😀 ~")));
    static const char *const refused[] = {
        "a\n",
        "\x7f",
        "\xc2\x85", /* a C1 control */
        "\xff",
        "\xc3", /* truncated */
        "\xc0\xaf",
        "\xe0\x80\xaf", /* overlong */
        "\xed\xa0\x80", /* a surrogate */
        "\xf4\x90\x80\x80",
        "\x80",
        "\xe2\x28\xa1",
        "gnp.\u202Elua",        /* shown as auled.png */
        "a\u2028tutti: forged", /* a line end for some readers */
        "admin\u200B",          /* another name that looks the same */
        "a\U000E0041",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_false(bytes_is_printable(TEXT(refused[i])));
    }
    assert_false(bytes_is_printable(bytes_of("a\0b", 3)));
}

static void test_character_gives_length_and_code_point(void **state)
{
    (void)state;
    uint32_t character = 0;
    assert_int_equal(bytes_character(TEXT("–x"), &character), 3);
    assert_int_equal(character, 0x2013);
    assert_int_equal(bytes_character(TEXT("\xf4\x8f\xbf\xbf"), &character), 4);
    assert_int_equal(character, 0x10ffff);
    assert_int_equal(bytes_character(TEXT(""), &character), 0);
    assert_int_equal(bytes_character(bytes_of("–", 2), &character), 0);
}

static void test_to_text_cuts_between_characters(void **state)
{
    (void)state;
    char text[6];
    bytes_to_text(TEXT("abcde"), text, sizeof text);
    assert_string_equal(text, "abcde");
    bytes_to_text(TEXT("abcdef"), text, sizeof text);
    assert_string_equal(text, "abcde");
    bytes_to_text(TEXT("abcd–"), text, sizeof text);
    assert_string_equal(text, "abcd");
    bytes_to_text(TEXT("ab–"), text, sizeof text);
    assert_string_equal(text, "ab–");
    bytes_to_text(bytes_of(NULL, 0), text, sizeof text);
    assert_string_equal(text, "");
    text[0] = 'x';
    bytes_to_text(TEXT("–"), text, 1);
    assert_string_equal(text, "");
    bytes_to_text(TEXT("a"), NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_compare_orders_like_memcmp_then_by_length),
        cmocka_unit_test(test_hash_is_the_same_every_time_and_spreads),
        cmocka_unit_test(test_printable_is_utf8_without_controls),
        cmocka_unit_test(test_character_gives_length_and_code_point),
        cmocka_unit_test(test_to_text_cuts_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
