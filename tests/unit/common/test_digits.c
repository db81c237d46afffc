/* Digits are read as they stand, and written in groups of three. */
#include "common/digits.h"
#include "tests/unit/common/check.h"

static void digits_are_read_up_to_what_follows(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_number;
        uint64_t number;
        const char *rest;
    } rows[] = {
        {"0", true, 0, ""},
        {"007/x", true, 7, "/x"},
        {"18446744073709551615", true, UINT64_MAX, ""},
        {"18446744073709551616", false, 0, "18446744073709551616"},
        {"99999999999999999999", false, 0, "99999999999999999999"},
        {"", false, 0, ""},
        {"x7", false, 0, "x7"},
        {" 7", false, 0, " 7"},
        {"+7", false, 0, "+7"},
        {"-7", false, 0, "-7"},
        {"0x10", true, 0, "x10"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *text = rows[i].text;
        uint64_t number = 0;
        uint64_t whole = 42;
        assert_int_equal(digits_read(&text, &number), rows[i].is_number);
        assert_true(number == rows[i].number);
        assert_string_equal(text, rows[i].rest);
        bool is_whole = rows[i].is_number && *rows[i].rest == '\0';
        assert_int_equal(digits_are(rows[i].text, &whole), is_whole);
        assert_true(whole == (is_whole ? rows[i].number : 42));
    }
}

static void groups_have_three_digits(void **state)
{
    (void)state;
    static const struct {
        uint64_t number;
        const char *text;
    } rows[] = {
        {0, "0"},
        {999, "999"},
        {1000, "1,000"},
        {1234567, "1,234,567"},
        {UINT64_MAX, "18,446,744,073,709,551,615"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[DIGITS_BYTES];
        digits_group(rows[i].number, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void hexadecimal_digits_have_a_value(void **state)
{
    (void)state;
    static const char digits[] = "0123456789abcdefABCDEF";
    for (int i = 0; digits[i] != 0; i++) {
        assert_int_equal(digits_hex_value((uint8_t)digits[i]), i < 16 ? i : i - 6);
    }
    static const char others[] = "/:@`gG \x19";
    for (int i = 0; i <= 8; i++) {
        assert_int_equal(digits_hex_value((uint8_t)others[i]), -1);
    }
}

static void decimals_are_plain(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double number;
        const char *rest; /* NULL: it is none */
    } cases[] = {{"12", 12, ""},
                 {"0.5ms", 0.5, "ms"},
                 {".5", 0.5, ""},
                 {"5.%", 5, "%"},
                 {"1e5", 1, "e5"},
                 {"0x10", 0, "x10"},
                 {"", 0, NULL},
                 {".", 0, NULL},
                 {"1.2.3", 0, NULL},
                 {"-1", 0, NULL},
                 {"nan", 0, NULL},
                 {" 1", 0, NULL},
                 {"000000000000000000000000000000000000000000000000000000000000001", 1, ""},
                 {"0000000000000000000000000000000000000000000000000000000000000001", 0, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = cases[i].text;
        double number = 0;
        assert_int_equal(digits_read_decimal(&text, &number), cases[i].rest != NULL);
        assert_string_equal(text, cases[i].rest != NULL ? cases[i].rest : cases[i].text);
        assert_true(number == cases[i].number);
    }
}

static void percentages_end_with_their_sign(void **state)
{
    (void)state;
    double percent = 0;
    assert_true(digits_are_percent("2.5%", &percent) && percent == 2.5);
    assert_true(digits_are_percent("100%", &percent) && percent == 100);
    assert_false(digits_are_percent("100.1%", &percent));
    assert_false(digits_are_percent("5", &percent));
    assert_false(digits_are_percent("5%%", &percent));
    assert_false(digits_are_percent("%", &percent));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_read_up_to_what_follows), cmocka_unit_test(decimals_are_plain),
        cmocka_unit_test(percentages_end_with_their_sign),    cmocka_unit_test(groups_have_three_digits),
        cmocka_unit_test(hexadecimal_digits_have_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
