/* A report that went through JSON looks the same; what is not there does no harm. */
#include "cli/remote/control_report.h"
#include "cli/view/live_line.h"
#include "cli/view/report_text.h"
#include "common/memory.h"
#include "coordinator/json/report_json.h"
#include "tests/unit/cli/view/sample_report.h"
#include "tests/unit/common/check.h"

#define WALL_NS 1700000000123000000ULL

/* As it comes over the wire. */
static json_t *sent(const struct campaign_report *report)
{
    SCOPED(memory_free_at) char *text = report_json(report, WALL_NS);
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    return object;
}

static void assert_same_text(const struct campaign_report *expected, const struct campaign_report *report)
{
    SCOPED(buffer_finish) struct buffer left;
    SCOPED(buffer_finish) struct buffer right;
    buffer_init(&left, REPORT_TEXT_MAX_BYTES);
    buffer_init(&right, REPORT_TEXT_MAX_BYTES);
    report_text(expected, true, &left);
    report_text(report, true, &right);
    assert_string_equal(buffer_string(&left), buffer_string(&right));
}

static void the_text_is_that_of_run(void **state)
{
    (void)state;
    struct sample_report sample;
    sample_report_init(&sample);
    sample.waits[1].name = bytes_of_string("a.name.with.dots");
    histogram_record(sample.empty, 1234567);
    struct bottleneck_report bottleneck = {.agent = bytes_of_string("agent-1"),
                                           .strained_us = 14000000,
                                           .lag_maximum_us = 210000,
                                           .busy = 0.99,
                                           .host_cpu = 0.93};
    sample.report.bottlenecks = &bottleneck;
    sample.report.bottleneck_count = 1;
    sample.report.has_start_spread = true;
    sample.report.start_spread_us = 977;
    sample.agents[0].is_measured = sample.agents[0].has_clock = true;
    sample.agents[0].cpu = 0.07;
    sample.agents[0].lag_p99_us = 310;
    sample.agents[0].clock_offset_ns = 3000000000;
    sample.agents[0].clock_uncertainty_ns = 40000;
    json_t *object = sent(&sample.report);
    struct control_report *report = control_report_new(object);
    json_decref(object);
    assert_same_text(&sample.report, control_report_get(report));
    assert_int_equal(control_report_get(report)->state, CAMPAIGN_ENDED);
    control_report_free(&report);
    assert_null(report);
    sample_report_finish(&sample);
}

/* Every quantile that is shown has to come back as it was, to the microsecond. */
static void quantiles_survive(void **state)
{
    (void)state;
    struct sample_report sample;
    sample_report_init(&sample);
    for (uint64_t us = 1; us < 4000000000ULL; us = us * 3 + 1) {
        histogram_record(sample.latency_us, us);
        json_t *object = sent(&sample.report);
        struct control_report *report = control_report_new(object);
        const struct histogram *latency_us = control_report_get(report)->requests[0].latency_us;
        static const double quantiles[] = {0.5, 0.95, 0.99, 1};
        for (size_t i = 0; i < 4; i++) {
            uint64_t expected = i == 3 ? histogram_maximum(sample.latency_us)
                                       : histogram_quantile(sample.latency_us, quantiles[i]);
            uint64_t got =
                i == 3 ? histogram_maximum(latency_us) : histogram_quantile(latency_us, quantiles[i]);
            uint64_t off = got > expected ? got - expected : expected - got;
            assert_true(off <= expected / 100000000);
        }
        control_report_free(&report);
        json_decref(object);
    }
    sample_report_finish(&sample);
}

static void the_live_line_is_that_of_run(void **state)
{
    (void)state;
    json_t *object =
        json_loads("{\"campaign\": 7, \"state\": \"stopping\", \"verdict\": null, \"workers_running\": 3,"
                   "\"elapsed_s\": 65.0, \"steps\": {\"ok\": 4321, \"failed\": 12, \"stopped\": 0},"
                   "\"requests_total\": 1234, \"requests_per_s\": 1.0, \"p95_ms\": 95.0,"
                   "\"waiting\": \"4 wait for the writer of pad@12\"}",
                   0, NULL);
    struct control_report *report = control_report_new(object);
    struct live_line last = {.running_ns = 64000000000ULL, .requests = 1148};
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, 1024);
    live_line_compose(&last, control_report_get(report), &line);
    assert_string_equal(buffer_string(&line),
                        "1:05  stopping  3 workers  4,321 ok  12 failed  86.0/s  p95 95.0 ms  4 "
                        "wait for the writer of pad@12");
    control_report_free(&report);
    json_decref(object);
}

static void nonsense_does_no_harm(void **state)
{
    (void)state;
    static const char *const objects[] = {
        "{}",
        "{\"steps\": 7, \"agents\": {}, \"requests\": [], \"waits\": \"x\", \"errors\": null}",
        "{\"agents\": [7, null, {\"state\": \"odd\", \"pid\": -1}], \"errors\": [[], {\"count\": \"x\"}]}",
        "{\"waits\": {\"a\": {}, \"b.odd\": {\"kind\": \"odd\"}, \"barrier\": {\"kind\": \"barrier\"}}}",
        "{\"requests\": {\"a\": 7, \"b\": {\"p50_ms\": -1, \"max_ms\": 1e300}}, \"duration_s\": 1e300}",
        "{\"verdict\": \"odd\", \"state\": 7, \"release_spread_ms\": {}}",
    };
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        json_t *object = json_loads(objects[i], 0, NULL);
        assert_non_null(object);
        struct control_report *report = control_report_new(object);
        SCOPED(buffer_finish) struct buffer text;
        buffer_init(&text, REPORT_TEXT_MAX_BYTES);
        report_text(control_report_get(report), false, &text);
        assert_non_null(strstr(buffer_string(&text), "running\n"));
        control_report_free(&report);
        json_decref(object);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_that_of_run),
        cmocka_unit_test(quantiles_survive),
        cmocka_unit_test(the_live_line_is_that_of_run),
        cmocka_unit_test(nonsense_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
