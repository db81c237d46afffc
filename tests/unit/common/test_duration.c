/* Durations as people write and read them. */
#include "common/duration.h"
#include "tests/unit/common/check.h"

static void test_parses_what_people_write(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t milliseconds;
    } rows[] = {
        {"10", 10000},          {"10s", 10000},    {"250ms", 250},     {"5m", 300000},    {"1h", 3600000},
        {"1.5s", 1500},         {"0", 0},          {"0.001", 1},       {"1.5h", 5400000}, {"0.05m", 3000},
        {"8760h", 31536000000}, {"2.000s", 2000},  {"007s", 7000},     {"5m30s", 330000}, {"1h5m", 3900000},
        {"1h2m3.5s", 3723500},  {"1s500ms", 1500}, {"1h90s", 3690000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t milliseconds = UINT64_MAX;
        struct error error = {""};
        assert_true(duration_parse(rows[i].text, &milliseconds, &error));
        assert_true(milliseconds == rows[i].milliseconds);
    }
}

static void assert_refused(const char *text, const char *why)
{
    uint64_t milliseconds = 77;
    struct error error = {""};
    assert_false(duration_parse(text, &milliseconds, &error));
    assert_true(milliseconds == 77);
    if (strstr(error.text, why) == NULL) {
        fail_msg("\"%s\" says: %s", text, error.text);
    }
}

static void test_refuses_junk(void **state)
{
    (void)state;
    static const char *const junk[] = {"",    " ",         "s",   "-1",   "+1",     " 1",    "1 ",    "1 s",
                                       "1x",  "1.",        ".5",  "1..5", "1e3",    "0x10",  "1.5.1", "5m1h",
                                       "nan", "1.0000001", "1h5", "5m5m", "1.5h5m", "1h 5m", "5m-1s", "1hm"};
    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++) {
        assert_refused(junk[i], "not a duration");
    }
}

static void test_refuses_what_is_too_fine_or_too_long(void **state)
{
    (void)state;
    assert_refused("0.0005", "finer");
    assert_refused("1.5ms", "finer");
    assert_refused("8760.001h", "365 days");
    assert_refused("31536000.001", "365 days");
    assert_refused("99999999999999999999999999h", "365 days");
    assert_refused("18446744073709551616", "365 days");
    assert_refused("8760h1ms", "365 days");
    assert_refused("1h0.0001s", "finer");
}

static void test_needs_no_error(void **state)
{
    (void)state;
    uint64_t milliseconds = 0;
    assert_false(duration_parse("soon", &milliseconds, NULL));
}

static void test_describes(void **state)
{
    (void)state;
    static const struct {
        uint64_t milliseconds;
        const char *text;
    } rows[] = {
        {0, "0 ms"},          {850, "850 ms"},  {1000, "1 s"},         {2500, "2.5 s"},
        {2050, "2.05 s"},     {10000, "10 s"},  {59999, "59.999 s"},   {60000, "1 m"},
        {200000, "3 m 20 s"}, {3600000, "1 h"}, {3620000, "1 h 20 s"}, {5400999, "1 h 30 m"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[40];
        duration_describe(rows[i].milliseconds, text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
    char all[64];
    duration_describe(UINT64_MAX, all, sizeof all);
    assert_string_equal(all, "5124095576030 h 25 m 51 s");
    char tight[5];
    duration_describe(200000, tight, sizeof tight);
    assert_string_equal(tight, "3 m ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parses_what_people_write),
        cmocka_unit_test(test_refuses_junk),
        cmocka_unit_test(test_refuses_what_is_too_fine_or_too_long),
        cmocka_unit_test(test_needs_no_error),
        cmocka_unit_test(test_describes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
