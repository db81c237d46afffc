/* A second of a series as lines: what is sent at first, and what of it when it has changed. */
#include "common/buffer.h"
#include "common/histogram.h"
#include "coordinator/core/series/series.h"
#include "coordinator/live/influx_lines.h"
#include "coordinator/live/statsd_lines.h"
#include "tests/unit/common/check.h"

#define LINES_BYTES 65536u

struct scene {
    struct series *series;
    struct histogram *latency;
    struct report_view report;
    struct buffer lines;
};

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.series = series_new(), .latency = histogram_new()};
    scene.report = (struct report_view){.campaign = 7, .script = TEXT("my shop.lua")};
    buffer_init(&scene.lines, LINES_BYTES);
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    series_free(&scene->series);
    histogram_free(&scene->latency);
    buffer_finish(&scene->lines);
    return 0;
}

/* `count` requests of 50 ms in this second. */
static void add(struct scene *scene, uint64_t second, struct bytes name, uint64_t count)
{
    const struct request_statistics request = {
        .name = name, .count = count, .failed = 1, .latency_us = scene->latency};
    histogram_clear(scene->latency);
    histogram_add(scene->latency, 50000, count);
    series_add_statistics(scene->series, second,
                          &(struct statistics){.requests = (struct request_statistics *)(uintptr_t)&request,
                                               .request_count = 1});
}

static void expect(struct scene *scene, const char *line)
{
    if (strstr(buffer_string(&scene->lines), line) == NULL) {
        fail_msg("no %s in\n%s", line, buffer_string(&scene->lines));
    }
}

static void expect_none(struct scene *scene, const char *part)
{
    if (strstr(buffer_string(&scene->lines), part) != NULL) {
        fail_msg("%s is in\n%s", part, buffer_string(&scene->lines));
    }
}

static void influxdb_has_a_line_for_each_row(void **state)
{
    struct scene *scene = *state;
    add(scene, 3, TEXT("log in, \\ or=out"), 10);
    add(scene, 4, TEXT("later"), 1);
    struct live_second second = {.report = &scene->report,
                                 .now = series_view_of_second(scene->series, 3),
                                 .wall_ns = 1795962702676000000u};
    influx_lines_second(&second, &scene->lines);
    expect(scene,
           "tutti_requests,campaign=7,script=my\\ shop.lua count=10i,failed=1i,bytes_in=0i,bytes_out=0i,"
           "p50_ms=49.664,p95_ms=49.664,p99_ms=49.664,max_ms=50 1795962702676000000\n");
    expect(scene, "\ntutti_requests_by_name,campaign=7,script=my\\ shop.lua,name=log\\ in\\,\\ _\\ or\\=out "
                  "count=10i,");
    expect(scene, "\ntutti_seen,campaign=7,script=my\\ shop.lua count=0i 1795962702676000000\n");
    expect_none(scene, "later");
    struct series_view *view = (struct series_view *)(uintptr_t)second.now;
    series_view_free(&view);
}

static void statsd_has_what_was_added(void **state)
{
    struct scene *scene = *state;
    add(scene, 3, TEXT("log.in"), 10);
    struct live_second second = {
        .report = &scene->report, .now = series_view_of_second(scene->series, 3), .is_latest = true};
    struct series_view *first = (struct series_view *)(uintptr_t)second.now;
    statsd_lines_second(&second, "a.{campaign}.b", &scene->lines);
    expect(scene, "a.7.b.requests.count:10|c\n");
    expect(scene, "a.7.b.requests.p95_ms:49.664|g\n");
    expect(scene, "a.7.b.requests_by_name.log_in.count:10|c\n");
    expect_none(scene, "bytes_in");

    /* An agent reports late, and another name: only the difference is sent, and no gauge of an old second. */
    uint64_t revision = series_second_revision(scene->series, 3);
    add(scene, 3, TEXT("a new name"), 2);
    add(scene, 3, TEXT("log.in"), 5);
    assert_true(series_second_revision(scene->series, 3) > revision);
    second = (struct live_second){
        .report = &scene->report, .now = series_view_of_second(scene->series, 3), .before = first};
    struct series_view *later = (struct series_view *)(uintptr_t)second.now;
    buffer_clear(&scene->lines);
    statsd_lines_second(&second, "tutti", &scene->lines);
    expect(scene, "tutti.requests.count:7|c\n");
    expect(scene, "tutti.requests_by_name.a_new_name.count:2|c\n");
    expect(scene, "tutti.requests_by_name.log_in.count:5|c\n");
    expect_none(scene, "|g");
    series_view_free(&first);
    series_view_free(&later);
}

static void thresholds_have_a_line_each(void **state)
{
    struct scene *scene = *state;
    const struct threshold_view thresholds[] = {
        {.text = TEXT("http.p95 < 200ms"), .outcome = THRESHOLD_MISSED, .has_value = true, .value = 311.5},
        {.text = TEXT("dropped = 0"), .outcome = THRESHOLD_PENDING},
    };
    scene->report.thresholds = thresholds;
    scene->report.threshold_count = 2;
    influx_lines_thresholds(&scene->report, 1795962702676000000u, &scene->lines);
    statsd_lines_thresholds(&scene->report, "t", &scene->lines);
    assert_string_equal(buffer_string(&scene->lines),
                        "tutti_thresholds,campaign=7,script=my\\ shop.lua,threshold=http.p95\\ <\\ 200ms "
                        "missed=true,value=311.5 1795962702676000000\n"
                        "tutti_thresholds,campaign=7,script=my\\ shop.lua,threshold=dropped\\ \\=\\ 0 "
                        "missed=false 1795962702676000000\n"
                        "t.thresholds.http_p95_<_200ms.missed:1|g\n"
                        "t.thresholds.http_p95_<_200ms.value:311.5|g\n"
                        "t.thresholds.dropped___0.missed:0|g\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(influxdb_has_a_line_for_each_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(statsd_has_what_was_added, set_up, tear_down),
        cmocka_unit_test_setup_teardown(thresholds_have_a_line_each, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
