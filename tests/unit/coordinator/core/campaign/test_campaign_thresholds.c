/* A campaign with thresholds: judged at its end, ended by one of them, and stopped from outside. */
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct stand *running(void **state, const char *thresholds)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(2);
    options.fail_steps = 0;
    options.thresholds = bytes_of_string(thresholds);
    stand_run(stand, &options, 2);
    return stand;
}

static void count_requests(struct stand *stand, uint64_t count, uint64_t failed, uint64_t us)
{
    struct histogram *latency SCOPED(histogram_free) = histogram_new();
    struct histogram *steps SCOPED(histogram_free) = histogram_new();
    histogram_add(latency, us, count);
    struct request_statistics request = {
        .name = bytes_of_string("GET /"), .count = count, .failed = failed, .latency_us = latency};
    struct message message = {.kind = MESSAGE_STATISTICS,
                              .campaign = 1,
                              .statistics = {.steps_ok = count,
                                             .workers_running = 1,
                                             .step_us = steps,
                                             .requests = &request,
                                             .request_count = 1}};
    stand_send(stand, &stand->agents[0], &message);
}

static void stand_end(struct stand *stand)
{
    stand->agents[0].is_obliging = stand->agents[1].is_obliging = true;
    stand_finished(stand, &stand->agents[0]);
    stand_finished(stand, &stand->agents[1]);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_ENDED);
}

static void what_is_met_passes_and_what_is_missed_fails(void **state)
{
    struct stand *stand = running(state, "http.p95 < 20ms; http.failed < 1%; http.count > 5");
    count_requests(stand, 100, 0, 10000);
    stand_end(stand);
    stand_expect_verdict(stand, VERDICT_PASSED, "");
    assert_int_equal(stand_report(stand)->threshold_count, 3);
    assert_int_equal(stand_report(stand)->thresholds[2].outcome, THRESHOLD_MET);
}

static void the_first_missed_is_the_reason(void **state)
{
    struct stand *stand = running(state, "http.p95 < 20ms; http.failed < 1%; http.count > 500");
    count_requests(stand, 100, 7, 10000);
    stand_end(stand);
    stand_expect_verdict(stand, VERDICT_FAILED,
                         "threshold http.failed < 1%: 7 %; and 1 more; 7 of 100 requests failed");
}

static void abort_stops_within_half_a_second(void **state)
{
    struct stand *stand = running(state, "http.p95 < 20ms abort");
    count_requests(stand, 100, 0, 10000);
    stand_pass_ms(stand, 3100);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_RUNNING);
    stand->agents[0].is_obliging = stand->agents[1].is_obliging = false;
    count_requests(stand, 100, 0, 50000);
    stand_pass_ms(stand, 500);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_STOPPING);
    const char *why = "threshold http.p95 < 20ms abort: 50 ms after 3.5 s (abort)";
    assert_true(bytes_equal_string(stand_report(stand)->reason, why));
    stand_end(stand);
    stand_expect_verdict(stand, VERDICT_FAILED, why);
}

static void a_window_is_judged_each_second(void **state)
{
    struct stand *stand = running(state, "http.rate > 9/s over 2s");
    for (int second = 0; second < 6; second++) {
        count_requests(stand, 10, 0, 1000);
        stand_pass_ms(stand, 1000);
    }
    assert_int_equal(stand_report(stand)->thresholds[0].outcome, THRESHOLD_MET);
    stand_pass_ms(stand, 3000);
    assert_int_equal(stand_report(stand)->thresholds[0].outcome, THRESHOLD_MISSED);
    assert_true(stand_report(stand)->thresholds[0].value == 0);
    stand_end(stand);
    assert_int_equal(stand_report(stand)->verdict, VERDICT_FAILED);
}

static void act_at(struct stand *stand, uint32_t worker, enum operation_kind kind, int64_t at_ms)
{
    struct operation operation = {
        .kind = kind, .name = bytes_of_string("pad"), .step = 1, .first_ns = at_ms * 1000000};
    stand_operation(stand, &stand->agents[worker % 2], operation, &worker, 1);
}

/* Nobody has asked for the report meanwhile. */
static void what_was_seen_late_aborts_as_well(void **state)
{
    struct stand *stand = running(state, "seen.p95 < 10ms abort");
    act_at(stand, 0, OPERATION_WRITING, 1000);
    act_at(stand, 1, OPERATION_READ, 1008);
    stand_pass_ms(stand, 1500);
    stand_forget_story(stand);
    act_at(stand, 0, OPERATION_READ, 1050);
    stand_pass_ms(stand, 1000);
    assert_non_null(strstr(buffer_string(&stand->story), "a1: stop: threshold seen.p95 < 10ms abort: 50"));
    assert_int_equal(stand_report(stand)->verdict, VERDICT_FAILED);
}

static void who_stops_it_gets_the_verdict_of_its_thresholds(void **state)
{
    struct stand *stand = running(state, "http.p95 < 20ms");
    count_requests(stand, 100, 3, 10000);
    stand_pass_ms(stand, 61500);
    stand_stop(stand, false);
    stand_expect_verdict(stand, VERDICT_PASSED, "stopped after 1 m 1 s; 3 of 100 requests failed");
}

static void a_stopped_one_may_have_missed_them(void **state)
{
    struct stand *stand = running(state, "http.p95 < 5ms");
    count_requests(stand, 100, 0, 10000);
    stand_pass_ms(stand, 1500);
    stand_stop(stand, false);
    stand_expect_verdict(stand, VERDICT_FAILED, "threshold http.p95 < 5ms: 10 ms");
}

static void at_once_is_not_judged(void **state)
{
    struct stand *stand = running(state, "http.p95 < 20ms");
    count_requests(stand, 100, 0, 10000);
    stand->agents[0].is_obliging = false;
    stand_stop(stand, false);
    assert_true(bytes_equal_string(stand_report(stand)->reason, "interrupted"));
    stand_stop(stand, true);
    stand_pass_ms(stand, 1000);
    stand_expect_verdict(stand, VERDICT_ABORTED, "interrupted");
}

static void nothing_is_judged_before_the_workers_begin(void **state)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(2);
    options.thresholds = bytes_of_string("http.p95 < 20ms abort");
    stand_create(stand, &options, 1);
    stand_stop(stand, false);
    stand_expect_verdict(stand, VERDICT_ABORTED, "interrupted");
    assert_int_equal(stand_report(stand)->thresholds[0].outcome, THRESHOLD_PENDING);
}

static void without_any_no_request_that_succeeded_is_a_failure(void **state)
{
    struct stand *stand = stand_running(state, 2, 2);
    count_requests(stand, 40, 40, 1000);
    stand_end(stand);
    stand_expect_verdict(stand, VERDICT_FAILED, "no request succeeded: all 40 failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(what_is_met_passes_and_what_is_missed_fails),
        STORY(the_first_missed_is_the_reason),
        STORY(abort_stops_within_half_a_second),
        STORY(a_window_is_judged_each_second),
        STORY(what_was_seen_late_aborts_as_well),
        STORY(who_stops_it_gets_the_verdict_of_its_thresholds),
        STORY(a_stopped_one_may_have_missed_them),
        STORY(at_once_is_not_judged),
        STORY(nothing_is_judged_before_the_workers_begin),
        STORY(without_any_no_request_that_succeeded_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
