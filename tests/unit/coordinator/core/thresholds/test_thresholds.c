/* How thresholds are judged by numbers that grow. */
#include "coordinator/core/thresholds/thresholds.h"
#include "tests/unit/common/check.h"

#include <stdio.h>

/* The numbers of everything, whatever a threshold is about, unless it is about "nobody". */
struct bench {
    struct threshold_totals totals;
    struct histogram *us;
    struct thresholds *thresholds;
    struct threshold_source source;
    const char *text;
};

static void bench_look(void *context, const struct threshold *about, struct threshold_totals *totals)
{
    const struct bench *bench = context;
    *totals = bytes_equal_string(about->name, "nobody") ? (struct threshold_totals){0} : bench->totals;
}

static void bench_init(struct bench *bench, const char *text)
{
    struct error error;
    *bench = (struct bench){.us = histogram_new(), .text = text, .totals.is_known = true};
    if (!thresholds_check(bytes_of_string(text), &error)) {
        fail_msg("%s", error.text);
    }
    bench->totals.numbers.us = bench->us;
    bench->thresholds = thresholds_new(bytes_of_string(text));
    bench->source = (struct threshold_source){.look = bench_look, .context = bench};
}

static void bench_finish(struct bench *bench)
{
    thresholds_free(&bench->thresholds);
    histogram_free(&bench->us);
}

static void bench_count(struct bench *bench, uint64_t ok, uint64_t failed, uint64_t us)
{
    uint64_t *counts = bench->totals.numbers.counts;
    counts[THRESHOLD_ALL] += ok + failed;
    counts[THRESHOLD_OK] += ok;
    counts[THRESHOLD_FAILED] += failed;
    histogram_add(bench->us, us, ok + failed);
}

/* After each look the thresholds go through bytes, as over a restart. */
static const struct threshold_result *bench_judge(struct bench *bench, uint64_t elapsed_ms)
{
    static struct threshold_result result;
    const struct threshold_result *found = thresholds_judge(bench->thresholds, elapsed_ms, &bench->source);
    if (found != NULL) {
        result = *found;
        return &result;
    }
    SCOPED(buffer_finish) struct buffer packed;
    buffer_init(&packed, 1u << 20);
    thresholds_pack(bench->thresholds, &packed);
    thresholds_free(&bench->thresholds);
    bench->thresholds = thresholds_new(bytes_of_string(bench->text));
    struct unpack from = unpack_of(buffer_bytes(&packed));
    thresholds_unpack(bench->thresholds, &from);
    assert_true(unpack_is_done(&from));
    return NULL;
}

/* "met 5 ms" … of each, separated by " | " */
static void bench_expect(const struct bench *bench, const char *expected)
{
    char all[600] = "";
    size_t count = 0;
    const struct threshold_result *results = thresholds_results(bench->thresholds, &count);
    for (size_t i = 0; i < count; i++) {
        char value[THRESHOLD_VALUE_BYTES] = "nothing";
        size_t length = strlen(all);
        if (results[i].has_value) {
            threshold_describe(&results[i].threshold, results[i].value, value);
        }
        (void)snprintf(all + length, sizeof all - length, "%s%s %s", i > 0 ? " | " : "",
                       threshold_outcome_name(results[i].outcome), value);
    }
    assert_string_equal(all, expected);
}

static void bench_end(struct bench *bench, uint64_t elapsed_ms, const char *expected)
{
    thresholds_finish(bench->thresholds, elapsed_ms, &bench->source);
    bench_expect(bench, expected);
    bench_finish(bench);
}

static void every_form_is_met_and_missed(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench,
               "http.p95 < 20ms; http.p95 < 10ms; http.max <= 99ms; http.min > 1s; http.mean < 15ms;"
               "http.failed < 11%; http.failed < 10%; http.failed = 10; http.failed = 11;"
               "http.ok >= 90%; http.rate > 9/s; http.rate > 10/s; http.failed < 1/s; http.count = 100");
    bench_count(&bench, 90, 0, 10000);
    bench_count(&bench, 0, 10, 15000);
    bench_end(&bench, 10000,
              "met 15 ms | missed 15 ms | met 15 ms | missed 10 ms | met 10.5 ms | "
              "met 10 % | missed 10 % | met 10 | missed 10 | met 90 % | "
              "met 10/s | missed 10/s | missed 1/s | met 100");
}

static void nothing_measured_is_missed(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, "http.p95 < 20ms; http.failed < 1%; http.failed = 0; request[nobody].failed = 0;"
                       "request[nobody].rate < 1/s; request[nobody].failed < 1%; http.rate = 0/s;"
                       "http.p95 < 1s after 5s; http.p95 < 1s over 2s");
    assert_null(bench_judge(&bench, 1000));
    bench_expect(&bench,
                 "pending nothing | pending nothing | met 0 | pending nothing | pending nothing | pending "
                 "nothing | met 0/s | pending nothing | pending nothing");
    bench_end(&bench, 4000,
              "missed nothing | missed nothing | met 0 | missed nothing | missed nothing | missed nothing | "
              "met 0/s | missed nothing | missed nothing");
}

static void what_was_before_does_not_count(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, "http.max < 50ms after 2s; http.failed = 0 after 2s; http.rate > 4/s after 2s");
    bench_count(&bench, 0, 1000, 90000);
    assert_null(bench_judge(&bench, 1000));
    bench_count(&bench, 0, 500, 90000);
    assert_null(bench_judge(&bench, 2000));
    bench_expect(&bench, "pending nothing | met 0 | pending nothing");
    bench_count(&bench, 10, 0, 30000);
    assert_null(bench_judge(&bench, 3000));
    bench_end(&bench, 4000, "met 30 ms | met 0 | met 5/s");
}

static void a_window_is_judged_while_it_runs(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, "http.p50 < 50ms over 2s; http.rate > 9/s over 2s; http.failed < 50% over 2s");
    bench_count(&bench, 10, 0, 10000);
    assert_null(bench_judge(&bench, 1000));
    bench_expect(&bench, "pending nothing | pending nothing | pending nothing");
    bench_count(&bench, 10, 0, 10000);
    assert_null(bench_judge(&bench, 2000));
    bench_expect(&bench, "met 10 ms | pending nothing | met 0 %");
    bench_count(&bench, 0, 15, 80000); /* more than half of two seconds */
    assert_null(bench_judge(&bench, 3000));
    bench_expect(&bench, "missed 80 ms | pending nothing | missed 60 %");
    for (uint64_t ms = 4000; ms <= 9000; ms += 1000) { /* what follows cannot mend it */
        bench_count(&bench, 20, 0, 10000);
        assert_null(bench_judge(&bench, ms));
    }
    bench_expect(&bench,
                 "missed 80 ms | met 17.5/s | missed 60 %"); /* the one that ended after four seconds */
    bench_end(&bench, 60000, "missed 80 ms | met 17.5/s | missed 60 %");
}

static void a_short_run_is_one_window(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, "http.p50 < 50ms over 1m; http.rate > 9/s over 1m; http.p50 < 50ms over 1m after 1s");
    bench_count(&bench, 5, 0, 60000);
    bench_end(&bench, 500, "missed 60 ms | met 10/s | missed nothing");
}

static void abort_ends_it_as_soon_as_it_does_not_hold(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, "http.max < 1s; http.failed < 10% after 2s abort; http.rate > 5/s over 3s abort");
    assert_int_equal(thresholds_interval_ms(bench.thresholds), 500);
    bench_count(&bench, 0, 10, 1000);
    for (uint64_t ms = 500; ms <= 2500; ms += 500) { /* it is not looked at before two seconds */
        bench_count(&bench, 20, 0, 1000);
        assert_null(bench_judge(&bench, ms));
    }
    bench_count(&bench, 0, 5, 1000);
    const struct threshold_result *why = bench_judge(&bench, 3000);
    assert_non_null(why);
    assert_true(bytes_equal_string(why->threshold.text, "http.failed < 10% after 2s abort"));
    assert_int_equal(why->missed_ms, 3000);
    bench_finish(&bench);

    bench_init(&bench, "http.rate > 5/s over 3s abort");
    for (uint64_t ms = 500; ms < 5000; ms += 500) { /* the first report is not there yet */
        assert_null(bench_judge(&bench, ms));
    }
    why = bench_judge(&bench, 5000);
    assert_non_null(why);
    assert_true(why->value == 0 && why->missed_ms == 5000);
    bench_finish(&bench);
}

static void a_failure_may_be_taken_back(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, "http.failed = 0; http.failed = 0 over 2s");
    bench_count(&bench, 9, 1, 1000);
    assert_null(bench_judge(&bench, 1000));
    bench.totals.numbers.counts[THRESHOLD_FAILED] = 0;
    assert_null(bench_judge(&bench, 2000));
    assert_null(bench_judge(&bench, 3000));
    assert_null(bench_judge(&bench, 4000)); /* −1 in the windows that have ended */
    bench_expect(&bench, "met 0 | met 0");
    bench_end(&bench, 4500, "met 0 | met 0");
}

static void there_may_be_none(void **state)
{
    (void)state;
    assert_null(thresholds_new(bytes_of_string("")));
    assert_null(thresholds_new(bytes_of_string(" ; ")));
    struct thresholds *one = thresholds_new(bytes_of_string("http.p95 < 1s"));
    assert_int_equal(thresholds_interval_ms(one), 1000);
    thresholds_free(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_met_and_missed),
        cmocka_unit_test(nothing_measured_is_missed),
        cmocka_unit_test(what_was_before_does_not_count),
        cmocka_unit_test(a_window_is_judged_while_it_runs),
        cmocka_unit_test(a_short_run_is_one_window),
        cmocka_unit_test(abort_ends_it_as_soon_as_it_does_not_hold),
        cmocka_unit_test(a_failure_may_be_taken_back),
        cmocka_unit_test(there_may_be_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
