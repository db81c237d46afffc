/* Runs beside each other: what has changed is found, and what chance does is not taken for a change. */
#include "cli/compare/comparison_view.h"
#include "common/memory.h"
#include "common/time_units.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SECONDS 41u
static const struct comparison_settings SETTINGS = {.level = 0.99, .tolerance = 0.02};

/* A run of a second name for each `names`, whose p95 and rate are drawn around what it should be. */
struct law {
    uint64_t seed;
    double p95_us;
    double rate;
    double noise;   /* of each second, as a share */
    double carried; /* of the second before */
    double failed;  /* share */
    double of_run;  /* how much runs differ from each other, as a share */
};

static double draw(uint64_t *seed)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
        sum += (double)(*seed >> 11) / 9007199254740992.0;
    }
    return sum - 6;
}

static struct report_view *report_of(struct law *law, struct series_view *series)
{
    struct report_view *report = report_view_new();
    struct request_view *request = report_view_array(report, 1, sizeof *request);
    struct series_row_view *row = &series->rows[0];
    double off = 0;
    double sum_us = 0;
    double of_run = 1 + law->of_run * draw(&law->seed);
    *request = (struct request_view){.name = bytes_of_string("login")};
    for (size_t second = 0; second < SECONDS; second++) {
        off = law->carried * off + law->noise * draw(&law->seed);
        double count = floor(law->rate * (1 + off / 10));
        row->values[0 * SECONDS + second] = (uint64_t)count;
        row->values[1 * SECONDS + second] = (uint64_t)(count * law->failed);
        double us = fmax(law->p95_us * of_run * (1 + off), 1);
        row->values[4 * SECONDS + second] = (uint64_t)us / 2;
        row->values[5 * SECONDS + second] = (uint64_t)us;
        row->values[6 * SECONDS + second] = (uint64_t)us * 2;
        request->count += (uint64_t)count;
        request->failed += (uint64_t)(count * law->failed);
        sum_us += us;
    }
    uint64_t p95_us = (uint64_t)(sum_us / SECONDS);
    request->latency = (struct quantiles){.p50_us = p95_us / 2, .p95_us = p95_us, .p99_us = p95_us * 2};
    request->per_s = (double)request->count / SECONDS;
    report->running_ns = SECONDS * NS_PER_S;
    report->requests = request;
    report->request_count = 1;
    report->verdict = VERDICT_PASSED;
    report->script = bytes_of_string("shop.lua");
    return report;
}

static void measure_run(struct law *law, bool has_series, struct run_measures *run)
{
    SCOPED(series_view_free) struct series_view *series = series_view_of(NULL);
    series->point_s = 1;
    series->points = SECONDS;
    series->row_count = 1;
    memory_free(series->rows);
    series->rows = memory_new(1, sizeof *series->rows);
    series->rows[0] = (struct series_row_view){.group = SERIES_REQUESTS, .name = text_copy_string("login")};
    series->rows[0].values = memory_new((size_t)SERIES_MAX_COLUMNS * SECONDS, sizeof(uint64_t));
    SCOPED(report_view_free) struct report_view *report = report_of(law, series);
    SCOPED(series_view_free) struct series_view *none = series_view_of(NULL);
    run_measures_init(run, report, has_series ? series : none);
}

static struct compared_row compared_login(const struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++) {
        if (comparison->rows[i].kind == MEASURE_REQUEST) {
            return comparison->rows[i];
        }
    }
    fail_msg("it is not compared");
    return (struct compared_row){0};
}

/* The changes of "login" between `runs` runs of each side. */
static struct compared_row compare_laws(struct law *base, struct law *new, size_t runs, bool has_series)
{
    struct run_measures measures[20];
    struct comparison comparison;
    assert_true(runs <= 10);
    for (size_t i = 0; i < 2 * runs; i++) {
        measure_run(i < runs ? base : new, has_series, &measures[i]);
    }
    const struct comparison_side sides[2] = {{measures, runs}, {measures + runs, runs}};
    comparison_init(&comparison, &sides[0], &sides[1], &SETTINGS);
    struct compared_row row = compared_login(&comparison);
    comparison_finish(&comparison);
    for (size_t i = 0; i < 2 * runs; i++) {
        run_measures_finish(&measures[i]);
    }
    return row;
}

static void a_change_beyond_noise_is_found_in_its_direction(void **state)
{
    (void)state;
    struct law base = {.seed = 1, .p95_us = 100000, .rate = 100, .noise = 0.05};
    struct law slow = {.seed = 2, .p95_us = 115000, .rate = 80, .noise = 0.05, .failed = 0.1};
    struct compared_row row = compare_laws(&base, &slow, 1, true);
    assert_int_equal(row.numbers[MEASURE_P95].change, CHANGE_WORSE);
    assert_int_equal(row.numbers[MEASURE_P50].change, CHANGE_WORSE);
    assert_int_equal(row.numbers[MEASURE_RATE].change, CHANGE_WORSE);
    assert_int_equal(row.numbers[MEASURE_FAILED].change, CHANGE_WORSE);
    assert_int_equal(row.numbers[MEASURE_COUNT].change, CHANGE_NONE);
    row = compare_laws(&slow, &base, 1, true);
    assert_int_equal(row.numbers[MEASURE_P95].change, CHANGE_BETTER);
    assert_int_equal(row.numbers[MEASURE_RATE].change, CHANGE_BETTER);
    assert_int_equal(row.numbers[MEASURE_FAILED].change, CHANGE_BETTER);
    assert_true(row.numbers[MEASURE_P95].probability < 0.001);
}

/* How many of so many comparisons of the same law call p95 changed. */
static unsigned false_alarms(double carried, double of_run, size_t runs, unsigned comparisons)
{
    struct law base = {.seed = 7, .p95_us = 100000, .rate = 100, .noise = 0.2, .carried = carried};
    struct law new = base;
    unsigned alarms = 0;
    new.seed = 8;
    base.of_run = of_run;
    new.of_run = of_run;
    for (unsigned i = 0; i < comparisons; i++) {
        struct compared_row row = compare_laws(&base, &new, runs, true);
        alarms += row.numbers[MEASURE_P95].change != CHANGE_SAME;
    }
    return alarms;
}

static void chance_is_taken_for_a_change_as_rarely_as_the_level_says(void **state)
{
    (void)state;
    /* Of 1,000, 10 are expected, and more than 22 in one of a thousand tries. */
    unsigned alarms = false_alarms(0, 0, 1, 1000);
    assert_in_range(alarms, 1, 22);
    /* Seconds that hang together, in runs that are no longer. */
    assert_in_range(false_alarms(0.5, 0, 1, 1000), 0, 22);
    /* Runs that differ more from each other than their seconds show. */
    assert_in_range(false_alarms(0, 0.1, 3, 500), 0, 14);
    assert_true(false_alarms(0, 0.1, 1, 200) > 5);
}

static void several_runs_find_what_one_cannot(void **state)
{
    (void)state;
    struct law base = {.seed = 3, .p95_us = 100000, .rate = 100, .noise = 0.3};
    struct law slow = {.seed = 4, .p95_us = 112000, .rate = 100, .noise = 0.3};
    unsigned found_by_one = 0;
    unsigned found_by_ten = 0;
    for (int i = 0; i < 50; i++) {
        found_by_one += compare_laws(&base, &slow, 1, true).numbers[MEASURE_P95].change == CHANGE_WORSE;
        found_by_ten += compare_laws(&base, &slow, 10, true).numbers[MEASURE_P95].change == CHANGE_WORSE;
    }
    assert_true(found_by_one < 25);
    assert_true(found_by_ten > 45);
}

static void without_a_series_one_run_knows_no_noise(void **state)
{
    (void)state;
    struct law base = {.seed = 1, .p95_us = 100000, .rate = 100, .noise = 0.01};
    struct law slow = {.seed = 2, .p95_us = 150000, .rate = 100, .noise = 0.01};
    struct compared_row row = compare_laws(&base, &slow, 1, false);
    assert_int_equal(row.numbers[MEASURE_P95].change, CHANGE_UNKNOWN);
    assert_false(row.numbers[MEASURE_P95].has_noise);
    assert_int_equal(row.numbers[MEASURE_FAILED].change, CHANGE_SAME);
    row = compare_laws(&base, &slow, 3, false);
    assert_int_equal(row.numbers[MEASURE_P95].change, CHANGE_WORSE);
}

static void what_changes_less_than_the_tolerance_is_same(void **state)
{
    (void)state;
    struct law base = {.seed = 1, .p95_us = 100000, .rate = 100};
    struct law slow = {.seed = 2, .p95_us = 101900, .rate = 100};
    assert_int_equal(compare_laws(&base, &slow, 1, true).numbers[MEASURE_P95].change, CHANGE_SAME);
    slow.p95_us = 102100;
    assert_int_equal(compare_laws(&base, &slow, 1, true).numbers[MEASURE_P95].change, CHANGE_WORSE);
}

static void few_failures_are_chance_and_many_are_not(void **state)
{
    (void)state;
    struct run_measures base = {0};
    struct run_measures few = {0};
    SCOPED(series_view_free) struct series_view *none = series_view_of(NULL);
    SCOPED(report_view_free) struct report_view *report = report_view_new();
    struct request_view request = {.name = bytes_of_string("login"), .count = 1000};
    report->requests = &request;
    report->request_count = 1;
    run_measures_init(&base, report, none);
    for (uint64_t failed = 3; failed <= 30; failed += 27) {
        struct comparison comparison;
        request.failed = failed;
        run_measures_init(&few, report, none);
        const struct comparison_side sides[2] = {{&base, 1}, {&few, 1}};
        comparison_init(&comparison, &sides[0], &sides[1], &SETTINGS);
        assert_int_equal(compared_login(&comparison).numbers[MEASURE_FAILED].change,
                         failed == 3 ? CHANGE_SAME : CHANGE_WORSE);
        comparison_finish(&comparison);
        run_measures_finish(&few);
    }
    run_measures_finish(&base);
}

static void what_only_one_side_has_is_said(void **state)
{
    (void)state;
    struct law law = {.seed = 1, .p95_us = 100000, .rate = 100};
    struct run_measures sides[2] = {0};
    struct comparison comparison;
    measure_run(&law, true, &sides[0]);
    for (int gone = 0; gone < 2; gone++) {
        const struct comparison_side base = {&sides[gone ? 0 : 1], 1};
        const struct comparison_side new = {&sides[gone ? 1 : 0], 1};
        comparison_init(&comparison, &base, &new, &SETTINGS);
        struct compared_row row = compared_login(&comparison);
        assert_int_equal(row.numbers[MEASURE_P95].change, gone ? CHANGE_GONE : CHANGE_ADDED);
        assert_int_equal(comparison.change, CHANGE_SAME);
        comparison_finish(&comparison);
    }
    run_measures_finish(&sides[0]);
}

static void a_view_names_what_has_changed(void **state)
{
    (void)state;
    struct law laws[2] = {{.seed = 1, .p95_us = 100000, .rate = 100, .noise = 0.01},
                          {.seed = 2, .p95_us = 150000, .rate = 100, .noise = 0.01}};
    struct run_measures sides[2];
    struct comparison comparison;
    SCOPED(report_view_free) struct report_view *report = report_view_new();
    SCOPED(buffer_finish) struct buffer text;
    report->script = bytes_of_string("shop.lua");
    report->verdict = VERDICT_ABORTED;
    const struct compared_run runs[2] = {{bytes_of_string("a|b.json"), report, true},
                                         {bytes_of_string("new.json"), report, true}};
    measure_run(&laws[0], true, &sides[0]);
    measure_run(&laws[1], true, &sides[1]);
    const struct comparison_side base = {&sides[0], 1};
    const struct comparison_side new = {&sides[1], 1};
    comparison_init(&comparison, &base, &new, &SETTINGS);
    const struct comparison_view view = {.base = &runs[0],
                                         .base_count = 1,
                                         .new = &runs[1],
                                         .new_count = 1,
                                         .settings = SETTINGS,
                                         .comparison = &comparison};
    buffer_init(&text, 100000);
    comparison_text(&view, false, &text);
    assert_non_null(strstr(buffer_string(&text), "\nworse: "));
    assert_non_null(strstr(buffer_string(&text), "request[login].p95 +"));
    assert_non_null(strstr(buffer_string(&text), "new.json is of a run that was aborted"));
    buffer_clear(&text);
    comparison_markdown(&view, &text);
    assert_non_null(strstr(buffer_string(&text), "base: a\\|b.json; new: new.json"));
    assert_non_null(strstr(buffer_string(&text), "| request\\[login\\].p95 | 100 ms | 150 ms | +"));
    json_t *object = comparison_json(&view);
    assert_string_equal(json_string_value(json_object_get(object, "verdict")), "worse");
    json_t *row = json_array_get(json_object_get(object, "rows"), 1);
    assert_string_equal(json_string_value(json_object_get(row, "name")), "login");
    double change = json_real_value(json_object_get(json_object_get(row, "p95_ms"), "change"));
    assert_true(fabs(change - 0.5) < 0.02);
    json_decref(object);
    comparison_finish(&comparison);
    run_measures_finish(&sides[0]);
    run_measures_finish(&sides[1]);
}

/* A report with one of each of these, and a series of a constant rate for each. */
static struct report_view *report_of_kinds(uint64_t wait_p99_us, uint64_t checks_failed,
                                           struct series_view *series)
{
    static const struct {
        enum series_group group;
        bool is_total;
        const char *name;
    } rows[] = {{SERIES_TAGS, false, "tier=gold"},    {SERIES_GROUPS, false, "pay"},
                {SERIES_WAITS, false, "pad.barrier"}, {SERIES_CHECKS, true, ""},
                {SERIES_CHECKS, false, "price"},      {SERIES_WEBSOCKETS, false, "chat"},
                {SERIES_MESSAGES, false, "chat"}};
    struct report_view *report = report_view_new();
    struct slice_view *slices = report_view_array(report, 3, sizeof *slices);
    struct wait_view *wait = report_view_array(report, 1, sizeof *wait);
    struct check_view *check = report_view_array(report, 1, sizeof *check);
    struct websocket_view *websocket = report_view_array(report, 1, sizeof *websocket);
    const struct quantiles took = {.p50_us = 10, .p95_us = 20, .p99_us = 30};
    series->point_s = 1;
    series->points = SECONDS;
    series->rows = memory_new(sizeof rows / sizeof rows[0], sizeof *series->rows);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct series_row_view *row = &series->rows[series->row_count++];
        *row = (struct series_row_view){
            .group = rows[i].group, .is_total = rows[i].is_total, .name = text_copy_string(rows[i].name)};
        row->values = memory_new((size_t)SERIES_MAX_COLUMNS * SECONDS, sizeof(uint64_t));
        for (size_t second = 0; second < SECONDS; second++) {
            size_t times = SERIES_GROUP_COLUMNS[row->group].counter_count;
            bool has_times = SERIES_GROUP_COLUMNS[row->group].has_latency;
            row->values[second] = 100;
            for (size_t i_time = 0; has_times && i_time < 3; i_time++) {
                row->values[(times + i_time) * SECONDS + second] = 10 * (i_time + 1);
            }
        }
    }
    slices[0] = (struct slice_view){
        .kind = SLICE_GROUP, .name = bytes_of_string("pay"), .count = 4100, .per_s = 100, .took = took};
    slices[1] = (struct slice_view){.kind = SLICE_REQUEST,
                                    .tag = bytes_of_string("tier"),
                                    .value = bytes_of_string("gold"),
                                    .count = 4100,
                                    .per_s = 100,
                                    .took = took};
    slices[2] = slices[1];
    slices[2].name = bytes_of_string("login"); /* counted, but not compared */
    *wait = (struct wait_view){.name = bytes_of_string("pad"),
                               .kind = OPERATION_BARRIER,
                               .count = 4100,
                               .waited = {.p50_us = 10, .p99_us = wait_p99_us}};
    wait->outcomes[OUTCOME_OK] = 4000;
    wait->outcomes[OUTCOME_STOPPED] = 100;
    *check = (struct check_view){
        .name = bytes_of_string("price"), .passed = 4100 - checks_failed, .failed = checks_failed};
    *websocket = (struct websocket_view){.name = bytes_of_string("chat"), .handshake = took};
    websocket->counts[WEBSOCKET_COUNT_OPENED] = 4100;
    websocket->counts[WEBSOCKET_COUNT_MESSAGES_IN] = 2050;
    websocket->counts[WEBSOCKET_COUNT_MESSAGES_OUT] = 2050;
    report->running_ns = SECONDS * NS_PER_S;
    report->slices = slices;
    report->slice_count = 3;
    report->waits = wait;
    report->wait_count = 1;
    report->checks = check;
    report->check_count = 1;
    report->websockets = websocket;
    report->websocket_count = 1;
    return report;
}

static void each_kind_of_number_is_compared(void **state)
{
    (void)state;
    struct run_measures measures[2];
    struct comparison comparison;
    for (int i = 0; i < 2; i++) {
        SCOPED(series_view_free) struct series_view *series = series_view_of(NULL);
        SCOPED(report_view_free)
        struct report_view *report = report_of_kinds(i == 0 ? 30 : 60, i == 0 ? 0 : 410, series);
        run_measures_init(&measures[i], report, series);
    }
    const struct comparison_side sides[2] = {{&measures[0], 1}, {&measures[1], 1}};
    comparison_init(&comparison, &sides[0], &sides[1], &SETTINGS);
    static const enum measure_kind kinds[] = {MEASURE_TAG,     MEASURE_GROUP, MEASURE_WAITS,
                                              MEASURE_CHECKS,  MEASURE_CHECK, MEASURE_WEBSOCKET,
                                              MEASURE_MESSAGES};
    assert_int_equal(comparison.count, sizeof kinds / sizeof kinds[0]);
    for (size_t i = 0; i < comparison.count; i++) {
        const struct compared_row *row = &comparison.rows[i];
        bool is_check = row->kind == MEASURE_CHECKS || row->kind == MEASURE_CHECK;
        bool has_times = row->kind != MEASURE_MESSAGES && !is_check;
        assert_int_equal(row->kind, kinds[i]);
        assert_true(row->numbers[MEASURE_COUNT].base == 4100);
        assert_int_equal(row->numbers[MEASURE_RATE].change, CHANGE_SAME);
        assert_int_equal(row->numbers[MEASURE_FAILED].change, is_check ? CHANGE_WORSE : CHANGE_SAME);
        assert_int_equal(row->numbers[MEASURE_P99].change, row->kind == MEASURE_WAITS ? CHANGE_WORSE
                                                           : has_times                ? CHANGE_SAME
                                                                                      : CHANGE_NONE);
    }
    assert_int_equal(comparison.changes[CHANGE_UNKNOWN], 0);
    comparison_finish(&comparison);
    run_measures_finish(&measures[0]);
    run_measures_finish(&measures[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_beyond_noise_is_found_in_its_direction),
        cmocka_unit_test(chance_is_taken_for_a_change_as_rarely_as_the_level_says),
        cmocka_unit_test(several_runs_find_what_one_cannot),
        cmocka_unit_test(without_a_series_one_run_knows_no_noise),
        cmocka_unit_test(what_changes_less_than_the_tolerance_is_same),
        cmocka_unit_test(few_failures_are_chance_and_many_are_not),
        cmocka_unit_test(what_only_one_side_has_is_said),
        cmocka_unit_test(a_view_names_what_has_changed),
        cmocka_unit_test(each_kind_of_number_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
