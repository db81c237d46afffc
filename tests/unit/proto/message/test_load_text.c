/* Rates, stages and think times as options spell them. */
#include "proto/message/load_text.h"
#include "tests/unit/common/check.h"

#include "common/time_units.h"

#include <math.h>
#include <string.h>

static void a_rate_has_its_unit(void **state)
{
    static const struct {
        const char *text;
        double per_s;
    } good[] = {{"50/s", 50}, {"30/m", 0.5}, {"3600/h", 1}, {"0.25/s", 0.25}, {"0/s", 0}, {"1000000/s", 1e6}};
    static const char *const bad[] = {"50",  "/s",      "50/",  "50/d",      "-1/s",  "1e3/s",
                                      "./s", "1.2.3/s", "5 /s", "1000001/s", "nan/s", "50/s "};
    struct error error;
    double per_s = -1;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(load_parse_rate(bytes_of_string(good[i].text), &per_s, &error));
        assert_true(fabs(per_s - good[i].per_s) < 1e-12);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (load_check_rate(bytes_of_string(bad[i]), &error)) {
            fail_msg("%s", bad[i]);
        }
        assert_non_null(strstr(error.text, "expected a number with its unit, like 50/s"));
    }
    assert_true(load_check_rate(bytes_of_string(""), NULL));
    assert_false(load_check_rate(bytes_of_string("5\x1b/s"), &error));
    assert_int_equal(strncmp(error.text, "rate: expected", 14), 0);
}

static void stages_are_of_workers_or_of_a_rate(void **state)
{
    static const char *const bad[] = {"30s",           "30s:",   "x:5",          "30s:1.5",     "30s:-1",
                                      "30s:5,10s:5/s", "0s:5",   "30s:5/s,1m:5", "30s:1000001", ",",
                                      "367d:1",        "30s:5:6"};
    struct load_stages stages;
    struct error error;

    (void)state;
    assert_true(load_parse_stages(bytes_of_string("30s:100,2m:100, 1.5s:0"), &stages, &error));
    assert_int_equal(stages.count, 3);
    assert_false(stages.are_rates);
    assert_int_equal(stages.length_ms, 151500);
    assert_int_equal(stages.items[1].length_ms, 120000);
    assert_true(stages.items[0].target >= 100 && stages.items[2].target <= 0);
    assert_true(load_parse_stages(bytes_of_string("30s:60/m 10s:0/s"), &stages, &error));
    assert_true(stages.are_rates && fabs(stages.items[0].target - 1) < 1e-12);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (load_check_stages(bytes_of_string(bad[i]), &error)) {
            fail_msg("%s", bad[i]);
        }
        assert_non_null(strstr(error.text, "like 30s:100,2m:100,30s:0"));
    }
    char many[400] = "";
    for (unsigned i = 0; i < LOAD_STAGES_MAX; i++) {
        strncat(many, "1s:1,", sizeof many - strlen(many) - 1);
    }
    assert_true(load_check_stages(bytes_of_string(many), &error));
    strncat(many, "1s:1", sizeof many - strlen(many) - 1);
    assert_false(load_check_stages(bytes_of_string(many), &error));
}

static double mean_s(const char *law, double *deviation_s)
{
    struct think_time think;
    double sum = 0;
    double squares = 0;
    const unsigned draws = 20000;
    assert_true(load_parse_think(bytes_of_string(law), &think, NULL));
    for (unsigned i = 0; i < draws; i++) {
        double drawn = (double)think_draw_ns(&think, 7, i % 100, 1 + i / 100) / (double)NS_PER_S;
        sum += drawn;
        squares += drawn * drawn;
    }
    *deviation_s = sqrt(squares / draws - sum / draws * (sum / draws));
    return sum / draws;
}

static void expect_law(const char *law, double mean, double deviation)
{
    double found_deviation = 0;
    double found = mean_s(law, &found_deviation);
    if (fabs(found - mean) > mean * 0.03 || fabs(found_deviation - deviation) > mean * 0.03) {
        fail_msg("%s: mean %g s, deviation %g s", law, found, found_deviation);
    }
}

static void pauses_are_drawn_by_their_law(void **state)
{
    static const char *const bad[] = {"uniform:3s:1s", "uniform:1s", "normal:1s", "exponential:1s:2s",
                                      "gamma:1s:2s",   "1x",         "uniform",   "normal:1s:2s:3s"};
    struct error error;

    (void)state;
    expect_law("2s", 2, 0);
    expect_law("uniform:1s:3s", 2, 2 / sqrt(12));
    expect_law("normal:10s:2s", 10, 2);
    expect_law("exponential:2s", 2, 2);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (load_check_think(bytes_of_string(bad[i]), &error)) {
            fail_msg("%s", bad[i]);
        }
        assert_non_null(strstr(error.text, "exponential:MEAN"));
    }
}

static void the_same_worker_draws_the_same_everywhere(void **state)
{
    struct think_time think;

    (void)state;
    assert_true(load_parse_think(bytes_of_string("uniform:0s:100s"), &think, NULL));
    uint64_t drawn = think_draw_ns(&think, 7, 3, 5);
    assert_int_equal(think_draw_ns(&think, 7, 3, 5), drawn);
    assert_int_not_equal(think_draw_ns(&think, 8, 3, 5), drawn);
    assert_int_not_equal(think_draw_ns(&think, 7, 4, 5), drawn);
    assert_int_not_equal(think_draw_ns(&think, 7, 3, 6), drawn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_has_its_unit),
        cmocka_unit_test(stages_are_of_workers_or_of_a_rate),
        cmocka_unit_test(pauses_are_drawn_by_their_law),
        cmocka_unit_test(the_same_worker_draws_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
