/* The numbers of a campaign second by second: they add up to the totals, whatever is merged, late or halved.
 */
#include "coordinator/core/series/series.h"
#include "coordinator/core/series/series_view.h"

#include "common/histogram.h"
#include "common/memory.h"
#include "common/random.h"
#include "common/time_units.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY_S 86400u
/* Columns of requests. */
enum { COLUMN_COUNT, COLUMN_FAILED, COLUMN_P50 = 4, COLUMN_P95, COLUMN_P99, COLUMN_MAX };

static void add_requests(struct series *series, uint64_t second, const char *name, uint64_t count,
                         uint64_t latency_us)
{
    struct request_statistics request = {
        .name = bytes_of_string(name), .count = count, .failed = count / 2, .latency_us = histogram_new()};
    struct statistics from = {.requests = &request, .request_count = 1};
    histogram_add(request.latency_us, latency_us, count);
    series_add_statistics(series, second, &from);
    histogram_free(&request.latency_us);
}

static const struct series_row_view *row_of(const struct series_view *view, enum series_group group,
                                            const char *name)
{
    for (size_t i = 0; i < view->row_count; i++) {
        const struct series_row_view *row = &view->rows[i];
        if (row->group == group && row->is_total == (name == NULL) &&
            (name == NULL || bytes_equal_string(row->name.bytes, name))) {
            return row;
        }
    }
    fail_msg("there is no row %s of %s", name != NULL ? name : "in total", SERIES_GROUP_COLUMNS[group].key);
    return NULL;
}

static uint64_t value_at(const struct series_view *view, const struct series_row_view *row, size_t column,
                         size_t index)
{
    return row->values[column * view->points + index];
}

static uint64_t sum_of(const struct series_view *view, const struct series_row_view *row, size_t column)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < view->points; i++) {
        sum += value_at(view, row, column, i);
    }
    return sum;
}

static void a_second_has_the_sum_of_all_agents(void **state)
{
    (void)state;
    struct series *series = series_new();
    add_requests(series, 0, "a", 10, 1000);
    add_requests(series, 2, "a", 4, 2000);
    add_requests(series, 2, "b", 96, 3000);
    add_requests(series, 2, "a", 2, 50);
    SCOPED(series_view_free) struct series_view *view = series_view_of(series);
    const struct series_row_view *total = row_of(view, SERIES_REQUESTS, NULL);
    const struct series_row_view *a = row_of(view, SERIES_REQUESTS, "a");
    assert_int_equal(view->point_s, 1);
    assert_int_equal(view->points, 3);
    assert_int_equal(value_at(view, a, COLUMN_COUNT, 0), 10);
    assert_int_equal(value_at(view, a, COLUMN_FAILED, 0), 5);
    assert_int_equal(value_at(view, a, COLUMN_COUNT, 1), 0);
    assert_int_equal(value_at(view, a, COLUMN_P95, 1), SERIES_NONE);
    assert_int_equal(value_at(view, a, COLUMN_COUNT, 2), 6);
    assert_int_equal(value_at(view, a, COLUMN_MAX, 2), 2000);
    assert_int_equal(value_at(view, total, COLUMN_COUNT, 2), 102);
    assert_in_range(value_at(view, total, COLUMN_P50, 2), 2953, 3000);
    assert_in_range(value_at(view, total, COLUMN_P99, 2), 2953, 3000);
    assert_in_range(value_at(view, a, COLUMN_P50, 2), 1969, 2000);
    series_free(&series);
}

static void add_failures(struct series *series, uint64_t second, uint64_t failed, uint64_t forgiven)
{
    struct request_statistics request = {.name = bytes_of_string("a"),
                                         .count = failed,
                                         .failed = failed,
                                         .forgiven = forgiven,
                                         .latency_us = histogram_new()};
    series_add_statistics(series, second, &(struct statistics){.requests = &request, .request_count = 1});
    histogram_free(&request.latency_us);
}

/* A failure that a script takes back later leaves the second in which it was counted. */
static void forgiven_failures_leave_the_second_that_has_them(void **state)
{
    (void)state;
    const struct {
        uint64_t failed;
        uint64_t forgiven;
        uint64_t expected;
    } seconds[] = {{0, 1, 0}, {5, 0, 4}, {2, 0, 0}, {0, 1, 0}, {0, 2, 0}, {4, 1, 3}};
    struct series *series = series_new();
    for (uint64_t second = 0; second < 6; second++) {
        add_failures(series, second, seconds[second].failed, seconds[second].forgiven);
    }
    SCOPED(series_view_free) struct series_view *view = series_view_of(series);
    const struct series_row_view *row = row_of(view, SERIES_REQUESTS, "a");
    for (size_t second = 0; second < 6; second++) {
        assert_int_equal(value_at(view, row, COLUMN_FAILED, second), seconds[second].expected);
        assert_int_equal(value_at(view, row_of(view, SERIES_REQUESTS, NULL), COLUMN_FAILED, second),
                         seconds[second].expected);
    }
    series_free(&series);
}

static void timings_are_no_requests_and_long_names_are_cut(void **state)
{
    (void)state;
    struct series *series = series_new();
    char name[LIMIT_NAME_BYTES + 20];
    memset(name, 'n', sizeof name);
    struct request_statistics timing = {.name = bytes_of(name, sizeof name),
                                        .is_timing = true,
                                        .count = 3,
                                        .received_bytes = 4,
                                        .sent_bytes = 5,
                                        .latency_us = histogram_new()};
    series_add_statistics(series, 0, &(struct statistics){.requests = &timing, .request_count = 1});
    timing.name.size = LIMIT_NAME_BYTES;
    series_add_statistics(series, 0, &(struct statistics){.requests = &timing, .request_count = 1});
    SCOPED(series_view_free) struct series_view *view = series_view_of(series);
    name[LIMIT_NAME_BYTES] = '\0';
    const struct series_row_view *row = row_of(view, SERIES_TIMINGS, name);
    assert_int_equal(value_at(view, row, COLUMN_COUNT, 0), 6);
    assert_int_equal(value_at(view, row_of(view, SERIES_REQUESTS, NULL), COLUMN_COUNT, 0), 0);
    histogram_free(&timing.latency_us);
    series_free(&series);
}

/* Agents report any second in any order, some long after; here they are counted apart as well. */
#define PROPERTY_S 9000u
#define PROPERTY_NAMES 5u
static void points_add_up_to_the_totals(void **state)
{
    (void)state;
    struct series *series = series_new();
    static uint64_t by_second[PROPERTY_NAMES][PROPERTY_S];
    uint64_t failed = 0;
    struct random random;
    random_seed(&random, 11);
    for (uint64_t second = 0; second < PROPERTY_S; second++) {
        uint64_t reports = random_below(&random, 4);
        for (uint64_t i = 0; i < reports; i++) {
            bool is_late = random_below(&random, 400) == 0;
            uint64_t at = is_late ? random_below(&random, second + 1)
                                  : second - random_below(&random, second < 12 ? second + 1 : 12);
            uint64_t name = random_below(&random, PROPERTY_NAMES);
            uint64_t count = 1 + random_below(&random, 50);
            char text[2] = {(char)('a' + name), '\0'};
            add_requests(series, at, text, count, 1 + random_below(&random, 100000));
            by_second[name][at] += count;
            failed += count / 2;
        }
    }
    SCOPED(series_view_free) struct series_view *view = series_view_of(series);
    const struct series_row_view *total = row_of(view, SERIES_REQUESTS, NULL);
    assert_int_equal(view->point_s, 4);
    assert_int_equal(sum_of(view, total, COLUMN_FAILED), failed);
    for (size_t point = 0; point < view->points; point++) {
        uint64_t all = 0;
        for (uint64_t name = 0; name < PROPERTY_NAMES; name++) {
            char text[2] = {(char)('a' + name), '\0'};
            uint64_t expected = 0;
            for (uint64_t s = point * 4; s < point * 4 + 4 && s < PROPERTY_S; s++) {
                expected += by_second[name][s];
            }
            assert_int_equal(value_at(view, row_of(view, SERIES_REQUESTS, text), COLUMN_COUNT, point),
                             expected);
            all += expected;
        }
        assert_int_equal(value_at(view, total, COLUMN_COUNT, point), all);
    }
    series_free(&series);
}

/* After 3,600 points they are of two seconds, with the percentiles of both together. */
static void halves_are_merged_with_their_percentiles(void **state)
{
    (void)state;
    struct series *series = series_new();
    for (uint64_t second = 0; second < SERIES_POINTS + 16; second++) {
        bool is_even = second % 2 == 0;
        add_requests(series, second, "a", is_even ? 90 : 10, is_even ? 1000 : 50000);
        if (second == SERIES_POINTS + 14) {
            assert_int_equal(series_point_s(series), 1);
            assert_int_equal(series_points(series), SERIES_POINTS + 15);
        }
    }
    add_requests(series, SERIES_POINTS + 16, "a", 1, 1);
    SCOPED(series_view_free) struct series_view *view = series_view_of(series);
    const struct series_row_view *row = row_of(view, SERIES_REQUESTS, "a");
    assert_int_equal(view->point_s, 2);
    assert_int_equal(view->points, SERIES_POINTS / 2 + 9);
    for (size_t i = 0; i < view->points - 1; i++) {
        assert_int_equal(value_at(view, row, COLUMN_COUNT, i), 100);
        assert_in_range(value_at(view, row, COLUMN_P50, i), 985, 1000);
        assert_in_range(value_at(view, row, COLUMN_P95, i), 49219, 50000);
        assert_int_equal(value_at(view, row, COLUMN_MAX, i), 50000);
    }
    series_free(&series);
}

/* A day of 500 names: bounded, and nothing is lost. */
static void a_day_of_many_names_is_bounded(void **state)
{
    (void)state;
    struct series *series = series_new();
    enum { NAMES = 500, EVERY_S = 300 };
    static uint64_t counts[NAMES];
    struct random random;
    random_seed(&random, 5);
    size_t most = 0;
    for (uint64_t second = 0; second < DAY_S; second += EVERY_S) {
        for (unsigned i = 0; i < NAMES; i++) {
            char name[16];
            (void)snprintf(name, sizeof name, "name %u", i);
            uint64_t count = 1 + random_below(&random, 3);
            add_requests(series, second, name, count, (uint64_t)exp(random_unit(&random) * 7));
            counts[i] += count;
        }
        most = series_bytes(series) > most ? series_bytes(series) : most;
    }
    assert_true(most <= SERIES_MAX_BYTES);
    SCOPED(series_view_free) struct series_view *view = series_view_of(series);
    assert_int_equal(view->point_s, 32);
    assert_true(view->points <= SERIES_POINTS);
    for (unsigned i = 0; i < NAMES; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "name %u", i);
        assert_int_equal(sum_of(view, row_of(view, SERIES_REQUESTS, name), COLUMN_COUNT), counts[i]);
    }
    series_free(&series);
}

static void names_beyond_the_most_share_a_row(void **state)
{
    (void)state;
    struct series *series = series_new();
    for (unsigned i = 0; i < SERIES_NAMES + 100; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "name %u", i);
        add_requests(series, 1, name, 2, 10);
    }
    SCOPED(series_view_free) struct series_view *view = series_view_of(series);
    assert_int_equal(view->row_count, SERIES_NAMES + SERIES_GROUP_COUNT - 3); /* which have no total */
    assert_int_equal(sum_of(view, row_of(view, SERIES_REQUESTS, SERIES_OTHER), COLUMN_COUNT), 2 * 101);
    assert_int_equal(sum_of(view, row_of(view, SERIES_REQUESTS, NULL), COLUMN_COUNT),
                     2 * (SERIES_NAMES + 100));
    series_free(&series);
}

static void steps_waits_and_load_have_rows(void **state)
{
    (void)state;
    struct series *series = series_new();
    struct wait_statistics wait = {.name = bytes_of_string("pad"), .waited_us = histogram_new()};
    struct loop_gauges loops[] = {{.lag_p99_us = 30, .lag_max_us = 40}, {.lag_p99_us = 10, .lag_max_us = 90}};
    struct gauges gauges = {.cpu_us = 250000, .loops = loops, .loop_count = 2};
    struct websocket_statistics websocket = {.name = bytes_of_string("pad")};
    struct statistics from = {.steps_ok = 5,
                              .steps_failed = 2,
                              .steps_stopped = 1,
                              .arrivals = 7,
                              .dropped = 2,
                              .step_us = histogram_new(),
                              .late_us = histogram_new(),
                              .waits = &wait,
                              .wait_count = 1,
                              .websockets = &websocket,
                              .websocket_count = 1};
    websocket.handshake_us = from.step_us;
    websocket.counts[WEBSOCKET_COUNT_OPENED] = 4;
    websocket.counts[WEBSOCKET_COUNT_FAILED] = 1;
    websocket.counts[WEBSOCKET_COUNT_LOST] = 2;
    websocket.counts[WEBSOCKET_COUNT_DROPPED] = 3;
    websocket.counts[WEBSOCKET_COUNT_MESSAGES_IN] = 6;
    websocket.counts[WEBSOCKET_COUNT_MESSAGES_OUT] = 9;
    websocket.counts[WEBSOCKET_COUNT_BYTES_IN] = 600;
    websocket.counts[WEBSOCKET_COUNT_BYTES_OUT] = 900;
    histogram_add(from.late_us, 30, 7);
    wait.outcomes[OUTCOME_OK] = 7;
    wait.outcomes[OUTCOME_TIMEOUT] = 3;
    histogram_add(wait.waited_us, 20, 10);
    histogram_add(from.step_us, 60, 8);
    series_add_statistics(series, 1, &from);
    series_add_lost(series, 1, 4);
    series_add_workers(series, 1, 12);
    series_add_workers(series, 1, 9);
    series_add_gauges(series, 1, &gauges);
    series_add_gauges(series, 1, &gauges);
    series_add_seen(series, 1, 44);
    SCOPED(series_view_free) struct series_view *view = series_view_of(series);
    const struct {
        enum series_group group;
        uint64_t values[5]; /* four counters, or p50 after those that there are */
    } expected[] = {{SERIES_STEPS, {5, 2, 1, 4, 60}},      {SERIES_WAITS, {10, 3, 20, 20, 20}},
                    {SERIES_SEEN, {1, 44, 44, 44, 44}},    {SERIES_ARRIVALS, {7, 2, 30, 30, 30}},
                    {SERIES_WEBSOCKETS, {4, 1, 2, 3, 60}}, {SERIES_MESSAGES, {6, 9, 600, 900}},
                    {SERIES_LOAD, {12, 500000, 30, 90}}};
    assert_int_equal(series_recent(series, 3 * (uint64_t)NS_PER_S).messages, 15);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct series_row_view *row = row_of(view, expected[i].group, NULL);
        bool has_times = row->group != SERIES_MESSAGES && row->group != SERIES_LOAD;
        size_t columns = SERIES_GROUP_COLUMNS[row->group].counter_count + (has_times ? 4 : 0);
        assert_int_equal(series_column_count(row->group), columns);
        for (size_t column = 0; column < columns && column < 5; column++) {
            assert_int_equal(value_at(view, row, column, 1), expected[i].values[column]);
        }
    }
    assert_int_equal(value_at(view, row_of(view, SERIES_MESSAGES, "pad"), 1, 1), 9);
    assert_int_equal(value_at(view, row_of(view, SERIES_WEBSOCKETS, "pad"), 2, 1), 2);
    histogram_free(&wait.waited_us);
    histogram_free(&from.step_us);
    histogram_free(&from.late_us);
    series_free(&series);
}

/* Those of a tag come by another way: the campaign says which of its tags it is. */
static void waits_checks_groups_and_tags_have_rows_by_name(void **state)
{
    (void)state;
    struct series *series = series_new();
    struct histogram *us SCOPED(histogram_free) = histogram_new();
    histogram_add(us, 50, 6);
    struct wait_statistics waits[] = {
        {.name = bytes_of_string("pad"), .kind = OPERATION_WAIT_WRITER, .waited_us = us},
        {.name = bytes_of_string("pad"), .kind = OPERATION_BARRIER, .waited_us = us}};
    struct check_statistics checks[] = {{.name = bytes_of_string("a"), .passed = 3, .failed = 1},
                                        {.name = bytes_of_string("b"), .passed = 2}};
    struct slice_statistics slices[] = {
        {.kind = SLICE_GROUP, .name = bytes_of_string("pay"), .count = 6, .failed = 2, .us = us},
        {.kind = SLICE_GROUP,
         .name = bytes_of_string("pay"),
         .tag = bytes_of_string("tier=gold"),
         .count = 6,
         .us = us},
        {.kind = SLICE_REQUEST,
         .name = bytes_of_string("x"),
         .tag = bytes_of_string("tier=gold"),
         .count = 6}};
    struct statistics from = {.waits = waits,
                              .wait_count = 2,
                              .checks = checks,
                              .check_count = 2,
                              .slices = slices,
                              .slice_count = 3};
    waits[0].outcomes[OUTCOME_OK] = 6;
    waits[1].outcomes[OUTCOME_TIMEOUT] = 6;
    series_add_statistics(series, 1, &from);
    slices[2].failed = 3;
    series_add_tagged(series, 1, bytes_of_string("tier=(other)"), &slices[2]);
    slices[2].failed = 0;
    slices[2].forgiven = 2;
    series_add_tagged(series, 3, bytes_of_string("tier=(other)"), &slices[2]);
    SCOPED(series_view_free) struct series_view *view = series_view_of(series);
    const struct {
        enum series_group group;
        const char *name;
        uint64_t values[2]; /* of second 1 */
    } expected[] = {{SERIES_WAITS, NULL, {12, 6}},  {SERIES_WAITS, "pad.wait_for_writer", {6, 0}},
                    {SERIES_CHECKS, NULL, {5, 1}},  {SERIES_WAITS, "pad.barrier", {6, 6}},
                    {SERIES_CHECKS, "a", {3, 1}},   {SERIES_CHECKS, "b", {2, 0}},
                    {SERIES_GROUPS, "pay", {6, 2}}, {SERIES_TAGS, "tier=(other)", {6, 1}}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct series_row_view *row = row_of(view, expected[i].group, expected[i].name);
        assert_int_equal(value_at(view, row, 0, 1), expected[i].values[0]);
        assert_int_equal(value_at(view, row, 1, 1), expected[i].values[1]);
    }
    assert_int_equal(value_at(view, row_of(view, SERIES_GROUPS, "pay"), 2, 1), 50);
    assert_int_equal(series_column_count(SERIES_CHECKS), 2);
    series_free(&series);
}

static void a_scenario_has_its_steps_by_how_they_ended(void **state)
{
    (void)state;
    struct series *series = series_new();
    struct scenario_statistics scenario = {
        .name = bytes_of_string("browse"), .steps = {5, 3, 2}, .step_us = histogram_new()};
    struct statistics from = {.scenarios = &scenario, .scenario_count = 1, .step_us = histogram_new()};
    histogram_add(scenario.step_us, 60, 10);
    series_add_statistics(series, 4, &from);
    SCOPED(series_view_free) struct series_view *view = series_view_of(series);
    const struct series_row_view *row = row_of(view, SERIES_STEPS, "browse");
    for (size_t column = 0; column < 3; column++) {
        assert_int_equal(value_at(view, row, column, 4), scenario.steps[column]);
        assert_int_equal(sum_of(view, row, column), scenario.steps[column]);
    }
    histogram_free(&scenario.step_us);
    histogram_free(&from.step_us);
    series_free(&series);
}

/* Whether its second can still change, its point is still being filled, or has been packed. */
static void what_comes_late_is_counted_wherever_its_second_is(void **state)
{
    (void)state;
    const uint64_t seconds = 2 * SERIES_POINTS + 103;
    struct series *series = series_new();
    for (uint64_t second = 0; second < seconds; second++) {
        add_requests(series, second, "a", 1, 10);
    }
    for (uint64_t late = 1; late <= 60; late++) {
        add_requests(series, seconds - late, "a", 1, 10);
    }
    SCOPED(series_view_free) struct series_view *view = series_view_of(series);
    const struct series_row_view *row = row_of(view, SERIES_REQUESTS, "a");
    assert_int_equal(view->point_s, 4);
    assert_int_equal(sum_of(view, row, COLUMN_COUNT), seconds + 60);
    for (size_t point = (seconds - 60) / 4 + 1; point < seconds / 4; point++) {
        assert_int_equal(value_at(view, row, COLUMN_COUNT, point), 8);
    }
    series_free(&series);
}

static void recent_numbers_are_of_ten_whole_seconds(void **state)
{
    (void)state;
    struct series *series = series_new();
    struct series_recent recent = series_recent(series, 0);
    assert_int_equal(recent.seconds, 0);
    for (uint64_t second = 0; second < 40; second++) {
        add_requests(series, second, "a", 10 + second, 1000 * (second + 1));
    }
    recent = series_recent(series, 39 * (uint64_t)NS_PER_S + 999);
    assert_int_equal(recent.seconds, 10);
    assert_int_equal(recent.requests, 10 * 10 + (28 + 37) * 5);
    assert_in_range(recent.p99_us, 37400, 38000);
    recent = series_recent(series, 41 * (uint64_t)NS_PER_S);
    assert_int_equal(recent.requests, 10 * 10 + (30 + 39) * 5);
    /* A target that stands still is seen to stand still. */
    recent = series_recent(series, 60 * (uint64_t)NS_PER_S);
    assert_int_equal(recent.seconds, 10);
    assert_int_equal(recent.requests, 0);
    assert_int_equal(recent.p95_us, 0);
    series_free(&series);
}

static void the_first_seconds_are_as_many_as_there_are(void **state)
{
    (void)state;
    struct series *series = series_new();
    add_requests(series, 0, "a", 8, 1000);
    add_requests(series, 1, "a", 6, 1000);
    assert_int_equal(series_recent(series, NS_PER_S).seconds, 1);
    assert_int_equal(series_recent(series, NS_PER_S).requests, 8);
    assert_int_equal(series_recent(series, 3 * (uint64_t)NS_PER_S).seconds, 2);
    assert_int_equal(series_recent(series, 3 * (uint64_t)NS_PER_S).requests, 14);
    assert_int_equal(series_recent(series, 3 * (uint64_t)NS_PER_S).failed, 7);
    series_free(&series);
}

static void assert_same_views(const struct series_view *left, const struct series_view *right)
{
    assert_int_equal(left->points, right->points);
    assert_int_equal(left->point_s, right->point_s);
    assert_int_equal(left->row_count, right->row_count);
    for (size_t i = 0; i < left->row_count; i++) {
        size_t columns = series_column_count(left->rows[i].group);
        assert_true(bytes_equal(left->rows[i].name.bytes, right->rows[i].name.bytes));
        assert_memory_equal(left->rows[i].values, right->rows[i].values,
                            columns * left->points * sizeof(uint64_t));
    }
}

static struct series *fill_for_packing(void)
{
    struct series *series = series_new();
    for (uint64_t second = 0; second < SERIES_POINTS + 100; second += 3) {
        add_requests(series, second, second % 2 == 0 ? "even" : "odd", second % 7, 10 * second);
        series_add_workers(series, second, (uint32_t)second);
    }
    add_requests(series, 17, "even", 1000, 123456); /* late: its point is packed already */
    return series;
}

static void is_the_same_after_a_restart(void **state)
{
    (void)state;
    struct series *series = fill_for_packing();
    struct buffer bytes;
    buffer_init(&bytes, 10 * 1024 * 1024);
    series_pack(series, &bytes);
    struct unpack from = unpack_of(buffer_bytes(&bytes));
    struct series *back = series_unpack(&from);
    assert_non_null(back);
    assert_true(unpack_is_done(&from));
    assert_int_equal(series_bytes(back), series_bytes(series));
    for (int round = 0; round < 2; round++) {
        SCOPED(series_view_free) struct series_view *left = series_view_of(series);
        SCOPED(series_view_free) struct series_view *right = series_view_of(back);
        assert_same_views(left, right);
        add_requests(series, 8000, "later", 5, 77);
        add_requests(back, 8000, "later", 5, 77);
    }
    series_free(&series);
    series_free(&back);
    buffer_finish(&bytes);
}

static void broken_bytes_are_refused(void **state)
{
    (void)state;
    struct series *series = fill_for_packing();
    struct buffer bytes;
    buffer_init(&bytes, 10 * 1024 * 1024);
    series_pack(series, &bytes);
    for (size_t size = 0; size < bytes.size; size += 1 + size / 8) {
        struct unpack from = unpack_of(bytes_of(bytes.data, size));
        assert_null(series_unpack(&from));
        assert_true(from.is_broken);
    }
    struct random random;
    random_seed(&random, 3);
    for (int i = 0; i < 300; i++) {
        size_t at = random_below(&random, bytes.size);
        uint8_t was = bytes.data[at];
        bytes.data[at] = (uint8_t)random_next(&random);
        struct unpack from = unpack_of(buffer_bytes(&bytes));
        struct series *back = series_unpack(&from);
        assert_true(back != NULL || from.is_broken);
        series_free(&back);
        bytes.data[at] = was;
    }
    series_free(&series);
    buffer_finish(&bytes);
}

static void none_is_an_empty_one(void **state)
{
    (void)state;
    SCOPED(series_view_free) struct series_view *view = series_view_of(NULL);
    assert_int_equal(view->points, 0);
    assert_int_equal(view->row_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_has_the_sum_of_all_agents),
        cmocka_unit_test(forgiven_failures_leave_the_second_that_has_them),
        cmocka_unit_test(timings_are_no_requests_and_long_names_are_cut),
        cmocka_unit_test(points_add_up_to_the_totals),
        cmocka_unit_test(halves_are_merged_with_their_percentiles),
        cmocka_unit_test(a_day_of_many_names_is_bounded),
        cmocka_unit_test(names_beyond_the_most_share_a_row),
        cmocka_unit_test(steps_waits_and_load_have_rows),
        cmocka_unit_test(waits_checks_groups_and_tags_have_rows_by_name),
        cmocka_unit_test(a_scenario_has_its_steps_by_how_they_ended),
        cmocka_unit_test(what_comes_late_is_counted_wherever_its_second_is),
        cmocka_unit_test(recent_numbers_are_of_ten_whole_seconds),
        cmocka_unit_test(the_first_seconds_are_as_many_as_there_are),
        cmocka_unit_test(is_the_same_after_a_restart),
        cmocka_unit_test(broken_bytes_are_refused),
        cmocka_unit_test(none_is_an_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
