/* What a shard measures of a script that takes a known time: no shorter, not much longer, and in
 * microseconds. */
#include "tests/unit/agent/shard/test_shell_support.h"

#include "common/clock.h"
#include "common/histogram.h"
#include "tests/unit/agent/http/rude_server.h"

#include <stdio.h>
#include <string.h>

#define BEGIN "local tutti = require 'tutti' local http = require 'tutti.http'\n"
/* What a loaded machine may add: less than a thousand times of anything here. */
#define SLACK_US 5000000u

static void expect_times(const struct histogram *histogram, uint64_t count, uint64_t least_us)
{
    assert_int_equal(histogram_count(histogram), count);
    assert_in_range(histogram_quantile(histogram, 0), least_us, least_us + SLACK_US);
    assert_in_range(histogram_maximum(histogram), least_us, least_us + SLACK_US);
}

static void a_step_lasts_as_long_as_it_sleeps(void **state)
{
    struct shell *shell = *state;
    shell->options.runs = 2;
    shell_play(shell, BEGIN "tutti.scenario('s', function(w)\n"
                            "  local before = tutti.now()\n"
                            "  tutti.sleep(0.06)\n"
                            "  local slept = tutti.now() - before\n"
                            "  assert(slept >= 0.06 and slept < 5, slept)\n"
                            "end)\n");
    assert_string_equal(shell_errors(shell), "");
    assert_int_equal(shell->totals.steps_ok, 4);
    expect_times(shell->step_us, 4, 60000);
}

static void failed_steps_have_a_time_as_well(void **state)
{
    struct shell *shell = *state;
    shell_play(shell, BEGIN "tutti.scenario('s', function(w) tutti.sleep(0.06) error('bad round') end)\n");
    assert_int_equal(shell->totals.steps_failed, 2);
    expect_times(shell->step_us, 2, 60000);
}

static void a_timing_is_the_time_of_its_function(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 1;
    shell_play(shell,
               BEGIN "tutti.scenario('s', function(w)\n"
                     "  local a, b = tutti.time('nap', function(x) tutti.sleep(0.06) return x, 7 end, 5)\n"
                     "  assert(a == 5 and b == 7)\n"
                     "  pcall(tutti.time, 'bad nap', function() tutti.sleep(0.06) error('no') end)\n"
                     "end)\n");
    assert_string_equal(shell_errors(shell), "");
    assert_int_equal(shell->requests, 2);
    assert_int_equal(shell->failed_requests, 1);
    expect_times(shell->timing_us, 2, 60000);
    assert_int_equal(histogram_count(shell->request_us), 0);
}

/* The test answers after a known time. */
static void a_wait_lasts_until_its_answer(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 1;
    shell_start(shell, BEGIN "tutti.scenario('s', function(w)\n"
                             "  local ok, e = pcall(function() w:notifier('pad'):wait_for_writer(9) end)\n"
                             "  assert(not ok and e.outcome == 'timeout', e)\n"
                             "  assert(e.waited >= 0.06 and e.waited < 5, e.waited)\n"
                             "end)\n");
    shell_await_call(shell);
    uint64_t until_ns = clock_now_ns() + 60 * NS_PER_MS;
    while (clock_now_ns() < until_ns) {
        uv_run(&shell->loop, UV_RUN_NOWAIT);
    }
    shell_reply(shell, (struct reply){.outcome = OUTCOME_TIMEOUT, .text = bytes_of_string("nobody came")});
    shell_finish(shell);
    assert_string_equal(shell_errors(shell), "");
    assert_int_equal(shell->outcomes[OUTCOME_TIMEOUT], 1);
    expect_times(shell->waited_us, 1, 60000);
}

/* Two that the server answers together, and one that it refuses. */
static void requests_are_counted_with_their_bytes(void **state)
{
    struct shell *shell = *state;
    struct rude_server *server = rude_server_new(&shell->loop);
    char target[64];
    (void)snprintf(target, sizeof target, "http://127.0.0.1:%d", rude_server_port(server));
    shell->options.target = bytes_of_string(target);
    shell_play(shell, BEGIN "tutti.scenario('s', function(w)\n"
                            "  if w.id == 0 then tutti.sleep(0.06) end\n"
                            "  local r = http.get('/meet/2')\n"
                            "  assert(r.status == 200)\n"
                            "  local t, sum = r.timings, 0\n"
                            "  for _, phase in pairs(t.phases) do sum = sum + phase end\n"
                            "  assert(t.total > 0 and t.total < 5 and math.abs(sum - t.total) < 0.001, sum)\n"
                            "  assert(t.first_byte > 0 and t.first_byte <= t.total)\n"
                            "  if w.id == 1 then http.post('/status/404', 'twelve bytes') end\n"
                            "end)\n");
    rude_server_close(&server);
    assert_string_equal(shell_errors(shell), "");
    assert_int_equal(shell->requests, 3);
    assert_int_equal(shell->failed_requests, 1);
    assert_int_equal(shell->sent_bytes, 12);
    assert_int_equal(histogram_count(shell->request_us), 3);
    assert_in_range(histogram_maximum(shell->request_us), 1, SLACK_US);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, shell_set_up, shell_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_step_lasts_as_long_as_it_sleeps),     CASE(failed_steps_have_a_time_as_well),
        CASE(a_timing_is_the_time_of_its_function),  CASE(a_wait_lasts_until_its_answer),
        CASE(requests_are_counted_with_their_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
