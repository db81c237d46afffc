/* A report as plain numbers: each of them is the one that the core has counted, by the right name and in the
 * right unit, and the view outlives what it was made of. */
#include "coordinator/core/report_view/report_view.h"

#include "coordinator/core/report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S 1000000000u
#define MANY_WORKERS 130u

static const struct campaign_options OPTIONS = {.workers = 9, .seed = 4711};

static struct campaign_report running_report(void)
{
    return (struct campaign_report){.campaign = 3,
                                    .options = &OPTIONS,
                                    .state = CAMPAIGN_RUNNING,
                                    .begun_ns = 40 * (uint64_t)S,
                                    .made_ns = 60 * (uint64_t)S,
                                    .running_ns = 20 * (uint64_t)S};
}

/* 1 to 1000 µs, each once. */
static struct histogram *to_a_thousand(void)
{
    struct histogram *histogram = histogram_new();
    for (uint64_t us = 1; us <= 1000; us++) {
        histogram_record(histogram, us);
    }
    return histogram;
}

static void assert_quantiles(const struct quantiles *found, const struct quantiles *wanted)
{
    assert_int_equal(found->p50_us, wanted->p50_us);
    assert_int_equal(found->p95_us, wanted->p95_us);
    assert_int_equal(found->p99_us, wanted->p99_us);
    assert_int_equal(found->maximum_us, wanted->maximum_us);
    assert_int_equal(found->minimum_us, wanted->minimum_us);
    assert_int_equal(found->mean_us, wanted->mean_us);
    assert_int_equal(found->deviation_us, wanted->deviation_us);
    assert_int_equal(found->p90_us, wanted->p90_us);
    assert_int_equal(found->p999_us, wanted->p999_us);
}

static const struct quantiles NOTHING;
static const struct quantiles FEW = {.p50_us = 500, .p95_us = 950, .p99_us = 990, .maximum_us = 1000};
static const struct quantiles ALL = {.p50_us = 500,
                                     .p95_us = 950,
                                     .p99_us = 990,
                                     .maximum_us = 1000,
                                     .minimum_us = 1,
                                     .mean_us = 501,
                                     .deviation_us = 289,
                                     .p90_us = 900,
                                     .p999_us = 999};

static void the_head_of_a_running_campaign(void **state)
{
    (void)state;
    char script[] = "pad.lua";
    char key[] = "drawn";
    char waiting[] = "2 wait for pad";
    struct campaign_report report = running_report();
    report.script = bytes_of_string(script);
    report.key = bytes_of_string(key);
    report.waiting = bytes_of_string(waiting);
    report.reason = bytes_of_string("it was stopped");
    report.workers_running = 7;
    report.steps_ok = 11;
    report.steps_failed = 12;
    report.steps_stopped = 13;
    report.steps_lost = 14;
    report.requests_total = 15;
    report.live_notifiers = 16;
    report.live_barriers = 17;
    report.live_variables = 18;
    report.live_waits = 19;
    report.has_start_spread = true;
    report.start_spread_us = 20;
    struct report_view *view = report_view_of(&report, 1000 * (uint64_t)S);
    memset(script, '?', sizeof script);
    memset(key, '?', sizeof key);
    memset(waiting, '?', sizeof waiting);
    assert_int_equal(view->campaign, 3);
    assert_true(bytes_equal_string(view->script, "pad.lua"));
    assert_true(bytes_equal_string(view->key, "drawn"));
    assert_true(bytes_equal_string(view->waiting, "2 wait for pad"));
    assert_true(bytes_equal_string(view->reason, "it was stopped"));
    assert_int_equal(view->state, CAMPAIGN_RUNNING);
    assert_false(view->has_ended);
    assert_int_equal(view->begun_wall_ns, 980 * (uint64_t)S); /* 20 s before the report was made */
    assert_int_equal(view->running_ns, 20 * (uint64_t)S);
    assert_int_equal(view->seed, 4711);
    assert_int_equal(view->workers, 9);
    assert_int_equal(view->workers_running, 7);
    assert_int_equal(view->steps_ok, 11);
    assert_int_equal(view->steps_failed, 12);
    assert_int_equal(view->steps_stopped, 13);
    assert_int_equal(view->steps_lost, 14);
    assert_int_equal(view->requests_total, 15);
    assert_int_equal(view->live_notifiers, 16);
    assert_int_equal(view->live_barriers, 17);
    assert_int_equal(view->live_variables, 18);
    assert_int_equal(view->live_waits, 19);
    assert_true(view->has_start_spread);
    assert_int_equal(view->start_spread_us, 20);
    report_view_free(&view);
    assert_null(view);
    report_view_free(&view);
}

static void nothing_has_begun(void **state)
{
    (void)state;
    struct campaign_report report = {.options = &OPTIONS, .state = CAMPAIGN_CREATED, .made_ns = 60};
    struct report_view *view = report_view_of(&report, 1000);
    assert_int_equal(view->begun_wall_ns, 0);
    assert_false(view->has_plan);
    assert_false(view->has_rate);
    assert_false(view->has_release_spread);
    assert_false(view->has_start_spread);
    assert_false(view->has_clock_uncertainty);
    assert_true(view->requests_per_s == 0 && view->failed_per_s == 0 && view->messages_per_s == 0);
    assert_quantiles(&view->step, &NOTHING);
    assert_quantiles(&view->recent, &NOTHING);
    report_view_free(&view);
}

static void times_are_those_of_their_histograms(void **state)
{
    (void)state;
    struct histogram *histograms[7];
    struct campaign_report report = running_report();
    const struct histogram **places[] = {
        &report.step_us,     &report.request_latency_us,  &report.late_us,
        &report.response_us, &report.request_response_us, &report.release_spread_us,
    };
    for (size_t i = 0; i < 6; i++) { /* i + 1 in each */
        histograms[i] = histogram_new();
        histogram_record(histograms[i], i + 1);
        *places[i] = histograms[i];
    }
    struct report_view *view = report_view_of(&report, S);
    const struct quantiles *found[] = {&view->step,     &view->request,          &view->late,
                                       &view->response, &view->request_response, &view->release_spread};
    for (size_t i = 0; i < 6; i++) {
        assert_quantiles(
            found[i],
            &(struct quantiles){.p50_us = i + 1, .p95_us = i + 1, .p99_us = i + 1, .maximum_us = i + 1});
    }
    assert_true(view->has_release_spread);
    report_view_free(&view);
    histogram_clear(histograms[5]);
    view = report_view_of(&report, S);
    assert_false(view->has_release_spread);
    report_view_free(&view);
    histograms[6] = to_a_thousand();
    report.step_us = histograms[6];
    view = report_view_of(&report, S);
    assert_quantiles(&view->step, &FEW);
    report_view_free(&view);
    for (size_t i = 0; i < 7; i++) {
        histogram_free(&histograms[i]);
    }
}

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

/* The worst of the clocks counts; one that is not known makes all of it unknown, if its agent has workers. */
static void clocks_and_agents(void **state)
{
    (void)state;
    char name[] = "a1";
    struct agent_report agents[3] = {{.name = bytes_of_string(name),
                                      .host = bytes_of_string("here"),
                                      .labels = bytes_of_string("zone=a"),
                                      .workers = 4,
                                      .pid = 42,
                                      .has_clock = true,
                                      .clock_uncertainty_ns = 500},
                                     {.workers = 4, .has_clock = true, .clock_uncertainty_ns = 300},
                                     {.workers = 0}};
    char busy[] = "a2";
    struct bottleneck_report bottlenecks[2] = {{.agent = bytes_of_string(busy), .strained_us = 7},
                                               {.agent = bytes_of_string("a3"), .lag_p99_us = 8}};
    struct campaign_report report = running_report();
    report.agents = agents;
    report.agent_count = 3;
    report.bottlenecks = bottlenecks;
    report.bottleneck_count = 2;
    struct report_view *view = report_view_of(&report, S);
    memset(name, '?', sizeof name);
    memset(busy, '?', sizeof busy);
    assert_int_equal(view->agent_count, 3);
    assert_true(bytes_equal_string(view->agents[0].name, "a1"));
    assert_true(bytes_equal_string(view->agents[0].host, "here"));
    assert_true(bytes_equal_string(view->agents[0].labels, "zone=a"));
    assert_int_equal(view->agents[0].pid, 42);
    assert_true(view->has_clock_uncertainty);
    assert_int_equal(view->clock_uncertainty_ns, 500);
    assert_int_equal(view->bottleneck_count, 2);
    assert_true(bytes_equal_string(view->bottlenecks[0].agent, "a2"));
    assert_int_equal(view->bottlenecks[0].strained_us, 7);
    assert_int_equal(view->bottlenecks[1].lag_p99_us, 8);
    report_view_free(&view);
    agents[2].workers = 1;
    view = report_view_of(&report, S);
    assert_false(view->has_clock_uncertainty);
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
    struct seen_report seen[2] = {{.name = bytes_of_string("pad"),
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

static void artifacts_are_numbered_from_1(void **state)
{
    (void)state;
    struct campaign_report report = running_report();
    struct artifact artifacts[2] = {
        {.kind = ARTIFACT_SOURCE, .worker = 7, .step = 3, .content = bytes_of_string("twelve bytes")},
        {.kind = ARTIFACT_SCREENSHOT, .worker = 8, .step = 4}};
    report.artifacts = artifacts;
    report.artifact_count = 2;
    struct report_view *view = report_view_of(&report, S);
    assert_int_equal(view->artifact_count, 2);
    assert_int_equal(view->artifacts[0].number, 1);
    assert_int_equal(view->artifacts[0].worker, 7);
    assert_int_equal(view->artifacts[0].step, 3);
    assert_int_equal(view->artifacts[0].size_bytes, 12);
    assert_int_equal(view->artifacts[1].number, 2);
    assert_true(bytes_equal_string(view->artifacts[1].kind, "screenshot"));
    assert_true(bytes_equal_string(view->artifacts[1].name, "02-worker-8-step-4.png"));
    report_view_free(&view);
}

static void a_plan_has_arrivals(void **state)
{
    (void)state;
    struct campaign_options options = {.workers = 1, .rate = bytes_of_string("5/s")};
    struct campaign_report report = running_report();
    report.options = &options;
    report.arrivals = 21;
    report.dropped = 22;
    struct report_view *view = report_view_of(&report, S);
    assert_true(view->has_plan && view->has_rate);
    assert_int_equal(view->arrivals, 21);
    assert_int_equal(view->dropped, 22);
    report_view_free(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_of_a_running_campaign),
        cmocka_unit_test(nothing_has_begun),
        cmocka_unit_test(times_are_those_of_their_histograms),
        cmocka_unit_test(requests_and_timings),
        cmocka_unit_test(websockets_that_are_open),
        cmocka_unit_test(the_present_is_a_window_until_it_has_ended),
        cmocka_unit_test(scenarios_share_the_steps),
        cmocka_unit_test(waits_checks_and_errors),
        cmocka_unit_test(thresholds_have_units),
        cmocka_unit_test(clocks_and_agents),
        cmocka_unit_test(what_readers_saw),
        cmocka_unit_test(artifacts_are_numbered_from_1),
        cmocka_unit_test(a_plan_has_arrivals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
