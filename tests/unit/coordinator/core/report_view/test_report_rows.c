/* The rows of a report as plain numbers: each of them is what the core has counted, by the right name and in
 * the right unit. */
#include "tests/unit/coordinator/core/report_view/sample_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MANY_WORKERS 130u

static void fill_requests(struct campaign_report *report, struct request_report requests[2],
                          const struct histogram *latency)
{
    requests[0] = (struct request_report){.name = bytes_of_string("GET /"),
                                          .count = 300,
                                          .failed = 30,
                                          .received_bytes = 123,
                                          .sent_bytes = 45,
                                          .latency_us = latency,
                                          .response_us = latency};
    requests[0].phase_us[REQUEST_TLS] = latency;
    close_counts_add(&requests[0].statuses, 200, 270);
    requests[1] = (struct request_report){
        .name = bytes_of_string("a timing"), .is_timing = true, .count = 8, .failed = 5, .latency_us = NULL};
    report->requests = requests;
    report->request_count = 2;
    report->requests_total = 300;
}

static void requests_and_timings(void **state)
{
    (void)state;
    struct campaign_report report = running_report();
    struct request_report requests[2];
    struct histogram *latency = to_a_thousand();
    fill_requests(&report, requests, latency);
    struct report_view *view = report_view_of(&report, S);
    assert_int_equal(view->request_count, 2);
    const struct request_view *request = &view->requests[0];
    assert_true(bytes_equal_string(request->name, "GET /"));
    assert_false(request->is_timing);
    assert_int_equal(request->count, 300);
    assert_int_equal(request->ok, 270);
    assert_int_equal(request->failed, 30);
    assert_true(request->per_s == 15);
    assert_int_equal(request->received_bytes, 123);
    assert_int_equal(request->sent_bytes, 45);
    assert_int_equal(request->statuses.size, 1);
    assert_int_equal(request->statuses.items[0].count, 270);
    assert_quantiles(&request->latency, &ALL);
    assert_true(request->has_response);
    assert_quantiles(&request->response, &FEW);
    assert_true(request->has_phases);
    assert_quantiles(&request->phases[REQUEST_TLS], &FEW);
    assert_quantiles(&request->phases[REQUEST_WAITING], &NOTHING);
    request = &view->requests[1];
    assert_true(request->is_timing);
    assert_false(request->has_response);
    assert_false(request->has_phases);
    assert_quantiles(&request->latency, &NOTHING);
    assert_true(request->per_s == 0.4);
    report_view_free(&view);
    histogram_free(&latency);
}

static void fill_websocket(struct campaign_report *report, struct websocket_report *websocket,
                           const struct histogram *times)
{
    *websocket =
        (struct websocket_report){.name = bytes_of_string("chat"), .handshake_us = times, .queued_us = times};
    for (size_t i = 0; i < WEBSOCKET_COUNTS; i++) {
        websocket->counts[i] = i + 1;
    }
    websocket->counts[WEBSOCKET_COUNT_OPENED] = 100;
    websocket->counts[WEBSOCKET_COUNT_MESSAGES_IN] = 500;
    websocket->counts[WEBSOCKET_COUNT_MESSAGES_OUT] = 100;
    close_counts_add(&websocket->codes, 1001, 6);
    report->websockets = websocket;
    report->websocket_count = 1;
}

static void websockets_that_are_open(void **state)
{
    (void)state;
    struct campaign_report report = running_report();
    struct websocket_report websocket;
    struct histogram *times = to_a_thousand();
    fill_websocket(&report, &websocket, times);
    struct report_view *view = report_view_of(&report, S);
    assert_int_equal(view->websocket_count, 1);
    assert_true(bytes_equal_string(view->websockets[0].name, "chat"));
    assert_memory_equal(view->websockets[0].counts, websocket.counts, sizeof websocket.counts);
    assert_int_equal(view->websockets[0].codes.items[0].code, 1001);
    assert_quantiles(&view->websockets[0].handshake, &FEW);
    assert_quantiles(&view->websockets[0].queued, &FEW);
    assert_quantiles(&view->websockets[0].ping, &NOTHING);
    uint64_t ended = websocket.counts[WEBSOCKET_COUNT_CLOSED_BY_US] +
                     websocket.counts[WEBSOCKET_COUNT_CLOSED_BY_PEER] +
                     websocket.counts[WEBSOCKET_COUNT_LOST];
    assert_int_equal(websocket_view_open(&view->websockets[0]), 100 - ended);
    report_view_free(&view);
    websocket.counts[WEBSOCKET_COUNT_OPENED] = 1; /* its report comes later than that of its end */
    view = report_view_of(&report, S);
    assert_int_equal(websocket_view_open(&view->websockets[0]), 0);
    report_view_free(&view);
    histogram_free(&times);
}

static void the_present_is_a_window_until_it_has_ended(void **state)
{
    (void)state;
    struct campaign_report report = running_report();
    struct request_report requests[2];
    struct websocket_report websocket;
    struct histogram *times = to_a_thousand();
    fill_requests(&report, requests, times);
    fill_websocket(&report, &websocket, times);
    report.request_latency_us = times;
    report.recent = (struct series_recent){
        .seconds = 10, .requests = 50, .failed = 20, .messages = 70, .p50_us = 5, .p95_us = 6, .p99_us = 7};
    struct report_view *view = report_view_of(&report, S);
    assert_int_equal(view->window_ns, 10 * (uint64_t)S);
    assert_true(view->requests_per_s == 5);
    assert_true(view->failed_per_s == 2);
    assert_true(view->messages_per_s == 7);
    assert_quantiles(&view->recent, &(struct quantiles){.p50_us = 5, .p95_us = 6, .p99_us = 7});
    report_view_free(&view);
    report.state = CAMPAIGN_ENDED;
    report.verdict = VERDICT_FAILED;
    view = report_view_of(&report, S);
    assert_true(view->has_ended);
    assert_int_equal(view->verdict, VERDICT_FAILED);
    assert_int_equal(view->window_ns, 20 * (uint64_t)S);
    assert_true(view->requests_per_s == 15);
    assert_true(view->failed_per_s == 1.5); /* timings are no requests */
    assert_true(view->messages_per_s == 30);
    assert_quantiles(&view->recent, &FEW);
    report_view_free(&view);
    histogram_free(&times);
}

static void scenarios_share_the_steps(void **state)
{
    (void)state;
    struct campaign_report report = running_report();
    struct histogram *steps = to_a_thousand();
    struct scenario_report scenarios[2] = {
        {.name = bytes_of_string("read"),
         .weight_milli = 3000,
         .steps_ok = 50,
         .steps_failed = 10,
         .steps_stopped = 20,
         .step_us = steps},
        {.name = bytes_of_string("write"), .weight_milli = 1000, .steps_ok = 20, .step_us = steps}};
    report.scenarios = scenarios;
    report.scenario_count = 2;
    struct report_view *view = report_view_of(&report, S);
    assert_int_equal(view->scenario_count, 2);
    const struct scenario_view *scenario = view->scenarios;
    assert_true(bytes_equal_string(scenario[0].name, "read"));
    assert_int_equal(scenario[0].ok, 50);
    assert_int_equal(scenario[0].failed, 10);
    assert_int_equal(scenario[0].stopped, 20);
    assert_true(scenario[0].per_s == 3); /* without those that were stopped */
    assert_true(scenario[0].share == 0.8);
    assert_true(scenario[0].weight_share == 0.75);
    assert_quantiles(&scenario[0].step, &ALL);
    assert_true(scenario[1].share == 0.2);
    assert_true(scenario[1].weight_share == 0.25);
    report_view_free(&view);
    scenarios[0] = scenarios[1] = (struct scenario_report){.name = bytes_of_string("idle")};
    view = report_view_of(&report, S);
    assert_true(view->scenarios[0].share == 0 && view->scenarios[0].weight_share == 0);
    report_view_free(&view);
    histogram_free(&steps);
}

static void waits_checks_and_errors(void **state)
{
    (void)state;
    struct campaign_report report = running_report();
    struct histogram *waited = to_a_thousand();
    struct wait_report wait = {.name = bytes_of_string("pad"),
                               .kind = OPERATION_BARRIER,
                               .outcomes = {[OUTCOME_OK] = 5, [OUTCOME_SHORT] = 2, [OUTCOME_STOPPED] = 1},
                               .waited_us = waited};
    struct check_report check = {.name = bytes_of_string("status"),
                                 .passed = 8,
                                 .failed = 9,
                                 .text = bytes_of_string("got 500"),
                                 .worker = 10,
                                 .step = 11};
    char text[] = "refused";
    char scenario[] = "browse";
    struct error_report error = {.text = bytes_of_string(text),
                                 .scenario = bytes_of_string(scenario),
                                 .count = 12,
                                 .worker = 13,
                                 .step = 14};
    report.waits = &wait;
    report.checks = &check;
    report.errors = &error;
    report.wait_count = report.check_count = report.error_count = 1;
    struct report_view *view = report_view_of(&report, S);
    memset(text, '?', sizeof text);
    memset(scenario, '?', sizeof scenario);
    assert_int_equal(view->wait_count, 1);
    assert_int_equal(view->waits[0].kind, OPERATION_BARRIER);
    assert_int_equal(view->waits[0].count, 8);
    assert_memory_equal(view->waits[0].outcomes, wait.outcomes, sizeof wait.outcomes);
    assert_quantiles(&view->waits[0].waited, &FEW);
    assert_int_equal(view->check_count, 1);
    assert_int_equal(view->checks[0].passed, 8);
    assert_int_equal(view->checks[0].failed, 9);
    assert_true(bytes_equal_string(view->checks[0].text, "got 500"));
    assert_int_equal(view->checks[0].worker, 10);
    assert_int_equal(view->checks[0].step, 11);
    assert_int_equal(view->error_count, 1);
    assert_true(bytes_equal_string(view->errors[0].text, "refused"));
    assert_true(bytes_equal_string(view->errors[0].scenario, "browse"));
    assert_int_equal(view->errors[0].count, 12);
    assert_int_equal(view->errors[0].worker, 13);
    assert_int_equal(view->errors[0].step, 14);
    report_view_free(&view);
    histogram_free(&waited);
}

static void assert_threshold(const struct threshold_view *threshold, const char *unit, const char *reached,
                             double value)
{
    assert_true(bytes_equal_string(threshold->unit, unit));
    if (!bytes_equal_string(threshold->reached, reached)) {
        fail_msg("%.*s is not %s", BYTES_FORMAT(threshold->reached), reached);
    }
    assert_true(threshold->value == value);
}

static void thresholds_have_units(void **state)
{
    (void)state;
    static const char *const texts[] = {"http.p95 < 200ms", "checks > 99%", "http.rate > 5/s over 2s",
                                        "http.count > 5", "http.p99 < 1s abort"};
    static const double values[] = {312400, 99.5, 7.5, 6, 0};
    struct threshold_result results[5] = {0};
    struct campaign_report report = running_report();
    for (size_t i = 0; i < 5; i++) {
        assert_true(threshold_parse(bytes_of_string(texts[i]), &results[i].threshold, NULL));
        results[i].has_value = i < 4;
        results[i].value = values[i];
        results[i].outcome = THRESHOLD_MET;
    }
    results[2].outcome = results[4].outcome = THRESHOLD_MISSED;
    results[2].missed_ms = 3500;
    report.thresholds = results;
    report.threshold_count = 5;
    struct report_view *view = report_view_of(&report, S);
    assert_int_equal(view->threshold_count, 5);
    assert_true(bytes_equal_string(view->thresholds[0].text, texts[0]));
    assert_int_equal(view->thresholds[0].outcome, THRESHOLD_MET);
    assert_threshold(&view->thresholds[0], "ms", "312 ms", 312.4);
    assert_threshold(&view->thresholds[1], "%", "99.5 %", 99.5);
    assert_threshold(&view->thresholds[2], "/s", "7.5/s", 7.5);
    assert_threshold(&view->thresholds[3], "", "6", 6);
    assert_threshold(&view->thresholds[4], "ms", "", 0);
    assert_true(view->thresholds[3].has_value);
    assert_false(view->thresholds[4].has_value);
    assert_false(view->thresholds[0].has_moment);
    assert_true(view->thresholds[2].has_moment);
    assert_false(view->thresholds[4].has_moment); /* nothing was measured until the end */
    assert_int_equal(view->thresholds[2].outcome, THRESHOLD_MISSED);
    assert_int_equal(view->thresholds[2].missed_ns, 3500000000u);
    report_view_free(&view);
}

static void what_readers_saw(void **state)
{
    (void)state;
    struct campaign_report report = running_report();
    struct histogram *seen_us = to_a_thousand();
    struct last_seen last[MANY_WORKERS];
    struct divergence examples[2] = {{.room = 1, .step = 2, .differed = 3}, {.room = 4, .step = 5}};
    for (uint32_t i = 0; i < MANY_WORKERS; i++) {
        last[i] = (struct last_seen){.worker = 1000 + i, .times = 500 - i};
    }
    const struct seen_part_report part = {
        .browser = bytes_of_string("firefox"), .seen_count = 60, .at_once = 4, .seen_us = seen_us};
    struct seen_report seen[2] = {{.name = bytes_of_string("pad"),
                                   .at_once = 5,
                                   .parts = &part,
                                   .part_count = 1,
                                   .seen_count = 62,
                                   .seen_us = seen_us,
                                   .uncertainty_us = 15,
                                   .before_edit = 3,
                                   .last = last,
                                   .last_count = 2,
                                   .last_others = 7,
                                   .steps_compared = 20,
                                   .steps_diverged = 2,
                                   .reads_compared = 80,
                                   .reads_differed = 4,
                                   .examples = examples,
                                   .example_count = 2}};
    seen[1] = seen[0];
    seen[1].seen_us = NULL;
    seen[1].spread_us = seen_us;
    seen[1].last_count = MANY_WORKERS;
    report.seen = seen;
    report.seen_count = 2;
    struct report_view *view = report_view_of(&report, S);
    assert_int_equal(view->seen_count, 2);
    const struct seen_view *one = &view->seen[0];
    assert_true(bytes_equal_string(one->name, "pad"));
    assert_int_equal(one->count, 62);
    assert_quantiles(&one->seen, &FEW);
    assert_quantiles(&one->spread, &NOTHING);
    assert_int_equal(one->uncertainty_us, 15);
    assert_int_equal(one->before_edit, 3);
    assert_int_equal(one->at_once, 5);
    assert_int_equal(one->part_count, 1);
    assert_true(bytes_equal_string(one->parts[0].browser, "firefox"));
    assert_int_equal(one->parts[0].count, 60);
    assert_int_equal(one->parts[0].at_once, 4);
    assert_quantiles(&one->parts[0].seen, &FEW);
    assert_int_equal(one->last_count, 2);
    assert_int_equal(one->last[1].worker, 1001);
    assert_int_equal(one->last[1].times, 499);
    assert_int_equal(one->last_others, 7);
    assert_int_equal(one->steps_compared, 20);
    assert_int_equal(one->steps_diverged, 2);
    assert_int_equal(one->reads_compared, 80);
    assert_int_equal(one->reads_differed, 4);
    assert_int_equal(one->example_count, 2);
    assert_int_equal(one->examples[0].differed, 3);
    assert_int_equal(one->examples[1].step, 5);
    assert_quantiles(&view->seen[1].spread, &FEW);
    assert_int_equal(view->seen[1].last_count, REPORT_VIEW_LAST);
    assert_int_equal(view->seen[1].last[REPORT_VIEW_LAST - 1].times, 401);
    assert_int_equal(view->seen[1].last_others, 7 + 30 * (400 + 371) / 2);
    report_view_free(&view);
    histogram_free(&seen_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_and_timings),
        cmocka_unit_test(websockets_that_are_open),
        cmocka_unit_test(the_present_is_a_window_until_it_has_ended),
        cmocka_unit_test(scenarios_share_the_steps),
        cmocka_unit_test(waits_checks_and_errors),
        cmocka_unit_test(thresholds_have_units),
        cmocka_unit_test(what_readers_saw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
