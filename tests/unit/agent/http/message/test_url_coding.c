/* Percent-encoding, and the pairs of a query. */
#include "agent/http/message/url_coding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void expect_encoded(struct bytes text, const char *kept, const char *expected)
{
    char out[200];
    size_t size = url_encoded_size(text, kept);

    assert_int_equal(size, strlen(expected));
    url_encode_to(out, text, kept);
    assert_memory_equal(out, expected, size);
}

static void what_is_not_kept_is_encoded(void **state)
{
    (void)state;
    expect_encoded(bytes_of_string("AZaz09-._~"), "", "AZaz09-._~");
    expect_encoded(bytes_of_string("a b/c?d=e&f%+\xc3\xa4"), "", "a%20b%2Fc%3Fd%3De%26f%25%2B%C3%A4");
    expect_encoded(bytes_of_string("/a b?c%20#"), URL_KEPT_IN_PATH, "/a%20b%3Fc%20%23");
    expect_encoded(bytes_of_string("a=b?/#"), URL_KEPT_IN_QUERY, "a=b?/%23");
    expect_encoded(bytes_of("\0\x7f", 2), "/", "%00%7F");
    expect_encoded(bytes_of("", 0), "", "");
}

static void expect_decoded(const char *text, bool is_form, const char *expected, size_t expected_size)
{
    char out[200];
    size_t size = 0;

    assert_true(url_decode_to(out, bytes_of_string(text), is_form, &size));
    assert_int_equal(size, expected_size);
    assert_memory_equal(out, expected, size);
}

static void encoded_text_is_decoded(void **state)
{
    (void)state;
    expect_decoded("a%20b%2fC%2F+", false, "a b/C/+", 7);
    expect_decoded("a+b%2B", true, "a b+", 4);
    expect_decoded("%00%ff", false, "\0\xff", 2);
    expect_decoded("", false, "", 0);
}

static void a_percent_sign_alone_is_refused(void **state)
{
    static const char *const rows[] = {"%", "a%", "%4", "%4g", "%g4", "%%20", "ab%2"};
    char out[20];
    size_t size;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_false(url_decode_to(out, bytes_of_string(rows[i]), false, &size));
    }
}

static void pairs_are_taken_one_by_one(void **state)
{
    static const struct {
        const char *name;
        const char *value;
    } rows[] = {{"a", "1"}, {"b", ""}, {"c", ""}, {"", "d"}, {"a", "2=3"}};
    struct bytes query = bytes_of_string("&a=1&&b=&c&=d&a=2=3&");
    struct bytes name;
    struct bytes value;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(url_query_next(&query, &name, &value));
        assert_true(bytes_equal_string(name, rows[i].name));
        assert_true(bytes_equal_string(value, rows[i].value));
    }
    assert_false(url_query_next(&query, &name, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_kept_is_encoded),
        cmocka_unit_test(encoded_text_is_decoded),
        cmocka_unit_test(a_percent_sign_alone_is_refused),
        cmocka_unit_test(pairs_are_taken_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
