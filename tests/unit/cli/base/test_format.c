/* Numbers formatted for people. */
#include "cli/base/format.h"
#include "tests/unit/common/check.h"

#include <stdlib.h>
#include <string.h>

static void counts_have_commas(void **state)
{
    (void)state;
    char text[FORMAT_BYTES];
    format_count(0, text);
    assert_string_equal(text, "0");
    format_count(999, text);
    assert_string_equal(text, "999");
    format_count(1000, text);
    assert_string_equal(text, "1,000");
    format_count(UINT64_MAX, text);
    assert_string_equal(text, "18,446,744,073,709,551,615");
}

static void durations_have_three_digits(void **state)
{
    (void)state;
    static const struct {
        uint64_t us;
        const char *text;
    } cases[] = {
        {0, "0 µs"},
        {999, "999 µs"},
        {1000, "1.00 ms"},
        {1234, "1.23 ms"},
        {9994, "9.99 ms"},
        {9996, "10.0 ms"},
        {99949, "99.9 ms"},
        {99960, "100 ms"},
        {999499, "999 ms"},
        {999500, "1.00 s"},
        {12345678, "12.3 s"},
        {59999999, "60.0 s"},
        {200000000, "3 m 20 s"},
    };
    char text[FORMAT_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        format_us(cases[i].us, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void rates_have_one_decimal_while_small(void **state)
{
    (void)state;
    char text[FORMAT_BYTES];
    format_rate(0, "steps", text);
    assert_string_equal(text, "0.0 steps/s");
    format_rate(99.94, "steps", text);
    assert_string_equal(text, "99.9 steps/s");
    format_rate(99.96, "requests", text);
    assert_string_equal(text, "100 requests/s");
    format_rate(43210.4, "requests", text);
    assert_string_equal(text, "43,210 requests/s");
}

static void columns_count_characters(void **state)
{
    (void)state;
    assert_int_equal(format_columns(bytes_of_string("3 µs × 2")), 8);
    assert_int_equal(format_columns(bytes_of_string("")), 0);
    assert_int_equal(format_columns(bytes_of_string("東京 1")), 6);
    assert_int_equal(format_columns(bytes_of_string("e\u0301té")), 3);
    assert_int_equal(format_columns(bytes_of_string("한국어")), 6);
    assert_int_equal(format_columns(bytes_of("a\xff\xe6\x9d", 4)), 4);
}

static void what_is_too_long_is_cut(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, 100);
    format_cut(bytes_of_string("3 µs × 2"), 8, &text);
    assert_string_equal(buffer_string(&text), "3 µs × 2");
    buffer_clear(&text);
    format_cut(bytes_of_string("3 µs × 2"), 7, &text);
    assert_string_equal(buffer_string(&text), "3 µs ×…");
    buffer_clear(&text);
    format_cut(bytes_of_string("東京 1"), 4, &text);
    assert_string_equal(buffer_string(&text), "東…");
}

static void wraps(const char *words, size_t columns, const char *expected)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, 1000);
    format_wrap(bytes_of_string(words), columns, 2, &text);
    assert_string_equal(buffer_string(&text), expected);
}

static void lines_break_at_spaces(void **state)
{
    (void)state;
    wraps("one two three", 13, "one two three");
    wraps("one two three", 12, "one two\n  three");
    wraps("p50 3 ms, p99 4 ms", 14, "p50 3 ms,\n  p99 4 ms");
    wraps("a lag of 12 ms", 11, "a lag of\n  12 ms");
    wraps("unbreakable words", 4, "unbreakable\n  words");
    wraps("", 4, "");
}

static void times_of_day_are_of_the_last_day(void **state)
{
    (void)state;
    char text[FORMAT_BYTES];
    uint64_t at_ns = UINT64_C(1700000000123456789); /* 2023-11-14 22:13:20 UTC */
    (void)setenv("TZ", "UTC", 1);
    format_wall_time(at_ns, at_ns + UINT64_C(3600000000000), text);
    assert_string_equal(text, "22:13:20");
    format_wall_time(at_ns, at_ns + UINT64_C(86400000000000), text);
    assert_string_equal(text, "Nov 14 22:13");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_have_commas),
        cmocka_unit_test(durations_have_three_digits),
        cmocka_unit_test(rates_have_one_decimal_while_small),
        cmocka_unit_test(columns_count_characters),
        cmocka_unit_test(what_is_too_long_is_cut),
        cmocka_unit_test(lines_break_at_spaces),
        cmocka_unit_test(times_of_day_are_of_the_last_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
