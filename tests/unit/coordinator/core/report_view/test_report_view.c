/* A report as plain numbers: what is said of the campaign as a whole is what the core has counted, in the
 * right unit, and the view outlives what it was made of. */
#include "tests/unit/coordinator/core/report_view/sample_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_head_of_a_running_campaign(void **state)
{
    (void)state;
    char script[] = "pad.lua";
    char key[] = "drawn";
    char waiting[] = "2 wait for pad";
    struct campaign_report report = running_report();
    report.script = bytes_of_string(script);
    report.key = bytes_of_string(key);
    char crowded[] = "pad";
    report.waiting = bytes_of_string(waiting);
    report.crowds[0] = (struct wait_crowd){.kind = OPERATION_BARRIER,
                                           .name = bytes_of_string(crowded),
                                           .first_step = 3,
                                           .last_step = 4,
                                           .workers = 21,
                                           .oldest_ns = 22};
    report.crowd_count = 1;
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
    memset(crowded, '?', sizeof crowded);
    assert_int_equal(view->campaign, 3);
    assert_true(bytes_equal_string(view->script, "pad.lua"));
    assert_true(bytes_equal_string(view->key, "drawn"));
    assert_true(bytes_equal_string(view->waiting, "2 wait for pad"));
    assert_int_equal(view->crowd_count, 1);
    assert_true(bytes_equal_string(view->crowds[0].name, "pad"));
    assert_int_equal(view->crowds[0].kind, OPERATION_BARRIER);
    assert_int_equal(view->crowds[0].last_step, 4);
    assert_int_equal(view->crowds[0].workers, 21);
    assert_int_equal(view->crowds[0].oldest_ns, 22);
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
        cmocka_unit_test(the_head_of_a_running_campaign),      cmocka_unit_test(nothing_has_begun),
        cmocka_unit_test(times_are_those_of_their_histograms), cmocka_unit_test(clocks_and_agents),
        cmocka_unit_test(artifacts_are_numbered_from_1),       cmocka_unit_test(a_plan_has_arrivals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
