/* How late a loop is: on a loop that does not run, so that it never waits, with made-up times. */
#include "agent/shard/loop_lag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)
#define START_NS (1000 * MS)

struct bench {
    uv_loop_t loop;
    struct loop_lag lag;
    uint64_t now_ns;
};

static int set_up(void **state)
{
    static struct bench bench;
    bench = (struct bench){.now_ns = START_NS};
    assert_int_equal(uv_loop_init(&bench.loop), 0);
    loop_lag_init(&bench.lag, &bench.loop, bench.now_ns);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    loop_lag_finish(&bench->lag);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
    return 0;
}

static void turn(struct bench *bench, uint64_t ms)
{
    bench->now_ns += ms * MS;
    loop_lag_end_turn(&bench->lag, bench->now_ns);
}

static void expect(struct bench *bench, uint64_t p99_us, uint64_t max_us)
{
    struct loop_gauges gauges;
    struct histogram *histogram = loop_lag_take(&bench->lag, bench->now_ns, &gauges);
    assert_in_range(gauges.lag_p99_us, p99_us - p99_us / 500, p99_us + p99_us / 500);
    assert_int_equal(gauges.lag_max_us, max_us);
    histogram_free(&histogram);
}

/* Of 1,000 ms two long turns took 90: an event at a random moment meets them nine times in a hundred. */
static void a_turn_counts_for_as_long_as_it_was(void **state)
{
    struct bench *bench = *state;
    for (int i = 0; i < 910; i++) {
        turn(bench, 1);
    }
    turn(bench, 30);
    turn(bench, 60);
    expect(bench, 60000, 60000);
}

static void rare_long_turns_are_the_maximum_only(void **state)
{
    struct bench *bench = *state;
    for (int i = 0; i < 995; i++) {
        turn(bench, 1);
    }
    turn(bench, 5);
    expect(bench, 1000, 5000);
    expect(bench, 0, 0);
}

static void workers_that_were_ready_count_from_then_on(void **state)
{
    struct bench *bench = *state;
    loop_lag_queued(&bench->lag, bench->now_ns - 40 * MS, bench->now_ns);
    loop_lag_queued(&bench->lag, bench->now_ns - 10 * MS, bench->now_ns);
    turn(bench, 2);
    expect(bench, 40000, 40000);
}

static void a_timer_is_late_from_when_the_loop_went_to_wait(void **state)
{
    struct bench *bench = *state;
    turn(bench, 50);
    loop_lag_woken(&bench->lag, START_NS, bench->now_ns + 8 * MS); /* was due in the turn before */
    turn(bench, 1);
    expect(bench, 50000, 50000);
    loop_lag_woken(&bench->lag, bench->now_ns + 5 * MS, bench->now_ns + 14 * MS);
    turn(bench, 1);
    expect(bench, 8000, 8000);
    loop_lag_woken(&bench->lag, bench->now_ns + 5 * MS,
                   bench->now_ns + 5 * MS + MS / 2); /* libuv's own rounding */
    turn(bench, 1);
    expect(bench, 1000, 1000);
}

static void what_the_loop_did_not_wait_for_is_busy(void **state)
{
    struct bench *bench = *state;
    struct loop_gauges gauges;
    turn(bench, 70);
    struct histogram *histogram = loop_lag_take(&bench->lag, bench->now_ns + 30 * MS, &gauges);
    assert_int_equal(gauges.busy_us, 100000); /* this loop never waits */
    assert_int_equal(histogram_count(histogram), 100000);
    histogram_free(&histogram);
}

static struct loop_gauges take(struct bench *bench, uint64_t weight_us)
{
    struct loop_gauges gauges;
    struct histogram *histogram = loop_lag_take(&bench->lag, bench->now_ns, &gauges);
    assert_int_equal(histogram_count(histogram), weight_us);
    histogram_free(&histogram);
    return gauges;
}

static void each_report_begins_anew(void **state)
{
    struct bench *bench = *state;
    for (int i = 0; i < 3; i++) {
        turn(bench, 70);
        bench->now_ns += 30 * MS;
        struct loop_gauges gauges = take(bench, 100000);
        assert_int_equal(gauges.lag_max_us, 70000);
        assert_int_equal(gauges.busy_us, 100000);
        loop_lag_end_turn(&bench->lag, bench->now_ns); /* the earlier part was another one's */
        (void)take(bench, 30000);
    }
}

static void what_was_queued_is_told_once(void **state)
{
    struct bench *bench = *state;
    loop_lag_queued(&bench->lag, bench->now_ns - 40 * MS, bench->now_ns);
    turn(bench, 2);
    expect(bench, 40000, 40000);
    turn(bench, 2);
    expect(bench, 2000, 2000);
}

/* A loop that overslept was away for that long: it counts like a turn of that length. */
static void oversleeping_counts_for_as_long_as_it_was(void **state)
{
    struct bench *bench = *state;
    loop_lag_woken(&bench->lag, bench->now_ns, bench->now_ns + 9 * MS);
    turn(bench, 1);
    (void)take(bench, 8000);
}

static void on_timer(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

static void waiting_is_no_turn(void **state)
{
    struct bench *bench = *state;
    uv_timer_t timer;
    assert_int_equal(uv_timer_init(&bench->loop, &timer), 0);
    assert_int_equal(uv_timer_start(&timer, on_timer, 20, 0), 0);
    (void)uv_run(&bench->loop, UV_RUN_DEFAULT);
    uint64_t waited_ns = uv_metrics_idle_time(&bench->loop);
    assert_true(waited_ns > 10 * MS);
    bench->now_ns += waited_ns;
    turn(bench, 3);
    turn(bench, 5); /* without waiting */
    struct loop_gauges gauges = take(bench, waited_ns / 1000 + 8000);
    assert_int_equal(gauges.lag_max_us, 5000);
    assert_in_range(gauges.busy_us, 7999, 8001);
    turn(bench, 2);
    gauges = take(bench, 2000);
    assert_int_equal(gauges.busy_us, 2000);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_turn_counts_for_as_long_as_it_was),
        STORY(rare_long_turns_are_the_maximum_only),
        STORY(workers_that_were_ready_count_from_then_on),
        STORY(a_timer_is_late_from_when_the_loop_went_to_wait),
        STORY(what_the_loop_did_not_wait_for_is_busy),
        STORY(each_report_begins_anew),
        STORY(what_was_queued_is_told_once),
        STORY(oversleeping_counts_for_as_long_as_it_was),
        STORY(waiting_is_no_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
