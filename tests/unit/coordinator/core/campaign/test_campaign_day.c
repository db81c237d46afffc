/* A campaign of a whole day, with 500 names of requests: its memory is bounded, and its numbers still add up.
 */
#include "tests/unit/coordinator/core/stand.h"

#include "common/histogram.h"
#include "coordinator/core/coordinator_pack.h"
#include "coordinator/core/series/series_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY_NAMES 500u
#define DAY_AT_ONCE 50u /* names in a report */
#define DAY_EVERY_MS 180000u
#define DAY_REPORTS 480u
#define DAY_REQUESTS 20u /* of each of those names */
#define DAY_MOST_BYTES ((size_t)128 * 1024 * 1024)

/* Latencies differ within each report by a factor of 20, and from name to name. */
static void day_report(struct stand *stand, uint32_t number)
{
    struct request_statistics requests[DAY_AT_ONCE] = {{.is_timing = false}};
    char names[DAY_AT_ONCE][16];
    struct message message = {
        .kind = MESSAGE_STATISTICS,
        .campaign = 1,
        .statistics = {
            .steps_ok = 1, .workers_running = 1, .requests = requests, .request_count = DAY_AT_ONCE}};
    for (uint32_t i = 0; i < DAY_AT_ONCE; i++) {
        uint32_t name = (number * DAY_AT_ONCE + i) % DAY_NAMES;
        (void)snprintf(names[i], sizeof names[i], "name %u", name);
        requests[i] = (struct request_statistics){
            .name = bytes_of_string(names[i]), .count = DAY_REQUESTS, .latency_us = histogram_new()};
        for (uint32_t j = 0; j < DAY_REQUESTS; j++) {
            histogram_add(requests[i].latency_us, 1000 + name * 10 + j * 1000, 1);
        }
    }
    stand_send(stand, &stand->agents[0], &message);
    for (uint32_t i = 0; i < DAY_AT_ONCE; i++) {
        histogram_free(&requests[i].latency_us);
    }
}

static size_t day_packed_bytes(struct stand *stand)
{
    struct buffer packed SCOPED(buffer_finish);
    buffer_init(&packed, 2 * DAY_MOST_BYTES);
    coordinator_pack(stand->coordinator, &packed);
    return packed.size;
}

static void a_day_with_many_names_is_bounded(void **state)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(1);
    options.duration_ms = 25u * 3600 * 1000;
    stand->is_original = true;
    stand_run(stand, &options, 1);
    for (uint32_t i = 0; i < DAY_REPORTS; i++) {
        stand_pass_ms(stand, DAY_EVERY_MS);
        day_report(stand, i);
        stand_forget_story(stand);
    }
    assert_in_range(day_packed_bytes(stand), 1, DAY_MOST_BYTES);
    assert_in_range(series_bytes(coordinator_series(stand->coordinator, 1)), 1, SERIES_MAX_BYTES);
    SCOPED(series_view_free)
    struct series_view *view = series_view_of(coordinator_series(stand->coordinator, 1));
    assert_int_equal(view->point_s, 32);
    assert_in_range(view->points, 2699, 2701);
    uint64_t named = 0;
    uint64_t all = 0;
    for (size_t i = 0; i < view->row_count; i++) {
        const struct series_row_view *row = &view->rows[i];
        for (size_t j = 0; row->group == SERIES_REQUESTS && j < view->points; j++) {
            *(row->is_total ? &all : &named) += row->values[j];
        }
    }
    assert_int_equal(all, (uint64_t)DAY_REPORTS * DAY_AT_ONCE * DAY_REQUESTS);
    assert_int_equal(named, all);
    assert_int_equal(stand_report(stand)->requests_total, all);
    assert_int_equal(stand_report(stand)->request_count, DAY_NAMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {STORY(a_day_with_many_names_is_bounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
