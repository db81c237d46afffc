/* A stop of the campaign in each phase of a worker: what gives way, and what runs to its end. */
#include "tests/unit/agent/shard/test_shell_support.h"

#include "common/clock.h"

#include <string.h>

#define LOG                                                                                                  \
    "local tutti = require 'tutti' local function log(...) tutti.set_var('log', table.concat({...}, ' ')) "  \
    "end\n"
#define TEARDOWNS                                                                                            \
    "tutti.teardown_session(function(w) log('teardown_session') end)\n"                                      \
    "tutti.teardown(function(w) log('teardown') end)\n"

static void await_log(struct shell *shell, const char *text)
{
    while (strstr(shell_log(shell), text) == NULL) {
        uv_run(&shell->loop, UV_RUN_ONCE);
    }
}

/* Long enough for what has just been logged to go on to the next wait. */
static void pass_time(struct shell *shell, uint64_t milliseconds)
{
    uint64_t until_ns = clock_now_ns() + milliseconds * NS_PER_MS;
    while (clock_now_ns() < until_ns) {
        uv_run(&shell->loop, UV_RUN_NOWAIT);
    }
}

/* One worker, one step; stops once the script has logged "here". */
static void play_and_stop(struct shell *shell, const char *script)
{
    shell->options.workers = 1;
    assert_true(shell_deploy(shell, script));
    shell_begin(shell);
    await_log(shell, "here");
    pass_time(shell, 20);
    shell_stop(shell, "enough");
    shell_finish(shell);
}

static void setup_gives_way_and_is_torn_down(void **state)
{
    struct shell *shell = *state;
    play_and_stop(shell, LOG TEARDOWNS "tutti.setup(function(w) log('here') tutti.sleep(3600) end)\n"
                                       "tutti.setup_session(function(w) log('too far') end)\n"
                                       "tutti.scenario('s', function(w) log('too far') end)\n");
    assert_string_equal(shell_log(shell), "here\nteardown_session\nteardown\n");
    assert_string_equal(shell_errors(shell), "setup: pad.lua:4: enough\n");
    assert_int_equal(shell->totals.steps_failed, 0);
}

static void setup_session_gives_way_too(void **state)
{
    struct shell *shell = *state;
    play_and_stop(shell, LOG TEARDOWNS "tutti.setup_session(function(w) log('here') tutti.sleep(3600) end)\n"
                                       "tutti.scenario('s', function(w) log('too far') end)\n");
    assert_string_equal(shell_log(shell), "here\nteardown_session\nteardown\n");
    assert_string_equal(shell_errors(shell), "setup_session: pad.lua:4: enough\n");
}

static void a_delay_is_cut_and_its_step_stays_a_success(void **state)
{
    struct shell *shell = *state;
    shell->options.runs = 2;
    play_and_stop(shell, LOG TEARDOWNS
                  "tutti.scenario('s', { delay = 3600 }, function(w) log('here', w.step) end)\n");
    assert_string_equal(shell_log(shell), "here 1\nteardown_session\nteardown\n");
    assert_int_equal(shell->totals.steps_ok, 1);
    assert_int_equal(shell->totals.steps_stopped, 0);
}

static void a_step_that_ends_well_in_spite_of_the_stop_has_no_delay(void **state)
{
    struct shell *shell = *state;
    play_and_stop(shell, LOG TEARDOWNS "tutti.scenario('s', { delay = 3600 }, function(w)\n"
                                       "  log('here') pcall(tutti.sleep, 3600)\n"
                                       "end)\n");
    assert_int_equal(shell->totals.steps_ok, 1);
    assert_string_equal(shell_log(shell), "here\nteardown_session\nteardown\n");
}

/* Stopped between two instructions: nothing of the step may run again, not even to close what it holds. (It
 * calls a C function since ThreadSanitizer delivers signals there only.) */
static void a_step_that_computes_closes_nothing(void **state)
{
    struct shell *shell = *state;
    shell->settings.instruction_limit = UINT64_C(10000000000);
    play_and_stop(shell, LOG "local closed = 'not closed'\n"
                             "local handler = { __close = function() closed = 'closed' end }\n"
                             "tutti.scenario('s', function(w)\n"
                             "  local held <close> = setmetatable({}, handler)\n"
                             "  log('here')\n"
                             "  while true do string.format('%d', 1) end\n"
                             "end)\n"
                             "tutti.teardown(function(w) log(closed) end)\n");
    assert_string_equal(shell_log(shell), "here\nnot closed\n");
    assert_int_equal(shell->totals.steps_stopped, 1);
}

static void teardowns_run_to_their_end(void **state)
{
    struct shell *shell = *state;
    play_and_stop(shell,
                  LOG "tutti.scenario('s', function(w) end)\n"
                      "tutti.teardown_session(function(w) log('here') tutti.sleep(0.1) log('on') end)\n"
                      "tutti.teardown(function(w) tutti.sleep(0.1) log('whole') end)\n");
    assert_string_equal(shell_log(shell), "here\non\nwhole\n");
    assert_string_equal(shell_errors(shell), "");
    assert_int_equal(shell->totals.steps_ok, 1);
}

/* Sends the fixture's command; stops the campaign once it has logged "here". */
static void play_global_and_stop(struct shell *shell, enum global_phase phase, const char *script)
{
    struct command *command = command_new(COMMAND_GLOBAL, CAMPAIGN);
    assert_true(shell_deploy(shell, script));
    command->phase = phase;
    shard_command(shell->shard, command);
    await_log(shell, "here");
    pass_time(shell, 20);
    shell_stop(shell, "enough");
    shell_await(shell, &shell->is_global_done);
}

static void global_setup_gives_way(void **state)
{
    struct shell *shell = *state;
    play_global_and_stop(shell, GLOBAL_SETUP,
                         LOG "tutti.scenario('s', function(w) end)\n"
                             "tutti.global_setup(function() log('here') tutti.sleep(3600) end)\n");
    assert_false(shell->is_global_ok);
    assert_string_equal(shell->text, "global_setup: pad.lua:3: enough");
}

static void global_teardown_runs_to_its_end(void **state)
{
    struct shell *shell = *state;
    play_global_and_stop(shell, GLOBAL_TEARDOWN,
                         LOG
                         "tutti.scenario('s', function(w) end)\n"
                         "tutti.global_teardown(function() log('here') tutti.sleep(0.1) log('whole') end)\n");
    assert_true(shell->is_global_ok);
    assert_string_equal(shell_log(shell), "here\nwhole\n");
}

/* A teardown that fails does not keep the next one from running, nor the worker from ending. */
static void each_teardown_runs_whatever_becomes_of_the_others(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 1;
    shell_play(shell, LOG "tutti.scenario('s', function(w) end)\n"
                          "tutti.teardown_session(function(w) error('first') end)\n"
                          "tutti.teardown(function(w) log('teardown') error('second') end)\n");
    assert_string_equal(shell_log(shell), "teardown\n");
    assert_string_equal(shell_errors(shell),
                        "teardown_session: pad.lua:3: first\nteardown: pad.lua:4: second\n");
    assert_int_equal(shell->totals.steps_ok, 1);
    assert_int_equal(shell->totals.steps_failed, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, shell_set_up, shell_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(setup_gives_way_and_is_torn_down),
        TEST(setup_session_gives_way_too),
        TEST(a_delay_is_cut_and_its_step_stays_a_success),
        TEST(a_step_that_ends_well_in_spite_of_the_stop_has_no_delay),
        TEST(a_step_that_computes_closes_nothing),
        TEST(teardowns_run_to_their_end),
        TEST(global_setup_gives_way),
        TEST(global_teardown_runs_to_its_end),
        TEST(each_teardown_runs_whatever_becomes_of_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
