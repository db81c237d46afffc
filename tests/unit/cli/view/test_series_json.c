/* The series as JSON says what the series has, and comes back as it was. */
#include "coordinator/json/series_json.h"

#include "common/histogram.h"
#include "common/memory.h"
#include "coordinator/core/series/series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void fill(struct series *series, uint64_t second, const char *name, uint64_t latency_us)
{
    struct request_statistics request = {
        .name = bytes_of_string(name), .count = 3, .failed = 1, .latency_us = histogram_new()};
    struct statistics from = {.requests = &request, .request_count = 1};
    histogram_add(request.latency_us, latency_us, 3);
    series_add_statistics(series, second, &from);
    histogram_free(&request.latency_us);
}

static struct series_view *sample_view(void)
{
    struct series *series = series_new();
    fill(series, 0, "a", 40);
    fill(series, 2, "b \"quoted\" \xff", 1234567);
    struct series_view *view = series_view_of(series);
    series_free(&series);
    return view;
}

static void numbers_are_in_columns(void **state)
{
    (void)state;
    SCOPED(series_view_free) struct series_view *view = sample_view();
    SCOPED(memory_free_at) char *text = series_json(view);
    static const char begin[] =
        "{\"point_s\":1,\"points\":3,\"total\":{\"requests\":{\"count\":[3,0,3],\"failed\":[1,0,1],"
        "\"bytes_in\":[0,0,0],\"bytes_out\":[0,0,0],\"p50_ms\":[0.04,null,";
    assert_int_equal(strncmp(text, begin, strlen(begin)), 0);
    assert_non_null(strstr(text, "\"max_ms\":[0.04,null,1234.567]}"));
    assert_non_null(strstr(text, "\"requests\":{\"a\":{\"count\":[3,0,0]"));
    assert_non_null(strstr(text, "\"b \\\"quoted\\\" \\\\xff\":{\"count\":[0,0,3]"));
    json_t *object = json_loads(text, 0, NULL);
    assert_true(json_is_object(object));
    json_decref(object);
}

static void it_comes_back(void **state)
{
    (void)state;
    SCOPED(series_view_free) struct series_view *view = sample_view();
    SCOPED(memory_free_at) char *text = series_json(view);
    json_t *object = json_loads(text, 0, NULL);
    SCOPED(series_view_free) struct series_view *back = series_json_read(object);
    SCOPED(memory_free_at) char *again = series_json(back);
    json_decref(object);
    assert_int_equal(back->points, view->points);
    assert_int_equal(back->row_count, view->row_count);
    for (size_t i = 0; i < view->row_count; i++) {
        assert_memory_equal(back->rows[i].values, view->rows[i].values,
                            series_column_count(view->rows[i].group) * view->points * sizeof(uint64_t));
    }
    assert_string_equal(again, text);
}

static void what_is_missing_is_not_there(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}", "{\"point_s\": -3, \"total\": 5, \"requests\": []}",
                                        "{\"total\": {\"requests\": {\"count\": [1, \"x\", -2, 1e300]}}}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *object = json_loads(texts[i], 0, NULL);
        SCOPED(series_view_free) struct series_view *back = series_json_read(object);
        json_decref(object);
        assert_int_equal(back->point_s, 1);
        assert_int_equal(back->row_count, i == 2 ? 1 : 0);
        assert_int_equal(back->points, i == 2 ? 4 : 0);
    }
}

static void a_report_has_it_under_its_key(void **state)
{
    (void)state;
    json_t *report = json_pack("{s:i}", "campaign", 7);
    SCOPED(memory_free_at) char *both = report_json_with_series(report, "{\"points\":0}");
    SCOPED(memory_free_at) char *alone = report_json_with_series(report, NULL);
    assert_string_equal(both, "{\n  \"campaign\": 7,\n  \"series\": {\"points\":0}\n}\n");
    assert_string_equal(alone, "{\n  \"campaign\": 7\n}\n");
    json_decref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_in_columns),
        cmocka_unit_test(it_comes_back),
        cmocka_unit_test(what_is_missing_is_not_there),
        cmocka_unit_test(a_report_has_it_under_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
