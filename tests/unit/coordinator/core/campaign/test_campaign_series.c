/* What agents report is counted in the second to which it belongs, whenever it arrives. */
#include "tests/unit/coordinator/core/stand.h"

#include "common/histogram.h"
#include "coordinator/core/series/series_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

/* Statistics of `count` requests in the middle of this time after the beginning, in milliseconds; of an
 * unknown one if that is negative. */
static void report_requests(struct stand *stand, struct played *agent, int at_ms, uint64_t count)
{
    struct request_statistics request = {
        .name = bytes_of_string("save"), .count = count, .latency_us = histogram_new()};
    uint64_t begun_ns = stand_report(stand)->begun_ns;
    struct message message = {
        .kind = MESSAGE_STATISTICS,
        .campaign = 1,
        .statistics = {.steps_ok = 1,
                       .workers_running = 2,
                       .at_ns = at_ms < 0 ? 0 : (int64_t)(begun_ns + (uint64_t)at_ms * MS),
                       .requests = &request,
                       .request_count = 1}};
    histogram_add(request.latency_us, 1000, count);
    stand_send(stand, agent, &message);
    histogram_free(&request.latency_us);
}

static const struct series_row_view *total_of_group(const struct series_view *view, enum series_group group)
{
    for (size_t i = 0; i < view->row_count; i++) {
        if (view->rows[i].is_total && view->rows[i].group == group) {
            return &view->rows[i];
        }
    }
    fail();
    return NULL;
}

static void expect_column(struct stand *stand, enum series_group group, size_t column, const char *expected)
{
    SCOPED(series_view_free)
    struct series_view *view = series_view_of(coordinator_series(stand->coordinator, 1));
    const struct series_row_view *row = total_of_group(view, group);
    char text[200] = "";
    for (size_t i = 0; i < view->points; i++) {
        size_t used = strlen(text);
        uint64_t value = row->values[column * view->points + i];
        (void)snprintf(text + used, sizeof text - used, value == SERIES_NONE ? "%s-" : "%s%llu",
                       i > 0 ? " " : "", (unsigned long long)value);
    }
    assert_string_equal(text, expected);
}

static void each_report_is_of_its_second(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    stand_pass_ms(stand, 4300);
    report_requests(stand, &stand->agents[0], 1500, 10);
    report_requests(stand, &stand->agents[1], 1200, 5);
    report_requests(stand, &stand->agents[1], 3900, 7);
    expect_column(stand, SERIES_REQUESTS, 0, "0 15 0 7");
    expect_column(stand, SERIES_STEPS, 0, "0 2 0 1");
    expect_column(stand, SERIES_LOAD, 0, "0 4 0 4");
    /* Long after. */
    stand_pass_ms(stand, 5000);
    report_requests(stand, &stand->agents[0], 500, 3);
    expect_column(stand, SERIES_REQUESTS, 0, "3 15 0 7");
}

static void what_cannot_be_is_of_now(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    uint64_t lead_ms = (stand_report(stand)->begun_ns - stand->now_ns) / MS;
    report_requests(stand, &stand->agents[0], -1, 1); /* before the beginning */
    stand_pass_ms(stand, lead_ms + 2500);
    report_requests(stand, &stand->agents[0], -1, 2);      /* it does not say when */
    report_requests(stand, &stand->agents[0], 1000000, 4); /* that is in the future */
    expect_column(stand, SERIES_REQUESTS, 0, "1 0 6");
}

static void the_report_has_the_last_ten_seconds(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    uint64_t lead_ms = (stand_report(stand)->begun_ns - stand->now_ns) / MS;
    stand_pass_ms(stand, lead_ms);
    for (int second = 0; second < 14; second++) {
        stand_pass_ms(stand, 1000);
        report_requests(stand, &stand->agents[0], second * 1000 + 500, second < 3 ? 1000 : 10);
    }
    stand_pass_ms(stand, 100);
    struct series_recent recent = stand_report(stand)->recent;
    assert_int_equal(recent.seconds, 10);
    assert_int_equal(recent.requests, 100);
    assert_in_range(recent.p95_us, 985, 1000);
    stand_stop(stand, true);
}

static void what_was_seen_is_of_the_second_when_it_was(void **state)
{
    struct stand *stand = stand_running(state, 3, 1);
    uint64_t begun_ns = stand_report(stand)->begun_ns;
    uint32_t readers[] = {0, 1};
    uint32_t writer[] = {2};
    struct operation operation = {.kind = OPERATION_WRITING, .name = bytes_of_string("pad"), .step = 1};
    stand_pass_ms(stand, 5000);
    operation.first_ns = operation.last_ns = (int64_t)(begun_ns + 1900 * MS);
    stand_operation(stand, &stand->agents[0], operation, writer, 1);
    operation.kind = OPERATION_READ;
    operation.first_ns = operation.last_ns = (int64_t)(begun_ns + 2100 * MS);
    stand_operation(stand, &stand->agents[0], operation, readers, 2);
    expect_column(stand, SERIES_SEEN, 0, "0 0 2");
    expect_column(stand, SERIES_SEEN, 4, "- - 200000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(each_report_is_of_its_second),
        STORY(what_cannot_be_is_of_now),
        STORY(the_report_has_the_last_ten_seconds),
        STORY(what_was_seen_is_of_the_second_when_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
