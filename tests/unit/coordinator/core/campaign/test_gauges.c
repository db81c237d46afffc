/* What agents report about themselves, in the overview and in the report; and how far ahead instants are
 * announced. */
#include "tests/unit/coordinator/core/stand.h"

#include "common/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void tell(struct stand *stand, struct played *agent, uint64_t lag_us, uint64_t busy_us)
{
    struct loop_gauges loop = {.lag_p99_us = lag_us, .lag_max_us = lag_us, .busy_us = busy_us};
    struct histogram *histogram = histogram_new();
    histogram_add(histogram, lag_us, 1000);
    struct message message = {.kind = MESSAGE_GAUGES,
                              .gauges = {.interval_us = 1000000,
                                         .cpu_us = 250000,
                                         .host_cpu_us = 700000,
                                         .memory_bytes = 4096,
                                         .has_clock = true,
                                         .clock_offset_ns = -3000000000,
                                         .clock_uncertainty_ns = 50000,
                                         .loops = &loop,
                                         .loop_count = 1,
                                         .lag_us = histogram}};
    stand_send(stand, agent, &message);
    histogram_free(&histogram);
}

static void the_overview_has_what_was_told_last(void **state)
{
    struct stand *stand = (struct stand *)*state;
    stand->is_original = true;
    struct played *agent = stand_agent(stand, "a1");
    assert_null(coordinator_overview(stand->coordinator)->agents[0].gauges);
    tell(stand, agent, 7000, 1);
    tell(stand, agent, 9000, 2);
    const struct gauges *gauges = coordinator_overview(stand->coordinator)->agents[0].gauges;
    assert_non_null(gauges);
    assert_int_equal(gauges->memory_bytes, 4096);
    assert_int_equal(gauges->loop_count, 1);
    assert_int_equal(gauges->loops[0].lag_max_us, 9000);
    stand_gone(stand, "a1");
    assert_null(coordinator_overview(stand->coordinator)->agents[0].gauges);
}

static void a_report_counts_what_was_measured_while_its_workers_ran(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    tell(stand, &stand->agents[0], 900000, 1000000); /* before they began */
    assert_false(stand_report(stand)->agents[0].is_measured);
    assert_true(stand_report(stand)->agents[0].has_clock);
    stand_pass_ms(stand, 200);
    tell(stand, &stand->agents[0], 5000, 1);
    tell(stand, &stand->agents[0], 6000, 1);
    stand_finished(stand, &stand->agents[0]);
    tell(stand, &stand->agents[0], 800000, 1); /* after they had ended */
    stand_finished(stand, &stand->agents[1]);
    const struct campaign_report *report = stand_report(stand);
    assert_int_equal(report->state, CAMPAIGN_ENDED);
    const struct agent_report *agent = &report->agents[0];
    assert_true(agent->is_measured);
    assert_true(agent->cpu > 0.24 && agent->cpu < 0.26);
    assert_int_equal(agent->memory_bytes, 4096);
    assert_int_equal(agent->lag_maximum_us, 6000);
    assert_in_range(agent->lag_p99_us, 5990, 6000);
    assert_true(bytes_equal_string(agent->host, "host"));
    assert_int_equal(agent->workers, 2);
    assert_int_equal(agent->clock_offset_ns, -3000000000);
    assert_int_equal(agent->clock_uncertainty_ns, 50000);
    assert_int_equal(report->bottleneck_count, 0);
    assert_false(report->agents[1].is_measured);
    assert_false(report->agents[1].has_clock);
}

static void who_takes_no_part_is_not_in_the_report(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    stand_run(stand, &options, 2);
    stand_pass_ms(stand, 200);
    tell(stand, stand_agent(stand, "a3"), 5000, 1);
    stand_finished(stand, &stand->agents[0]);
    stand_finished(stand, &stand->agents[1]);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_ENDED);
    tell(stand, &stand->agents[0], 5000, 1); /* it has no campaign any more */
    assert_int_equal(stand_report(stand)->agent_count, 2);
    assert_false(stand_report(stand)->agents[0].is_measured);
    assert_false(stand_report(stand)->agents[0].has_clock);
}

static void a_bottleneck_is_named(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    for (int i = 0; i < 10; i++) {
        stand_pass_ms(stand, 1000);
        tell(stand, &stand->agents[0], 3000, 300000);
        tell(stand, &stand->agents[1], 210000, 990000);
    }
    stand_finished(stand, &stand->agents[0]);
    stand_finished(stand, &stand->agents[1]);
    const struct campaign_report *report = stand_report(stand);
    assert_int_equal(report->state, CAMPAIGN_ENDED);
    assert_int_equal(report->bottleneck_count, 1);
    const struct bottleneck_report *bottleneck = &report->bottlenecks[0];
    assert_true(bytes_equal_string(bottleneck->agent, "a2"));
    assert_int_equal(bottleneck->strained_us, 10000000);
    assert_int_equal(bottleneck->lag_maximum_us, 210000);
    assert_true(bottleneck->busy > 0.98 && bottleneck->busy < 1);
    assert_int_equal(bottleneck->lag_p99_us, 210000);
    assert_true(bottleneck->host_cpu == 0.35); /* of two cores */
}

/* A frame of the agent that answers one of 4 s ago, after this long in transit. */
static void answer(struct stand *stand, struct played *agent, uint64_t round_trip_ms)
{
    struct envelope envelope = {.incarnation = agent->incarnation,
                                .epoch = STAND_EPOCH,
                                .sent_ns = stand->now_ns,
                                .echoed_sent_ns = stand->now_ns - 4000000000,
                                .echo_delay_ns = 4000000000 - round_trip_ms * 1000000};
    stand_frame(stand, &envelope, bytes_of(NULL, 0));
}

static void echo(struct stand *stand, struct played *agent, uint64_t round_trip_ms)
{
    agent->is_silent = true;
    stand_pass_ms(stand, 6000);
    agent->is_silent = false;
    answer(stand, agent, round_trip_ms);
}

static uint64_t lead_ms(struct stand *stand)
{
    return (stand_report(stand)->begun_ns - stand->now_ns) / 1000000;
}

static void the_start_is_told_far_enough_ahead(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    (void)stand_agent(stand, "a1");
    echo(stand, stand_agent(stand, "a2"), 150);
    stand_create(stand, &options, 2);
    assert_int_equal(lead_ms(stand), 600);
}

static void nobody_waits_long_for_one_that_hardly_answers(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(1);
    echo(stand, stand_agent(stand, "a1"), 510);
    stand_create(stand, &options, 1);
    assert_int_equal(lead_ms(stand), 2000);
}

static void expect_barrier(struct stand *stand, uint64_t step, uint64_t ahead_ms)
{
    char expected[100];
    struct operation barrier = {.kind = OPERATION_BARRIER,
                                .room = 0,
                                .name = bytes_of_string("b"),
                                .step = step,
                                .count = 1,
                                .is_at_once = true};
    stand_forget_story(stand);
    stand_operation(stand, &stand->agents[0], barrier, (uint32_t[]){0}, 1);
    uint64_t at_ms = stand->now_ns / 1000000 + ahead_ms;
    (void)snprintf(expected, sizeof expected, "a1: replies barrier ok to worker 0 from rank 1 at %llu ms\n",
                   (unsigned long long)at_ms);
    assert_non_null(strstr(buffer_string(&stand->story), expected));
}

/* It is checked once a second, from what agents report about themselves. */
static void a_network_that_has_become_slow_is_noticed(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(2);
    stand_run(stand, &options, 2);
    stand_pass_ms(stand, 200);
    expect_barrier(stand, 1, 100);
    echo(stand, &stand->agents[1], 150);
    tell(stand, &stand->agents[0], 1, 1);
    expect_barrier(stand, 2, 600);
    stand->now_ns += 100000000;
    answer(stand, &stand->agents[1], 200);
    tell(stand, &stand->agents[0], 1, 1);
    expect_barrier(stand, 3, 600);
    stand_pass_ms(stand, 1000);
    tell(stand, &stand->agents[0], 1, 1);
    expect_barrier(stand, 4, 800);
}

static void a_near_agent_waits_for_the_usual_time(void **state)
{
    struct stand *stand = stand_running(state, 1, 1);
    assert_int_equal(lead_ms(stand), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(the_overview_has_what_was_told_last),
        STORY(a_report_counts_what_was_measured_while_its_workers_ran),
        STORY(who_takes_no_part_is_not_in_the_report),
        STORY(a_bottleneck_is_named),
        STORY(the_start_is_told_far_enough_ahead),
        STORY(nobody_waits_long_for_one_that_hardly_answers),
        STORY(a_network_that_has_become_slow_is_noticed),
        STORY(a_near_agent_waits_for_the_usual_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
