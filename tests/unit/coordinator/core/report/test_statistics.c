/* How the counts of many agents become one report. */
#include "coordinator/core/report/statistics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void merge_request(struct campaign_statistics *statistics, const char *name, bool is_timing,
                          uint64_t latency_us)
{
    struct request_statistics request = {.name = bytes_of_string(name),
                                         .is_timing = is_timing,
                                         .count = 1,
                                         .failed = latency_us > 1000,
                                         .latency_us = histogram_new()};
    histogram_record(request.latency_us, latency_us);
    struct statistics from = {.requests = &request, .request_count = 1};
    campaign_statistics_merge(statistics, &from);
    histogram_free(&request.latency_us);
}

static void merge_error(struct campaign_statistics *statistics, const char *text, uint32_t worker,
                        uint64_t count)
{
    struct error_statistics error = {
        .text = bytes_of_string(text), .count = count, .worker = worker, .step = 3};
    struct statistics from = {.errors = &error, .error_count = 1};
    campaign_statistics_merge(statistics, &from);
}

static void merge_error_of_kind(struct campaign_statistics *statistics, const char *key, const char *text)
{
    struct error_statistics error = {.key = bytes_of_string(key),
                                     .text = bytes_of_string(text),
                                     .scenario = bytes_of_string("browse"),
                                     .count = 1,
                                     .worker = 1,
                                     .step = 3};
    struct statistics from = {.errors = &error, .error_count = 1};
    campaign_statistics_merge(statistics, &from);
}

static void assert_text(struct bytes bytes, const char *text)
{
    if (!bytes_equal_string(bytes, text)) {
        fail_msg("%.*s is not %s", BYTES_FORMAT(bytes), text);
    }
}

static void steps_add_up(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    struct statistics from = {
        .steps_ok = 5, .steps_failed = 2, .steps_stopped = 1, .step_us = histogram_new()};
    histogram_add(from.step_us, 100, 8);
    campaign_statistics_merge(statistics, &from);
    campaign_statistics_merge(statistics, &from);
    struct campaign_report report = {0};
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.steps_ok, 10);
    assert_int_equal(report.steps_failed, 4);
    assert_int_equal(report.steps_stopped, 2);
    assert_int_equal(histogram_count(report.step_us), 16);
    histogram_free(&from.step_us);
    campaign_statistics_free(&statistics);
}

static void requests_are_told_apart_by_name_and_sorted(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    merge_request(statistics, "GET /b", false, 200);
    merge_request(statistics, "GET /a", false, 2000);
    merge_request(statistics, "GET /b", false, 400);
    merge_request(statistics, "GET /a", true, 999);
    struct campaign_report report = {0};
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.request_count, 3);
    assert_text(report.requests[0].name, "GET /a");
    assert_false(report.requests[0].is_timing);
    assert_int_equal(report.requests[0].failed, 1);
    assert_true(report.requests[1].is_timing);
    assert_text(report.requests[2].name, "GET /b");
    assert_int_equal(report.requests[2].count, 2);
    assert_int_equal(histogram_maximum(report.requests[2].latency_us), 400);
    /* Timings are not requests. */
    assert_int_equal(report.requests_total, 3);
    assert_int_equal(histogram_count(report.request_latency_us), 3);
    campaign_statistics_free(&statistics);
}

/* Each is found under its own name, whatever was looked up before it in the same message. */
static void the_order_within_a_message_does_not_matter(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    struct request_statistics requests[] = {
        {.name = bytes_of_string("GET /a"), .count = 1},
        {.name = bytes_of_string("GET /b"), .count = 10},
    };
    struct statistics from = {.requests = requests, .request_count = 2};
    campaign_statistics_merge(statistics, &from);
    struct request_statistics reversed[] = {requests[1], requests[0]};
    from.requests = reversed;
    campaign_statistics_merge(statistics, &from);
    struct campaign_report report = {0};
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.request_count, 2);
    assert_text(report.requests[0].name, "GET /a");
    assert_int_equal(report.requests[0].count, 2);
    assert_text(report.requests[1].name, "GET /b");
    assert_int_equal(report.requests[1].count, 20);
    campaign_statistics_free(&statistics);
}

static void waits_are_told_apart_by_kind(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    struct wait_statistics waits[] = {
        {.name = bytes_of_string("pad"), .kind = OPERATION_WAIT_READERS, .outcomes = {[OUTCOME_SHORT] = 1}},
        {.name = bytes_of_string("pad"), .kind = OPERATION_WAIT_WRITER, .outcomes = {[OUTCOME_OK] = 4}},
    };
    struct statistics from = {.waits = waits, .wait_count = 2};
    campaign_statistics_merge(statistics, &from);
    campaign_statistics_merge(statistics, &from);
    struct campaign_report report = {0};
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.wait_count, 2);
    assert_int_equal(report.waits[0].kind, OPERATION_WAIT_WRITER);
    assert_int_equal(report.waits[0].outcomes[OUTCOME_OK], 8);
    assert_int_equal(report.waits[1].outcomes[OUTCOME_SHORT], 2);
    campaign_statistics_free(&statistics);
}

static void the_most_frequent_error_comes_first(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    merge_error(statistics, "rare", 1, 1);
    merge_error(statistics, "often", 2, 2);
    merge_error(statistics, "often", 7, 2);
    merge_error(statistics, "also rare", 3, 1);
    struct campaign_report report = {0};
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.error_count, 3);
    assert_text(report.errors[0].text, "often");
    assert_int_equal(report.errors[0].count, 4);
    assert_int_equal(report.errors[0].worker, 2); /* the first that had it */
    assert_text(report.errors[1].text, "also rare");
    assert_text(report.errors[2].text, "rare");
    campaign_statistics_free(&statistics);
}

static void note_error(struct campaign_statistics *statistics, const char *text, uint64_t second,
                       const char *agent)
{
    struct error_statistics error = {.text = bytes_of_string(text), .count = 1};
    const struct statistics from = {.errors = &error, .error_count = 1};
    campaign_statistics_merge(statistics, &from);
    campaign_statistics_note_errors(statistics, &from, second, bytes_of_string(agent));
}

/* Agents report at any time, and the first one that was heard is shown. */
static void errors_have_a_time_and_a_place(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    note_error(statistics, "often", 7, "a2");
    note_error(statistics, "often", 5, "a1");
    note_error(statistics, "often", 6, "a1");
    merge_error(statistics, "ours", 1, 1);
    SCOPED(buffer_finish) struct buffer bytes;
    buffer_init(&bytes, 100000);
    campaign_statistics_pack(statistics, &bytes);
    campaign_statistics_free(&statistics);
    struct unpack from = unpack_of(buffer_bytes(&bytes));
    statistics = campaign_statistics_unpack(&from, bytes_of("", 0));
    assert_non_null(statistics);
    note_error(statistics, "often", 9, "a3");
    struct campaign_report report = {0};
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.errors[0].count, 4);
    assert_true(report.errors[0].has_times);
    assert_int_equal(report.errors[0].first_s, 5);
    assert_int_equal(report.errors[0].last_s, 9);
    assert_text(report.errors[0].agent, "a2");
    assert_false(report.errors[1].has_times);
    assert_text(report.errors[1].agent, "");
    campaign_statistics_free(&statistics);
}

/* The text differs from one to the next: the first is shown, also after a restart. */
static void errors_of_one_key_are_one(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    merge_error_of_kind(statistics, "late", "late by 1 s");
    merge_error_of_kind(statistics, "late", "late by 2 s");
    SCOPED(buffer_finish) struct buffer bytes;
    buffer_init(&bytes, 100000);
    campaign_statistics_pack(statistics, &bytes);
    campaign_statistics_free(&statistics);
    struct unpack from = unpack_of(buffer_bytes(&bytes));
    statistics = campaign_statistics_unpack(&from, bytes_of("", 0));
    assert_non_null(statistics);
    merge_error_of_kind(statistics, "late", "late by 3 s");
    merge_error(statistics, "late by 2 s", 9, 1);
    struct campaign_report report = {0};
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.error_count, 2);
    assert_text(report.errors[0].text, "late by 1 s");
    assert_text(report.errors[0].scenario, "browse");
    assert_text(report.errors[1].scenario, "");
    assert_int_equal(report.errors[0].count, 3);
    assert_text(report.errors[1].text, "late by 2 s");
    campaign_statistics_free(&statistics);
}

static void merge_phases_of(struct campaign_statistics *statistics, uint64_t waiting_us)
{
    struct request_statistics request = {
        .name = bytes_of_string("GET /"), .count = 1, .latency_us = histogram_new()};
    for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        request.phase_us[phase] = histogram_new();
        histogram_record(request.phase_us[phase], phase == REQUEST_WAITING ? waiting_us : 0);
    }
    struct statistics from = {.requests = &request, .request_count = 1};
    campaign_statistics_merge(statistics, &from);
    histogram_free(&request.latency_us);
    for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        histogram_free(&request.phase_us[phase]);
    }
}

static void phases_are_merged_and_kept_over_a_restart(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    merge_request(statistics, "GET /", false, 10);
    merge_request(statistics, "PUT /", false, 10);
    merge_phases_of(statistics, 700);
    SCOPED(buffer_finish) struct buffer bytes;
    buffer_init(&bytes, 100000);
    campaign_statistics_pack(statistics, &bytes);
    campaign_statistics_free(&statistics);
    struct unpack from = unpack_of(buffer_bytes(&bytes));
    statistics = campaign_statistics_unpack(&from, bytes_of("", 0));
    assert_non_null(statistics);
    merge_phases_of(statistics, 900);
    struct campaign_report report = {0};
    campaign_statistics_report(statistics, &report);
    const struct histogram *const *phases = report.requests[0].phase_us;
    assert_int_equal(report.requests[0].count, 3);
    assert_int_equal(histogram_count(phases[REQUEST_WAITING]), 2);
    assert_int_equal(histogram_maximum(phases[REQUEST_WAITING]), 900);
    assert_int_equal(histogram_quantile(phases[REQUEST_WAITING], 0.5), 700);
    assert_int_equal(histogram_maximum(phases[REQUEST_TLS]), 0);
    assert_null(report.requests[1].phase_us[REQUEST_WAITING]);
    campaign_statistics_free(&statistics);
}

static void merge_late_of(struct campaign_statistics *statistics, uint64_t late_us)
{
    struct request_statistics request = {.name = bytes_of_string("GET /"),
                                         .count = 1,
                                         .latency_us = histogram_new(),
                                         .response_us = histogram_new()};
    histogram_record(request.latency_us, 100);
    histogram_record(request.response_us, 100 + late_us);
    struct statistics from = {.requests = &request,
                              .request_count = 1,
                              .late_us = histogram_new(),
                              .response_us = histogram_new(),
                              .arrivals = 3,
                              .dropped = 2};
    histogram_record(from.late_us, late_us);
    histogram_record(from.response_us, 200 + late_us);
    campaign_statistics_merge(statistics, &from);
    histogram_free(&request.latency_us);
    histogram_free(&request.response_us);
    histogram_free(&from.late_us);
    histogram_free(&from.response_us);
}

static void times_from_the_intended_start_are_kept_over_a_restart(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    struct campaign_report report = {0};
    merge_request(statistics, "GET /", false, 10);
    campaign_statistics_report(statistics, &report);
    assert_null(report.late_us);
    assert_null(report.requests[0].response_us);
    merge_late_of(statistics, 5);
    SCOPED(buffer_finish) struct buffer bytes;
    buffer_init(&bytes, 100000);
    campaign_statistics_pack(statistics, &bytes);
    campaign_statistics_free(&statistics);
    struct unpack from = unpack_of(buffer_bytes(&bytes));
    statistics = campaign_statistics_unpack(&from, bytes_of("", 0));
    assert_non_null(statistics);
    merge_late_of(statistics, 50);
    campaign_statistics_add_dropped(statistics, 10);
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.arrivals, 6);
    assert_int_equal(report.dropped, 14);
    assert_int_equal(campaign_statistics_arrivals(statistics), 20);
    assert_int_equal(histogram_count(report.late_us), 2);
    assert_int_equal(histogram_maximum(report.late_us), 50);
    assert_int_equal(histogram_maximum(report.response_us), 250);
    assert_int_equal(histogram_count(report.request_response_us), 2);
    assert_int_equal(histogram_maximum(report.requests[0].response_us), 150);
    campaign_statistics_free(&statistics);
}

static void merge_websocket_of(struct campaign_statistics *statistics, uint32_t code, uint64_t ping_us)
{
    struct websocket_statistics websocket = {
        .name = bytes_of_string("chat"),
        .counts = {[WEBSOCKET_COUNT_OPENED] = 2, [WEBSOCKET_COUNT_DROPPED] = 5},
        .handshake_us = histogram_new(),
        .ping_us = histogram_new(),
        .queued_us = histogram_new()};
    close_counts_add(&websocket.codes, code, 1);
    histogram_record(websocket.queued_us, 2 * ping_us);
    histogram_record(websocket.handshake_us, 3 * ping_us);
    histogram_record(websocket.ping_us, ping_us);
    struct statistics from = {.websockets = &websocket, .websocket_count = 1};
    campaign_statistics_merge(statistics, &from);
    histogram_free(&websocket.handshake_us);
    histogram_free(&websocket.ping_us);
    histogram_free(&websocket.queued_us);
}

static void websockets_are_merged_and_kept_over_a_restart(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    merge_websocket_of(statistics, 1006, 700);
    merge_websocket_of(statistics, 1000, 800);
    SCOPED(buffer_finish) struct buffer bytes;
    buffer_init(&bytes, 100000);
    campaign_statistics_pack(statistics, &bytes);
    campaign_statistics_free(&statistics);
    struct unpack from = unpack_of(buffer_bytes(&bytes));
    statistics = campaign_statistics_unpack(&from, bytes_of("", 0));
    assert_non_null(statistics);
    merge_websocket_of(statistics, 1000, 900);
    struct campaign_report report = {0};
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.websocket_count, 1);
    const struct websocket_report *websocket = &report.websockets[0];
    assert_int_equal(websocket->counts[WEBSOCKET_COUNT_OPENED], 6);
    assert_int_equal(websocket->counts[WEBSOCKET_COUNT_FAILED], 0);
    assert_int_equal(websocket->counts[WEBSOCKET_COUNT_DROPPED], 15);
    assert_int_equal(websocket->codes.size, 2);
    assert_int_equal(websocket->codes.items[0].code, 1000);
    assert_int_equal(websocket->codes.items[0].count, 2);
    assert_int_equal(websocket->codes.items[1].code, 1006);
    assert_int_equal(histogram_count(websocket->ping_us), 3);
    assert_int_equal(histogram_maximum(websocket->ping_us), 900);
    assert_int_equal(histogram_count(websocket->queued_us), 3);
    assert_int_equal(histogram_maximum(websocket->queued_us), 1800);
    assert_int_equal(histogram_count(websocket->handshake_us), 3);
    assert_int_equal(histogram_maximum(websocket->handshake_us), 2700);
    for (uint32_t code = 4000; code < 4020; code++) {
        merge_websocket_of(statistics, code, 1);
    }
    campaign_statistics_report(statistics, &report);
    websocket = &report.websockets[0];
    assert_int_equal(websocket->codes.size, LIMIT_CLOSE_CODES);
    assert_int_equal(websocket->codes.items[0].code, 0);
    assert_int_equal(websocket->codes.items[0].count, 20 - (LIMIT_CLOSE_CODES - 1 - 2));
    campaign_statistics_free(&statistics);
}

static void merge_step_of(struct campaign_statistics *statistics, const char *scenario, uint64_t status)
{
    struct scenario_statistics by_scenario = {.name = bytes_of_string(scenario),
                                              .weight_milli = 2500,
                                              .steps = {4, 2, 1},
                                              .step_us = histogram_new()};
    struct request_statistics request = {.name = bytes_of_string("save"),
                                         .count = 3,
                                         .received_bytes = 1000,
                                         .sent_bytes = 70,
                                         .latency_us = histogram_new()};
    close_counts_add(&request.statuses, (uint32_t)status, 3);
    for (unsigned i = 0; i < 5; i++) {
        struct slow_trace trace = {
            .latency_us = status + i, .has_worker = true, .worker = i, .step = 8, .id = {(uint8_t)i, 9}};
        slow_traces_add(&request.slowest, &trace);
    }
    histogram_add(by_scenario.step_us, 500, 7);
    campaign_statistics_merge(statistics, &(struct statistics){.requests = &request,
                                                               .request_count = 1,
                                                               .scenarios = &by_scenario,
                                                               .scenario_count = 1});
    histogram_free(&by_scenario.step_us);
    histogram_free(&request.latency_us);
    slow_traces_finish(&request.slowest);
}

static void scenarios_and_what_was_sent_are_kept_over_a_restart(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    SCOPED(buffer_finish) struct buffer bytes;
    buffer_init(&bytes, 100000);
    merge_step_of(statistics, "write", 503);
    merge_step_of(statistics, "read", 200);
    merge_step_of(statistics, "write", 200);
    campaign_statistics_pack(statistics, &bytes);
    struct unpack from = unpack_of(buffer_bytes(&bytes));
    struct campaign_statistics *back = campaign_statistics_unpack(&from, bytes_of("", 0));
    assert_true(unpack_is_done(&from));
    struct campaign_statistics *both[] = {statistics, back};
    for (size_t i = 0; i < 2; i++) {
        struct campaign_report report = {0};
        campaign_statistics_report(both[i], &report);
        assert_int_equal(report.scenario_count, 2);
        assert_text(report.scenarios[0].name, "read");
        assert_text(report.scenarios[1].name, "write");
        assert_int_equal(report.scenarios[1].weight_milli, 2500);
        assert_int_equal(report.scenarios[1].steps_ok, 8);
        assert_int_equal(report.scenarios[1].steps_failed, 4);
        assert_int_equal(report.scenarios[1].steps_stopped, 2);
        assert_int_equal(histogram_count(report.scenarios[1].step_us), 14);
        assert_int_equal(report.requests[0].received_bytes, 3000);
        assert_int_equal(report.requests[0].sent_bytes, 210);
        assert_int_equal(report.requests[0].slowest.size, SLOW_TRACES);
        const struct slow_trace *slowest = report.requests[0].slowest.items;
        assert_int_equal(slowest[0].latency_us, 507);
        assert_int_equal(slowest[4].latency_us, 503);
        assert_int_equal(slowest[5].latency_us, 204);
        assert_true(slowest[0].has_worker && slowest[0].worker == 4 && slowest[0].step == 8);
        assert_true(slowest[0].id[0] == 4 && slowest[0].id[1] == 9);
        assert_int_equal(report.requests[0].statuses.size, 2);
        assert_int_equal(report.requests[0].statuses.items[0].code, 200);
        assert_int_equal(report.requests[0].statuses.items[0].count, 6);
        assert_int_equal(report.requests[0].statuses.items[1].count, 3);
        campaign_statistics_free(&both[i]);
    }
}

/* A request that a script expected to fail is none that failed; of more than there are, none is left. */
static void forgiven_requests_have_not_failed(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    struct request_statistics request = {
        .name = bytes_of_string("GET /"), .count = 9, .failed = 5, .forgiven = 2};
    struct statistics from = {.requests = &request, .request_count = 1};
    struct campaign_report report = {0};
    campaign_statistics_merge(statistics, &from);
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.requests[0].failed, 3);
    request = (struct request_statistics){.name = request.name, .forgiven = 3}; /* of an earlier message */
    campaign_statistics_merge(statistics, &from);
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.requests[0].failed, 0);
    request.forgiven = 1;
    campaign_statistics_merge(statistics, &from);
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.requests[0].failed, 0);
    assert_int_equal(report.requests[0].count, 9);
    campaign_statistics_free(&statistics);
}

static void merge_check_of(struct campaign_statistics *statistics, const char *name, uint64_t passed,
                           uint64_t failed, uint32_t worker)
{
    struct check_statistics check = {.name = bytes_of_string(name), .passed = passed, .failed = failed};
    if (failed > 0) {
        check.text = bytes_of_string(worker == 7 ? "got 500" : "got 404");
        check.worker = worker;
        check.step = 10 * (uint64_t)worker;
    }
    campaign_statistics_merge(statistics, &(struct statistics){.checks = &check, .check_count = 1});
}

/* Each with the first of its failures. */
static void checks_are_merged_and_kept_over_a_restart(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    SCOPED(buffer_finish) struct buffer bytes;
    buffer_init(&bytes, 100000);
    merge_check_of(statistics, "status", 5, 0, 0);
    merge_check_of(statistics, "status", 3, 2, 7);
    merge_check_of(statistics, "body", 4, 0, 0);
    campaign_statistics_pack(statistics, &bytes);
    campaign_statistics_free(&statistics);
    struct unpack from = unpack_of(buffer_bytes(&bytes));
    statistics = campaign_statistics_unpack(&from, bytes_of("", 0));
    assert_non_null(statistics);
    merge_check_of(statistics, "status", 1, 4, 8);
    struct campaign_report report = {0};
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.check_count, 2);
    assert_text(report.checks[0].name, "body");
    assert_int_equal(report.checks[0].passed, 4);
    assert_int_equal(report.checks[0].failed, 0);
    assert_text(report.checks[0].text, "");
    assert_text(report.checks[1].name, "status");
    assert_int_equal(report.checks[1].passed, 9);
    assert_int_equal(report.checks[1].failed, 6);
    assert_text(report.checks[1].text, "got 500");
    assert_int_equal(report.checks[1].worker, 7);
    assert_int_equal(report.checks[1].step, 70);
    campaign_statistics_free(&statistics);
}

static void merge_scenario_of(struct campaign_statistics *statistics, const char *name)
{
    struct scenario_statistics scenario = {.name = bytes_of_string(name), .steps = {1, 0, 0}};
    campaign_statistics_merge(statistics, &(struct statistics){.scenarios = &scenario, .scenario_count = 1});
}

static void scenarios_without_end_are_put_together(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    for (uint32_t i = 0; i < STATISTICS_NAMES + 3; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "scenario %05u", i);
        merge_scenario_of(statistics, name);
    }
    merge_scenario_of(statistics, "scenario 00000");
    struct campaign_report report = {0};
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.scenario_count, STATISTICS_NAMES + 1);
    assert_text(report.scenarios[0].name, STATISTICS_OTHER);
    assert_int_equal(report.scenarios[0].steps_ok, 3);
    assert_int_equal(report.scenarios[1].steps_ok, 2);
    campaign_statistics_free(&statistics);
}

static void names_without_end_are_put_together(void **state)
{
    (void)state;
    struct campaign_statistics *statistics = campaign_statistics_new();
    for (unsigned i = 0; i < STATISTICS_NAMES + 500u; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "GET /%05u", i);
        merge_request(statistics, name, false, 100);
    }
    merge_request(statistics, "GET /00000", false, 100); /* a known one is still counted separately */
    struct campaign_report report = {0};
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.request_count, STATISTICS_NAMES + 1);
    assert_text(report.requests[0].name, STATISTICS_OTHER);
    assert_int_equal(report.requests[0].count, 500);
    assert_int_equal(report.requests[1].count, 2);
    assert_int_equal(report.requests_total, STATISTICS_NAMES + 501u);
    merge_request(statistics, "one more timing", true, 100); /* timings are put together by themselves */
    merge_request(statistics, "and another one", true, 100);
    campaign_statistics_report(statistics, &report);
    assert_int_equal(report.request_count, STATISTICS_NAMES + 2);
    assert_int_equal(report.requests[0].count, 500);
    assert_text(report.requests[1].name, STATISTICS_OTHER);
    assert_true(report.requests[1].is_timing);
    assert_int_equal(report.requests[1].count, 2);
    campaign_statistics_free(&statistics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_add_up),
        cmocka_unit_test(requests_are_told_apart_by_name_and_sorted),
        cmocka_unit_test(the_order_within_a_message_does_not_matter),
        cmocka_unit_test(waits_are_told_apart_by_kind),
        cmocka_unit_test(the_most_frequent_error_comes_first),
        cmocka_unit_test(errors_have_a_time_and_a_place),
        cmocka_unit_test(errors_of_one_key_are_one),
        cmocka_unit_test(phases_are_merged_and_kept_over_a_restart),
        cmocka_unit_test(times_from_the_intended_start_are_kept_over_a_restart),
        cmocka_unit_test(websockets_are_merged_and_kept_over_a_restart),
        cmocka_unit_test(scenarios_and_what_was_sent_are_kept_over_a_restart),
        cmocka_unit_test(forgiven_requests_have_not_failed),
        cmocka_unit_test(checks_are_merged_and_kept_over_a_restart),
        cmocka_unit_test(scenarios_without_end_are_put_together),
        cmocka_unit_test(names_without_end_are_put_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
