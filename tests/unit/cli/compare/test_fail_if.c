/* The changes at which a comparison fails: how they are read, and when they are met. */
#include "cli/compare/fail_if.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct fail_if parsed(const char *text)
{
    struct fail_if condition;
    struct error error;
    if (!fail_if_parse(bytes_of_string(text), &condition, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
    return condition;
}

static void each_part_is_read(void **state)
{
    (void)state;
    struct fail_if condition = parsed(" p95 > +10% ");
    assert_int_equal(condition.kind, MEASURE_HTTP);
    assert_int_equal(condition.number, MEASURE_P95);
    assert_int_equal(condition.comparison, THRESHOLD_MORE);
    assert_true(condition.is_relative && fabs(condition.limit - 0.1) < 1e-12);
    condition = parsed("request[GET /a>b.html].p99>=+1.5s");
    assert_int_equal(condition.kind, MEASURE_REQUEST);
    assert_true(bytes_equal_string(condition.name.name, "GET /a>b.html"));
    assert_int_equal(condition.comparison, THRESHOLD_AT_LEAST);
    assert_true(!condition.is_relative && fabs(condition.limit - 1.5e6) < 1e-6);
    condition = parsed("steps.rate < -5/s");
    assert_int_equal(condition.kind, MEASURE_STEPS);
    assert_true(fabs(condition.limit + 5) < 1e-12);
    condition = parsed("scenario[buy*].failed > +0.5 %");
    assert_true(condition.name.is_pattern && condition.is_relative && fabs(condition.limit - 0.005) < 1e-12);
    condition = parsed("http{tier=gold}.p95 > +10%");
    assert_true(condition.kind == MEASURE_TAG && strcmp(condition.tags, "tier=gold") == 0);
    condition = parsed("http{v=1.2,a=\"x, y\"}.failed > +1%");
    assert_true(condition.kind == MEASURE_TAG && strcmp(condition.tags, "{a=\"x, y\",v=1.2}") == 0);
    condition = parsed("waits[pad.barrier].p99 > +10%");
    assert_true(condition.kind == MEASURE_WAITS && bytes_equal_string(condition.name.name, "pad.barrier"));
    assert_int_equal(parsed("checks.failed > +1%").kind, MEASURE_CHECKS);
    assert_int_equal(parsed("checks[price].failed > +1%").kind, MEASURE_CHECK);
    assert_int_equal(parsed("group[checkout / pay].p95 > +1%").kind, MEASURE_GROUP);
    assert_int_equal(parsed("messages[chat].rate < -1%").kind, MEASURE_MESSAGES);
    assert_int_equal(parsed("websocket[chat].p95 > +1ms").kind, MEASURE_WEBSOCKET);
    condition = parsed("record[\"a*\"].count <= -3");
    assert_true(!condition.name.is_pattern && bytes_equal_string(condition.name.name, "a*"));
}

static void what_cannot_be_read_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const refused[][2] = {
        {"", "expected a change"},
        {"p95", "expected a change such as"},
        {"p95 > 10%", "with its sign"},
        {"p95 > +", "expected a number"},
        {"p95 > +nan%", "expected a number"},
        {"p95 > +10", "expected % or a time"},
        {"p95 > +10/s", "expected % or a time"},
        {"p42 > +10%", "expected one of count, rate"},
        {"cpu.p95 > +10%", "expected http, request[NAME]"},
        {"request.p95 > +10%", "expected a name"},
        {"request[.p95 > +10%", "expected a name"},
        {"request[].p95 > +10%", "expected a name"},
        {"steps[a].p95 > +10%", "it has no names"},
        {"request[a]{b=c}.p95 > +10%", "expected a name in [ ]"},
        {"http{b}.p95 > +10%", "column 5: a tag is {NAME=VALUE}"},
        {"steps{b=c}.p95 > +10%", "of tags, all requests are compared"},
        {"http[a].p95 > +10%", "it has no names"},
        {"waits.p95 > +10%", "expected a name"},
        {"failed > +3", "in per cent of all"},
        {"rate < -3ms", "not a unit"},
        {"count > +3/s", "not a unit"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct error error = {""};
        assert_false(fail_if_check(bytes_of_string(refused[i][0]), &error));
        if (strstr(error.text, refused[i][1]) == NULL) {
            fail_msg("%s: \"%s\" does not say \"%s\"", refused[i][0], error.text, refused[i][1]);
        }
    }
    assert_true(fail_if_check(bytes_of_string("p95 > +10%; rate < -5%"), NULL));
    assert_false(fail_if_check(bytes_of_string("p95 > +10%; rate"), NULL));
}

static struct compared compared(double base, double new, double noise)
{
    return (struct compared){
        .has_base = true, .has_new = true, .base = base, .new = new, .has_noise = noise > 0, .noise = noise};
}

static enum fail_if_outcome judged(const char *text, const struct compared_row *rows, size_t count)
{
    struct fail_if condition = parsed(text);
    const struct compared_row *row = NULL;
    const struct comparison comparison = {.rows = (struct compared_row *)(uintptr_t)rows, .count = count};
    return fail_if_judge(&condition, &comparison, &row);
}

static void it_is_met_beyond_noise_alone(void **state)
{
    (void)state;
    struct compared_row row = {.kind = MEASURE_HTTP};
    row.numbers[MEASURE_P95] = compared(100000, 115000, 5000);
    assert_int_equal(judged("p95 > +10%", &row, 1), FAIL_IF_HIT);
    assert_int_equal(judged("http.p95 > +10ms", &row, 1), FAIL_IF_HIT);
    assert_int_equal(judged("p95 > +16ms", &row, 1), FAIL_IF_HELD);
    assert_int_equal(judged("p95 > +20%", &row, 1), FAIL_IF_HELD);
    row.numbers[MEASURE_P95] = compared(100000, 115000, 20000);
    assert_int_equal(judged("p95 > +10%", &row, 1), FAIL_IF_NOISE);
    row.numbers[MEASURE_P95] = compared(100000, 115000, 0);
    assert_int_equal(judged("p95 > +10%", &row, 1), FAIL_IF_HIT);
    row.numbers[MEASURE_RATE] = compared(200, 180, 5);
    assert_int_equal(judged("rate < -5%", &row, 1), FAIL_IF_HIT);
    assert_int_equal(judged("rate < -25/s", &row, 1), FAIL_IF_HELD);
    row.numbers[MEASURE_FAILED] = compared(0, 0.02, 0.001);
    assert_int_equal(judged("failed > +1%", &row, 1), FAIL_IF_HIT);
    assert_int_equal(judged("failed > +3%", &row, 1), FAIL_IF_HELD);
    assert_true(fail_if_is_hit(FAIL_IF_HIT) && !fail_if_is_hit(FAIL_IF_NOISE) &&
                !fail_if_is_hit(FAIL_IF_HELD));
}

static void of_names_the_gravest_decides(void **state)
{
    (void)state;
    struct compared_row rows[3] = {{.kind = MEASURE_REQUEST, .name = bytes_of_string("a1")},
                                   {.kind = MEASURE_REQUEST, .name = bytes_of_string("a2")},
                                   {.kind = MEASURE_REQUEST, .name = bytes_of_string("b")}};
    rows[0].numbers[MEASURE_P95] = compared(100, 101, 10);
    rows[1].numbers[MEASURE_P95] = compared(100, 150, 10);
    rows[2].numbers[MEASURE_P95] = (struct compared){.has_base = true, .base = 5};
    assert_int_equal(judged("request[a1].p95 > +10%", rows, 3), FAIL_IF_HELD);
    assert_int_equal(judged("request[a*].p95 > +10%", rows, 3), FAIL_IF_HIT);
    /* What has vanished does not pass, nor what never was. */
    assert_int_equal(judged("request[b].p95 > +10%", rows, 3), FAIL_IF_NOT_MEASURED);
    assert_int_equal(judged("request[c].p95 > +10%", rows, 3), FAIL_IF_NOT_MEASURED);
    assert_int_equal(judged("p95 > +10%", rows, 3), FAIL_IF_NOT_MEASURED);
    assert_true(fail_if_is_hit(FAIL_IF_NOT_MEASURED));
}

static void of_tags_the_one_that_is_named_decides(void **state)
{
    (void)state;
    struct compared_row rows[2] = {{.kind = MEASURE_TAG, .name = bytes_of_string("tier=gold")},
                                   {.kind = MEASURE_TAG, .name = bytes_of_string("{region=eu,tier=gold}")}};
    rows[0].numbers[MEASURE_P95] = compared(100, 101, 10);
    rows[1].numbers[MEASURE_P95] = compared(100, 150, 10);
    assert_int_equal(judged("http{tier=gold}.p95 > +10%", rows, 2), FAIL_IF_HELD);
    assert_int_equal(judged("http{tier=gold,region=eu}.p95 > +10%", rows, 2), FAIL_IF_HIT);
    assert_int_equal(judged("http{tier=iron}.p95 > +10%", rows, 2), FAIL_IF_NOT_MEASURED);
    assert_int_equal(judged("p95 > +10%", rows, 2), FAIL_IF_NOT_MEASURED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_is_read),
        cmocka_unit_test(what_cannot_be_read_is_refused_with_a_reason),
        cmocka_unit_test(it_is_met_beyond_noise_alone),
        cmocka_unit_test(of_names_the_gravest_decides),
        cmocka_unit_test(of_tags_the_one_that_is_named_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
