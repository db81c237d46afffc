/* Goals as options spell them. */
#include "proto/message/goal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect_goal(const char *text, const char *threshold, uint32_t least, uint32_t most)
{
    struct goal goal;
    struct error error = {0};
    if (!goal_parse(bytes_of_string(text), &goal, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
    assert_string_equal(goal.text, threshold);
    assert_int_equal(goal.least, least);
    assert_int_equal(goal.most, most);
    assert_true(goal_check(bytes_of_string(text), &error));
}

static void expect_refusal(const char *text, const char *why)
{
    struct goal goal;
    struct error error = {0};
    assert_false(goal_parse(bytes_of_string(text), &goal, &error));
    assert_string_equal(error.text, why);
    assert_false(goal_check(bytes_of_string(text), &error));
}

static void a_goal_is_a_threshold_and_how_many_workers_there_may_be(void **state)
{
    (void)state;
    expect_goal("http.p95 < 200ms;max=500", "http.p95 < 200ms over 10s", 0, 500);
    expect_goal(" max=9 ; request[a b].mean <= 2s over 3s; min=4;", "request[a b].mean <= 2s over 3s", 4, 9);
    expect_goal("steps.failed < 1%;max=1", "steps.failed < 1% over 10s", 0, 1);
    assert_true(goal_check(bytes_of_string(""), NULL));
}

static void times_and_rates_have_a_short_form(void **state)
{
    (void)state;
    expect_goal("p95=200ms;min=2;max=50", "http.p95 < 200ms over 10s", 2, 50);
    expect_goal("max=50;p99.9=0.25", "http.p99.9 < 0.25s over 10s", 0, 50);
    expect_goal("mean = 1s;max = 1000000", "http.mean < 1s over 10s", 0, 1000000);
    expect_goal("rate=500;max=50", "steps.rate >= 500/s over 10s", 0, 50);
    expect_goal("rate=12.5/s;max=50", "steps.rate >= 12.5/s over 10s", 0, 50);
}

#define EXPECTED                                                                                             \
    "goal: expected a threshold with max=N, like \"http.p95 < 200ms;max=500\" or \"rate=50;max=500\""

static void what_cannot_be(void **state)
{
    (void)state;
    struct goal none;
    assert_false(goal_parse(bytes_of_string(""), &none, NULL));
    expect_refusal("max=5", EXPECTED);
    expect_refusal("p95=1s;p99=2s;max=5", EXPECTED);
    expect_refusal("p95=1s\n;max=5", EXPECTED);
    expect_refusal("p95=1s", "goal \"http.p95 < 1s over 10s\": say with max=N how many workers there may be");
    expect_refusal("p95=1s;min=6;max=5",
                   "goal \"http.p95 < 1s over 10s\": min is 6, more than max, which is 5");
    expect_refusal("p95=1s;max=0", "goal: min and max are numbers of workers, from 1 to 1000000");
    expect_refusal("p95=1s;max=1000001", "goal: min and max are numbers of workers, from 1 to 1000000");
    expect_refusal("p95=1s;max=99999999", "goal: min and max are numbers of workers, from 1 to 1000000");
    expect_refusal("p95=1s;min=2x;max=5", "goal: min and max are numbers of workers, from 1 to 1000000");
    expect_refusal(
        "http.p95 < 1s abort;max=5",
        "goal \"http.p95 < 1s abort\": a goal is a time, a share or a rate, without after and abort");
    expect_refusal("http.failed < 5;max=5",
                   "goal \"http.failed < 5\": a goal is a time, a share or a rate, without after and abort");
    expect_refusal(
        "steps.rate != 5/s;max=5",
        "goal \"steps.rate != 5/s\": a goal is a time, a share or a rate, without after and abort");
    struct goal goal;
    struct error error = {0};
    assert_false(goal_parse(bytes_of_string("htp.p95 < 1s;max=5"), &goal, &error));
    assert_memory_equal(error.text, "goal \"htp.p95 < 1s\": column 1: ", 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_goal_is_a_threshold_and_how_many_workers_there_may_be),
        cmocka_unit_test(times_and_rates_have_a_short_form),
        cmocka_unit_test(what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
