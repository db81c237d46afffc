/* When cookies expire: dates as servers write them, by RFC 6265 section 5.1.1. */
#include "agent/http/message/cookie_jar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* 6 November 1994, 08:49:37 */
#define THAT_DAY_S 784111777

static void expect_date(const char *text, int64_t expected_s)
{
    int64_t found_s = 0;

    if (!cookie_date_parse(bytes_of_string(text), &found_s)) {
        fail_msg("%s is no date", text);
    }
    if (found_s != expected_s) {
        fail_msg("%s is %lld", text, (long long)found_s);
    }
}

static void expect_no_date(const char *text)
{
    int64_t found_s = 0;

    if (cookie_date_parse(bytes_of_string(text), &found_s)) {
        fail_msg("%s is %lld", text, (long long)found_s);
    }
}

static void the_forms_of_servers_are_read(void **state)
{
    (void)state;
    expect_date("Sun, 06 Nov 1994 08:49:37 GMT", THAT_DAY_S);
    expect_date("Sunday, 06-Nov-94 08:49:37 GMT", THAT_DAY_S);
    expect_date("Sun Nov  6 08:49:37 1994", THAT_DAY_S);
    expect_date("1994 nov 6 8:49:37", THAT_DAY_S);
    expect_date("08:49:37;6;NOVEMBER;1994", THAT_DAY_S);
    expect_date("Thu, 01 Jan 1970 00:00:00 GMT", 0);
    expect_date("Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799));
    expect_date("Tue, 29 Feb 2028 00:00:00 GMT", INT64_C(1835395200));
}

static void years_of_two_digits_are_of_this_century_or_the_last(void **state)
{
    (void)state;
    expect_date("1 Jan 70 00:00:00", 0);
    expect_date("1 Jan 99 00:00:00", INT64_C(915148800));
    expect_date("1 Jan 00 00:00:00", INT64_C(946684800));
    expect_date("1 Jan 69 00:00:00", INT64_C(3124224000));
    expect_no_date("1 Jan 100 00:00:00");
    expect_no_date("1 Jan 1600 00:00:00");
    expect_date("1 Jan 1601 00:00:00", INT64_C(-11644473600));
}

static void what_cannot_be_is_no_date(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "tomorrow",
                                        "6 Nov 1994",
                                        "Nov 1994 08:49:37",
                                        "6 1994 08:49:37",
                                        "6 Nov 08:49:37",
                                        "0 Nov 1994 08:49:37",
                                        "32 Nov 1994 08:49:37",
                                        "31 Nov 1994 08:49:37",
                                        "29 Feb 2027 08:49:37",
                                        "6 Nov 1994 24:49:37",
                                        "6 Nov 1994 08:60:37",
                                        "6 Nov 1994 08:49:60",
                                        "6 Nov 1994 08:49",
                                        "6 Nov 1994 008:49:37",
                                        "6 Nov 19940 08:49:37",
                                        "6 No 1994 08:49:37"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect_no_date(texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_forms_of_servers_are_read),
        cmocka_unit_test(years_of_two_digits_are_of_this_century_or_the_last),
        cmocka_unit_test(what_cannot_be_is_no_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
