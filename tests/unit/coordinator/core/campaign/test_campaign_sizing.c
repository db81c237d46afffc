/* A campaign that looks for how many workers the target takes: when it measures, what is too many, how it
 * ends. The stand copies the coordinator by its bytes all the time, as a restart does. */
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define WINDOW_MS 5000u

static struct stand *sizing(void **state, uint32_t most, double tolerance, uint64_t latency_ms,
                            uint32_t room_size)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(most);
    options.is_sizing = true;
    options.runs = 0;
    options.room_size = room_size;
    options.sizing_tolerance = tolerance;
    options.sizing_latency_ms = latency_ms;
    options.sizing_window_ms = WINDOW_MS;
    campaign_options_settle(&options, false, false);
    assert_true(campaign_options_check(&options, NULL));
    stand_run(stand, &options, 2);
    return stand;
}

static uint32_t workers_of(struct stand *stand)
{
    return stand_report(stand)->options->workers;
}

/* What both agents have counted in a second. */
static void count(struct stand *stand, uint64_t ok, uint64_t failed, uint64_t latency_us)
{
    struct histogram *us SCOPED(histogram_free) = histogram_new();
    histogram_add(us, latency_us, ok + failed);
    struct request_statistics request = {
        .name = bytes_of_string("GET /"), .count = ok + failed, .latency_us = us};
    struct message message = {.kind = MESSAGE_STATISTICS,
                              .campaign = 1,
                              .statistics = {.steps_ok = ok,
                                             .steps_failed = failed,
                                             .workers_running = 1,
                                             .requests = &request,
                                             .request_count = 1}};
    uint32_t before = workers_of(stand);
    stand_send(stand, &stand->agents[0], &message);
    stand_pass_ms(stand, 1000);
    for (uint32_t worker = workers_of(stand); worker < before; worker++) {
        struct operation ended = {.kind = OPERATION_ENDED, .step = 1};
        stand_operation(stand, &stand->agents[worker % 2], ended, &worker, 1);
    }
}

/* A target of which each worker makes 100 steps a second, and those above its limit fail. */
static uint32_t play(struct stand *stand, uint32_t limit, uint32_t seconds)
{
    uint32_t most = 0;
    for (uint32_t second = 0; second < seconds && stand_report(stand)->state == CAMPAIGN_RUNNING; second++) {
        uint32_t workers = workers_of(stand);
        uint32_t good = workers < limit ? workers : limit;
        most = workers > most ? workers : most;
        count(stand, 100u * good, 100u * (workers - good), 1000);
    }
    return most;
}

static void it_comes_nearer_from_both_sides(void **state)
{
    struct stand *stand = sizing(state, 1000, 5, 0, 0);
    assert_int_equal(workers_of(stand), 1);
    assert_in_range(play(stand, 100, 400), 128, 200);
    const struct campaign_report *report = stand_report(stand);
    assert_int_equal(report->state, CAMPAIGN_ENDED);
    assert_string_equal(report->sizing.state, "found");
    assert_in_range(report->sizing.workers, 98, 105);
    assert_in_range(report->sizing.too_many, 106, 111);
    assert_true(report->sizing.failed_percent > 5 && report->sizing.failed_percent < 10);
    stand_expect_verdict(stand, VERDICT_PASSED, "");
}

static void each_number_is_measured_for_a_window(void **state)
{
    struct stand *stand = sizing(state, 1000, 5, 0, 0);
    (void)play(stand, 100, WINDOW_MS / 1000 + 1);
    assert_int_equal(workers_of(stand), 1);
    (void)play(stand, 100, 2);
    assert_int_equal(workers_of(stand), 2);
    (void)play(stand, 100, WINDOW_MS / 1000);
    assert_int_equal(workers_of(stand), 2);
    (void)play(stand, 100, 3);
    assert_int_equal(workers_of(stand), 4);
    assert_string_equal(stand_report(stand)->sizing.state, "searching");
    assert_int_equal(stand_report(stand)->sizing.workers, 2);
}

static void few_steps_are_measured_for_longer(void **state)
{
    struct stand *stand = sizing(state, 1000, 5, 0, 0);
    for (int second = 0; second < 30; second++) {
        count(stand, 2, 0, 1000);
        assert_int_equal(workers_of(stand), 1);
    }
    for (int second = 0; second < 4; second++) {
        count(stand, 2, 0, 1000);
    }
    assert_int_equal(workers_of(stand), 2);
}

static void slow_requests_are_too_many_workers_as_well(void **state)
{
    struct stand *stand = sizing(state, 64, 5, 200, 0);
    for (int second = 0; second < 200 && stand_report(stand)->state == CAMPAIGN_RUNNING; second++) {
        count(stand, 100, 0, workers_of(stand) > 10 ? 300000 : 100000);
    }
    const struct campaign_report *report = stand_report(stand);
    assert_string_equal(report->sizing.state, "found");
    assert_int_equal(report->sizing.workers, 10);
    assert_int_equal(report->sizing.too_many, 11);
    assert_true(report->sizing.failed_percent == 0 && report->sizing.latency_us > 250000);
}

static void a_target_may_take_all_or_none(void **state)
{
    struct stand *stand = sizing(state, 6, 5, 0, 2);
    assert_int_equal(workers_of(stand), 2);
    (void)play(stand, 100, 100);
    assert_string_equal(stand_report(stand)->sizing.state, "all");
    assert_int_equal(stand_report(stand)->sizing.workers, 6);
    assert_int_equal(stand_report(stand)->sizing.too_many, 0);
    stand_expect_verdict(stand, VERDICT_PASSED, "");
}

static void not_even_one(void **state)
{
    struct stand *stand = sizing(state, 6, 0, 0, 0);
    (void)play(stand, 0, 100);
    assert_string_equal(stand_report(stand)->sizing.state, "none");
    assert_int_equal(stand_report(stand)->sizing.workers, 0);
    assert_int_equal(stand_report(stand)->sizing.too_many, 1);
    stand_expect_verdict(stand, VERDICT_FAILED, "sizing: 1 worker is too many");
}

static void a_target_that_stands_still_has_too_many(void **state)
{
    struct stand *stand = sizing(state, 6, 5, 0, 0);
    stand_pass_ms(stand, WINDOW_MS * 6 + 4000);
    assert_string_equal(stand_report(stand)->sizing.state, "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(it_comes_nearer_from_both_sides),         STORY(each_number_is_measured_for_a_window),
        STORY(few_steps_are_measured_for_longer),       STORY(slow_requests_are_too_many_workers_as_well),
        STORY(a_target_may_take_all_or_none),           STORY(not_even_one),
        STORY(a_target_that_stands_still_has_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
