/* What a meter counts, and that each report contains only the increments since the last one. */
#include "agent/shard/meter.h"
#include "common/histogram.h"
#include "proto/message/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void record(struct meter *meter, struct bytes name, bool is_timing, bool is_ok, uint64_t latency_us)
{
    struct request_sample sample = {
        .name = name, .is_timing = is_timing, .is_ok = is_ok, .latency_us = latency_us};
    meter_request(meter, &sample);
}

static void record_error(struct meter *meter, struct bytes key, struct bytes text, uint32_t worker,
                         uint64_t step)
{
    struct error_sample sample = {
        .key = key, .text = text, .scenario = bytes_of_string("browse"), .worker = worker, .step = step};
    meter_error(meter, &sample);
}

static void gives_only_what_came_since(void **state)
{
    struct meter *meter = meter_new();
    (void)state;
    assert_null(meter_take(meter, 0));
    record(meter, bytes_of_string("GET /"), false, true, 100);
    record(meter, bytes_of_string("GET /"), false, false, 300);
    record(meter, bytes_of_string("GET /"), true, true, 5);
    meter_wait(meter, bytes_of_string("pad"), OPERATION_WAIT_WRITER, OUTCOME_OK, 7);
    meter_wait(meter, bytes_of_string("pad"), OPERATION_WAIT_READERS, OUTCOME_SHORT, 9);
    meter_step(meter, STEP_OK, 10);
    meter_step(meter, STEP_FAILED, 20);
    record_error(meter, bytes_of_string("oh"), bytes_of_string("oh"), 3, 4);
    record_error(meter, bytes_of_string("oh"), bytes_of_string("oh"), 5, 6);
    struct statistics *statistics = meter_take(meter, 2);
    assert_int_equal(statistics->request_count, 2);
    assert_int_equal(statistics->requests[0].count, 2);
    assert_int_equal(statistics->requests[0].failed, 1);
    assert_int_equal(histogram_maximum(statistics->requests[0].latency_us), 300);
    assert_true(statistics->requests[1].is_timing);
    assert_int_equal(statistics->wait_count, 2);
    assert_int_equal(statistics->waits[1].outcomes[OUTCOME_SHORT], 1);
    assert_int_equal(statistics->steps_ok, 1);
    assert_int_equal(statistics->steps_failed, 1);
    assert_int_equal(statistics->workers_running, 2);
    assert_int_equal(statistics->error_count, 1);
    assert_int_equal(statistics->errors[0].count, 2);
    assert_int_equal(statistics->errors[0].worker, 3);
    assert_true(bytes_equal_string(statistics->errors[0].scenario, "browse"));
    statistics_free(&statistics);

    assert_null(meter_take(meter, 2));
    record(meter, bytes_of_string("GET /"), true, true, 6);
    record(meter, bytes_of_string("GET /"), false, true, 6);
    meter_wait(meter, bytes_of_string("pad"), OPERATION_WAIT_READERS, OUTCOME_OK, 9);
    meter_wait(meter, bytes_of_string("page"), OPERATION_WAIT_READERS, OUTCOME_OK, 9);
    statistics = meter_take(meter, 2);
    assert_int_equal(statistics->request_count, 2);
    assert_int_equal(statistics->requests[0].count, 1);
    assert_int_equal(histogram_count(statistics->requests[0].latency_us), 1);
    assert_int_equal(statistics->requests[0].failed, 0);
    assert_int_equal(statistics->wait_count, 2);
    assert_int_equal(statistics->waits[0].outcomes[OUTCOME_OK], 1);
    assert_int_equal(statistics->waits[0].outcomes[OUTCOME_SHORT], 0);
    assert_int_equal(statistics->error_count, 0);
    assert_int_equal(statistics->steps_ok, 0);
    statistics_free(&statistics);
    statistics = meter_take(meter, 1);
    assert_non_null(statistics);
    statistics_free(&statistics);
    meter_free(&meter);
}

static void expect_report(struct meter *meter)
{
    struct statistics *statistics = meter_take(meter, 0);
    assert_non_null(statistics);
    statistics_free(&statistics);
    assert_null(meter_take(meter, 0));
}

static void each_thing_is_worth_a_report(void **state)
{
    struct meter *meter = meter_new();
    (void)state;
    record(meter, bytes_of_string("GET /"), false, true, 1);
    expect_report(meter);
    meter_wait(meter, bytes_of_string("pad"), OPERATION_BARRIER, OUTCOME_OK, 1);
    expect_report(meter);
    meter_step(meter, STEP_OK, 1);
    expect_report(meter);
    record_error(meter, bytes_of_string("oh"), bytes_of_string("oh"), 0, 1);
    expect_report(meter);
    meter_late(meter, 1, false);
    expect_report(meter);
    meter_response(meter, 1);
    expect_report(meter);
    meter_check(meter, &(struct check_sample){.name = bytes_of_string("a"), .is_passed = true});
    expect_report(meter);
    meter_scenario(meter, &(struct scenario_sample){.name = bytes_of_string("a"), .weight = 1});
    expect_report(meter);
    meter_rebook(meter, bytes_of_string("GET /"), &(struct tag_set){0}, true);
    expect_report(meter);
    struct websocket_statistics *counts = meter_websocket(meter, bytes_of_string("chat"));
    expect_report(meter);
    (void)meter_websocket_again(meter, counts);
    expect_report(meter);
    meter_dropped(meter, 3);
    expect_report(meter);
    meter_dropped(meter, 3);
    assert_null(meter_take(meter, 0));
    meter_free(&meter);
}

/* Of a plan: how late steps begin, how long they take from their instant, and what found no worker. */
static void lateness_and_arrivals_are_reported_as_differences(void **state)
{
    struct meter *meter = meter_new();
    (void)state;
    meter_late(meter, 40, true);
    meter_late(meter, 60, false);
    meter_response(meter, 700);
    meter_dropped(meter, 3);
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(statistics->arrivals, 1);
    assert_int_equal(statistics->dropped, 3);
    assert_int_equal(histogram_count(statistics->late_us), 2);
    assert_int_equal(histogram_maximum(statistics->late_us), 60);
    assert_int_equal(histogram_count(statistics->response_us), 1);
    assert_int_equal(histogram_maximum(statistics->response_us), 700);
    statistics_free(&statistics);
    meter_dropped(meter, 8);
    statistics = meter_take(meter, 0);
    assert_int_equal(statistics->arrivals, 0);
    assert_int_equal(statistics->dropped, 5);
    assert_null(statistics->late_us);
    assert_null(statistics->response_us);
    statistics_free(&statistics);
    meter_late(meter, 5, true);
    statistics = meter_take(meter, 0);
    assert_int_equal(statistics->arrivals, 1);
    assert_int_equal(statistics->dropped, 0);
    assert_int_equal(histogram_maximum(statistics->late_us), 5);
    statistics_free(&statistics);
    meter_free(&meter);
}

/* A request of a step with an instant counts from there as well. */
static void requests_count_from_the_instant_of_their_step(void **state)
{
    struct meter *meter = meter_new();
    struct request_sample sample = {
        .name = bytes_of_string("GET /"), .is_ok = true, .latency_us = 100, .has_plan = true, .late_us = 30};
    (void)state;
    meter_request(meter, &sample);
    sample.has_plan = false;
    meter_request(meter, &sample);
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(histogram_count(statistics->requests[0].latency_us), 2);
    assert_int_equal(histogram_maximum(statistics->requests[0].latency_us), 100);
    assert_int_equal(histogram_count(statistics->requests[0].response_us), 1);
    assert_int_equal(histogram_maximum(statistics->requests[0].response_us), 130);
    statistics_free(&statistics);
    meter_request(meter, &sample);
    statistics = meter_take(meter, 0);
    assert_null(statistics->requests[0].response_us);
    statistics_free(&statistics);
    meter_free(&meter);
}

static void what_never_left_counts_no_latency(void **state)
{
    struct meter *meter = meter_new();
    struct request_sample sample = {.name = bytes_of_string("GET /"), .is_unsent = true, .latency_us = 7};
    (void)state;
    meter_request(meter, &sample);
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(statistics->requests[0].count, 1);
    assert_int_equal(statistics->requests[0].failed, 1);
    assert_int_equal(histogram_count(statistics->requests[0].latency_us), 0);
    statistics_free(&statistics);
    meter_free(&meter);
}

static void phases_are_counted_where_they_are_given(void **state)
{
    const uint64_t phase_us[REQUEST_PHASE_COUNT] = {[REQUEST_CONNECT] = 3, [REQUEST_WAITING] = 4};
    struct meter *meter = meter_new();
    struct request_sample sample = {
        .name = bytes_of_string("GET /"), .is_ok = true, .latency_us = 7, .phase_us = phase_us};
    (void)state;
    meter_request(meter, &sample);
    record(meter, bytes_of_string("plain"), false, true, 7);
    for (int round = 0; round < 2; round++) {
        struct statistics *statistics = meter_take(meter, 0);
        struct histogram *const *phases = statistics->requests[0].phase_us;
        for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
            assert_int_equal(histogram_count(phases[phase]), 1);
            assert_int_equal(histogram_maximum(phases[phase]), phase_us[phase]);
        }
        for (size_t i = 1; i < statistics->request_count; i++) {
            assert_null(statistics->requests[i].phase_us[REQUEST_CONNECT]);
        }
        statistics_free(&statistics);
        meter_request(meter, &sample);
    }
    meter_free(&meter);
}

static void websockets_are_reported_as_differences(void **state)
{
    struct meter *meter = meter_new();
    (void)state;
    for (uint64_t round = 1; round <= 2; round++) {
        struct websocket_statistics *counts = meter_websocket(meter, bytes_of_string("chat"));
        counts->counts[WEBSOCKET_COUNT_MESSAGES_IN] += 10 * round;
        close_counts_add(&counts->codes, 1000, round);
        histogram_record(counts->ping_us, 7);
        histogram_record(counts->queued_us, 8);
        histogram_record(counts->queued_us, 9);
        struct statistics *statistics = meter_take(meter, 0);
        assert_int_equal(statistics->websocket_count, 1);
        const struct websocket_statistics *taken = &statistics->websockets[0];
        assert_true(bytes_equal_string(taken->name, "chat"));
        assert_int_equal(taken->counts[WEBSOCKET_COUNT_MESSAGES_IN], 10 * round);
        assert_int_equal(taken->counts[WEBSOCKET_COUNT_OPENED], 0);
        assert_int_equal(taken->codes.size, 1);
        assert_int_equal(taken->codes.items[0].count, round);
        assert_int_equal(histogram_count(taken->ping_us), 1);
        assert_int_equal(histogram_count(taken->queued_us), 2);
        statistics_free(&statistics);
        assert_null(meter_take(meter, 0));
    }
    record(meter, bytes_of_string("plain"), false, true, 7);
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(statistics->websocket_count, 0);
    statistics_free(&statistics);
    meter_free(&meter);
}

static void cuts_what_is_too_long(void **state)
{
    static char text[LIMIT_TEXT_BYTES + LIMIT_NAME_BYTES + 100];
    struct meter *meter = meter_new();
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t more = 0; more < 2; more++) {
        struct bytes name = bytes_of(text, LIMIT_NAME_BYTES + more * 50);
        record(meter, name, false, true, 1);
        meter_wait(meter, name, OPERATION_BARRIER, OUTCOME_OK, 1);
        record_error(meter, bytes_of(text, LIMIT_TEXT_BYTES + more * 50),
                     bytes_of(text, LIMIT_TEXT_BYTES + more * 50), 0, 1);
    }
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(statistics->request_count, 1);
    assert_int_equal(statistics->requests[0].name.size, LIMIT_NAME_BYTES);
    assert_int_equal(statistics->requests[0].count, 2);
    assert_int_equal(statistics->wait_count, 1);
    assert_int_equal(statistics->waits[0].name.size, LIMIT_NAME_BYTES);
    assert_int_equal(statistics->error_count, 1);
    assert_int_equal(statistics->errors[0].text.size, LIMIT_TEXT_BYTES);
    assert_int_equal(statistics->errors[0].count, 2);
    statistics_free(&statistics);
    meter_free(&meter);
}

static void errors_of_one_key_keep_the_first_text(void **state)
{
    struct meter *meter = meter_new();
    (void)state;
    record_error(meter, bytes_of_string("late"), bytes_of_string("late by 1 s"), 3, 4);
    record_error(meter, bytes_of_string("late"), bytes_of_string("late by 2 s"), 5, 6);
    record_error(meter, bytes_of_string("gone"), bytes_of_string("late by 1 s"), 7, 8);
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(statistics->error_count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool is_late = bytes_equal_string(statistics->errors[i].key, "late");
        assert_int_equal(statistics->errors[i].count, is_late ? 2 : 1);
        assert_true(bytes_equal_string(statistics->errors[i].text, "late by 1 s"));
        assert_int_equal(statistics->errors[i].worker, is_late ? 3 : 7);
    }
    statistics_free(&statistics);
    meter_free(&meter);
}

static void check(struct meter *meter, const char *name, bool is_passed, const char *text, uint64_t step)
{
    struct check_sample sample = {.name = bytes_of_string(name),
                                  .is_passed = is_passed,
                                  .text = bytes_of_string(text),
                                  .worker = 4,
                                  .step = step};
    meter_check(meter, &sample);
}

static void checks_keep_the_first_failure_of_each_report(void **state)
{
    struct meter *meter = meter_new();
    (void)state;
    check(meter, "a", true, NULL, 1);
    check(meter, "b", false, "got 1", 2);
    check(meter, "b", false, "got 2", 3);
    check(meter, "b", true, NULL, 4);
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(statistics->check_count, 2);
    assert_int_equal(statistics->checks[0].passed, 1);
    assert_int_equal(statistics->checks[0].failed, 0);
    assert_int_equal(statistics->checks[1].passed, 1);
    assert_int_equal(statistics->checks[1].failed, 2);
    assert_true(bytes_equal_string(statistics->checks[1].text, "got 1"));
    assert_int_equal(statistics->checks[1].step, 2);
    statistics_free(&statistics);
    assert_null(meter_take(meter, 0));
    check(meter, "b", false, "got 3", 9);
    statistics = meter_take(meter, 0);
    assert_int_equal(statistics->check_count, 1);
    assert_int_equal(statistics->checks[0].failed, 1);
    assert_true(bytes_equal_string(statistics->checks[0].text, "got 3"));
    statistics_free(&statistics);
    for (unsigned i = 0; i < 2 * LIMIT_REQUEST_NAMES; i++) {
        char name[20];
        snprintf(name, sizeof name, "%u", i);
        check(meter, name, true, NULL, 1);
    }
    statistics = meter_take(meter, 0);
    assert_int_equal(statistics->check_count, LIMIT_REQUEST_NAMES - 2); /* beside a and b */
    uint64_t passed = 0;
    for (size_t i = 0; i < statistics->check_count; i++) {
        passed += statistics->checks[i].passed;
    }
    assert_int_equal(passed, 2 * LIMIT_REQUEST_NAMES);
    statistics_free(&statistics);
    meter_free(&meter);
}

static void a_request_is_booked_again(void **state)
{
    struct meter *meter = meter_new();
    (void)state;
    static const struct tag_set no_tags;
    record(meter, bytes_of_string("a"), false, false, 1);
    record(meter, bytes_of_string("a"), false, true, 1);
    meter_rebook(meter, bytes_of_string("a"), &no_tags, true); /* it was not reported yet */
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(statistics->requests[0].count, 2);
    assert_int_equal(statistics->requests[0].failed, 0);
    assert_int_equal(statistics->requests[0].forgiven, 0);
    statistics_free(&statistics);
    record(meter, bytes_of_string("a"), false, false, 1);
    statistics = meter_take(meter, 0);
    statistics_free(&statistics);
    meter_rebook(meter, bytes_of_string("a"), &no_tags, true); /* now it was */
    meter_rebook(meter, bytes_of_string("a"), &no_tags, false);
    statistics = meter_take(meter, 0);
    assert_int_equal(statistics->requests[0].count, 0);
    assert_int_equal(statistics->requests[0].failed, 1);
    assert_int_equal(statistics->requests[0].forgiven, 1);
    statistics_free(&statistics);
    meter_free(&meter);
}

static void holds_no_more_names_than_a_report_may(void **state)
{
    struct meter *meter = meter_new();
    char name[40];
    (void)state;
    for (unsigned i = 0; i < 3 * LIMIT_REQUEST_NAMES; i++) {
        snprintf(name, sizeof name, "name %u", i);
        record(meter, bytes_of_string(name), i % 2, true, 1);
        meter_wait(meter, bytes_of_string(name), i % 2 ? OPERATION_BARRIER : OPERATION_GET_OR_MAKE,
                   OUTCOME_OK, 1);
        record_error(meter, bytes_of_string(name), bytes_of_string(name), i, 1);
        meter_scenario(meter, &(struct scenario_sample){.name = bytes_of_string(name), .weight = 1});
        meter_websocket(meter, bytes_of_string(name))->counts[WEBSOCKET_COUNT_OPENED]++;
    }
    struct statistics *statistics = meter_take(meter, 0);
    uint64_t requests = 0;
    uint64_t errors = 0;
    uint64_t waits = 0;
    uint64_t steps = 0;
    uint64_t opened = 0;
    for (size_t i = 0; i < statistics->wait_count; i++) {
        waits += statistics->waits[i].outcomes[OUTCOME_OK];
    }
    for (size_t i = 0; i < statistics->scenario_count; i++) {
        steps += statistics->scenarios[i].steps[STEP_OK];
    }
    for (size_t i = 0; i < statistics->websocket_count; i++) {
        opened += statistics->websockets[i].counts[WEBSOCKET_COUNT_OPENED];
    }
    assert_int_equal(waits, 3 * LIMIT_REQUEST_NAMES);
    assert_int_equal(steps, 3 * LIMIT_REQUEST_NAMES);
    assert_int_equal(opened, 3 * LIMIT_REQUEST_NAMES);
    assert_int_equal(statistics->scenario_count, LIMIT_REQUEST_NAMES);
    assert_int_equal(statistics->websocket_count, LIMIT_REQUEST_NAMES);
    for (size_t i = 0; i < statistics->request_count; i++) {
        requests += statistics->requests[i].count;
    }
    for (size_t i = 0; i < statistics->error_count; i++) {
        errors += statistics->errors[i].count;
    }
    assert_int_equal(requests, 3 * LIMIT_REQUEST_NAMES);
    assert_int_equal(errors, 3 * LIMIT_REQUEST_NAMES);
    assert_true(statistics->request_count <= LIMIT_REQUEST_NAMES);
    assert_true(statistics->wait_count <= LIMIT_REQUEST_NAMES);
    assert_true(statistics->error_count <= LIMIT_REQUEST_NAMES);
    statistics_free(&statistics);
    meter_free(&meter);
}

static void steps_are_told_apart_by_scenario(void **state)
{
    (void)state;
    struct meter *meter = meter_new();
    struct scenario_sample samples[] = {
        {.name = bytes_of_string("browse"), .weight = 2.5, .result = STEP_OK, .duration_us = 100},
        {.name = bytes_of_string("buy"), .weight = 1, .result = STEP_FAILED, .duration_us = 900},
        {.name = bytes_of_string("browse"), .weight = 2.5, .result = STEP_STOPPED, .duration_us = 300},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        meter_scenario(meter, &samples[i]);
    }
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(statistics->scenario_count, 2);
    const struct scenario_statistics *browse = &statistics->scenarios[0];
    assert_true(bytes_equal_string(browse->name, "browse"));
    assert_int_equal(browse->weight_milli, 2500);
    assert_int_equal(browse->steps[0], 1);
    assert_int_equal(browse->steps[1], 0);
    assert_int_equal(browse->steps[2], 1);
    assert_int_equal(histogram_count(browse->step_us), 2);
    assert_int_equal(statistics->scenarios[1].steps[1], 1);
    statistics_free(&statistics);
    meter_scenario(meter, &samples[1]);
    statistics = meter_take(meter, 0);
    assert_int_equal(statistics->scenario_count, 1); /* the other has had none since */
    assert_int_equal(statistics->scenarios[0].steps[1], 1);
    statistics_free(&statistics);
    meter_free(&meter);
}

static void answers_are_counted_by_status(void **state)
{
    (void)state;
    struct meter *meter = meter_new();
    struct request_sample sample = {
        .name = bytes_of_string("a"), .is_ok = true, .status = 200, .received_bytes = 70, .sent_bytes = 5};
    meter_request(meter, &sample);
    meter_request(meter, &sample);
    sample.status = 503;
    meter_request(meter, &sample);
    sample.status = 0; /* no answer */
    meter_request(meter, &sample);
    for (int take = 0; take < 2; take++) {
        struct statistics *statistics = meter_take(meter, 0);
        const struct request_statistics *request = &statistics->requests[0];
        assert_int_equal(request->statuses.size, take == 0 ? 2 : 1);
        assert_int_equal(request->statuses.items[0].code, take == 0 ? 200 : 404);
        assert_int_equal(request->statuses.items[0].count, take == 0 ? 2 : 1);
        assert_int_equal(request->received_bytes, take == 0 ? 280 : 70);
        assert_int_equal(request->sent_bytes, take == 0 ? 20 : 5);
        statistics_free(&statistics);
        sample.status = 404;
        meter_request(meter, &sample);
    }
    meter_free(&meter);
}

static void the_slowest_traces_are_reported_once(void **state)
{
    (void)state;
    struct meter *meter = meter_new();
    struct request_sample sample = {.name = bytes_of_string("a"), .is_ok = true};
    for (int take = 0; take < 2; take++) {
        for (unsigned i = 0; i < 12; i++) {
            struct slow_trace trace = {.latency_us = 100 + i * 7 % 12, .worker = i};
            meter_request(meter, &sample);
            meter_trace(meter, sample.name, &trace);
        }
        struct statistics *statistics = meter_take(meter, 0);
        assert_int_equal(statistics->requests[0].slowest.size, SLOW_TRACES);
        assert_int_equal(statistics->requests[0].slowest.items[0].latency_us, 111);
        assert_int_equal(statistics->requests[0].slowest.items[9].latency_us, 102);
        statistics_free(&statistics);
    }
    meter_request(meter, &sample);
    struct statistics *statistics = meter_take(meter, 0);
    assert_int_equal(statistics->requests[0].slowest.size, 0);
    statistics_free(&statistics);
    meter_free(&meter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_only_what_came_since),
        cmocka_unit_test(the_slowest_traces_are_reported_once),
        cmocka_unit_test(each_thing_is_worth_a_report),
        cmocka_unit_test(lateness_and_arrivals_are_reported_as_differences),
        cmocka_unit_test(requests_count_from_the_instant_of_their_step),
        cmocka_unit_test(what_never_left_counts_no_latency),
        cmocka_unit_test(phases_are_counted_where_they_are_given),
        cmocka_unit_test(websockets_are_reported_as_differences),
        cmocka_unit_test(cuts_what_is_too_long),
        cmocka_unit_test(errors_of_one_key_keep_the_first_text),
        cmocka_unit_test(checks_keep_the_first_failure_of_each_report),
        cmocka_unit_test(a_request_is_booked_again),
        cmocka_unit_test(steps_are_told_apart_by_scenario),
        cmocka_unit_test(answers_are_counted_by_status),
        cmocka_unit_test(holds_no_more_names_than_a_report_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
