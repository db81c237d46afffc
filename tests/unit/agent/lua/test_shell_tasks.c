/* Tasks of a worker: how they end, what they wait for together, and scripts that misuse them. */
#include "tests/unit/agent/shard/test_shell_support.h"

#include <stdio.h>
#include <string.h>

static void begin_tasks(struct shell *shell, const char *script)
{
    char whole[6000];

    shell->options.workers = 1;
    snprintf(
        whole, sizeof whole,
        "local tutti = require 'tutti'\n"
        "local function log(...) tutti.set_var('log', table.concat({...}, ' ')) end\n"
        "local function refused(pattern, f, ...)\n"
        "  local ok, why = pcall(f, ...) assert(not ok and tostring(why):find(pattern), tostring(why)) end\n"
        "%s\n",
        script);
    shell_start(shell, whole);
}

/* One worker; `runs` steps of this body. */
static void play_tasks(struct shell *shell, uint64_t runs, const char *body)
{
    char script[5000];

    shell->options.runs = runs;
    snprintf(script, sizeof script, "tutti.scenario('s', function(worker)\n%s\nend)", body);
    begin_tasks(shell, script);
    shell_finish(shell);
}

static void expect_steps(const struct shell *shell, uint64_t ok, uint64_t failed)
{
    assert_int_equal(shell->totals.steps_ok, ok);
    assert_int_equal(shell->totals.steps_failed, failed);
}

static void a_task_runs_beside_its_worker_and_gives_its_values(void **state)
{
    struct shell *shell = *state;
    play_tasks(
        shell, 1,
        "local t = tutti.task(function() log('task') tutti.sleep(0.01) return 1, nil, 'three', nil end)\n"
        "log('worker')\n"
        "local values = table.pack(t:wait())\n"
        "assert(values.n == 4 and values[1] == 1 and values[3] == 'three' and values[4] == nil)\n"
        "assert(select('#', t:wait()) == 4 and select('#', tutti.task(function() end):wait()) == 0)\n"
        "assert(tutti.task(function() return { 7 } end):wait()[1] == 7)\n");
    assert_string_equal(shell_errors(shell), "");
    assert_string_equal(shell_log(shell), "worker\ntask\n");
    expect_steps(shell, 1, 0);
}

static void all_race_and_timeout(void **state)
{
    struct shell *shell = *state;
    play_tasks(shell, 1,
               "local function after(s, ...) local v = table.pack(...)\n"
               "  return tutti.task(function() tutti.sleep(s) return table.unpack(v, 1, v.n) end) end\n"
               "local a, b, c = tutti.all { after(0.02, 'a', 'x'), after(0.01, { 'b' }), after(0) }\n"
               "assert(a == 'a' and b[1] == 'b' and c == nil and select('#', tutti.all {}) == 0)\n"
               "local slow = after(5, 'slow')\n"
               "local one, two = tutti.race { slow, after(0.01, 'quick', 2) }\n"
               "assert(one == 'quick' and two == 2) refused('cancelled', slow.wait, slow)\n"
               "local left = after(5)\n"
               "local bad = tutti.task(function() error('no') end)\n"
               "local worse = tutti.task(function() error('no') end)\n"
               "refused('no', tutti.all, { left, bad, worse }) assert(left:cancel() == false)\n"
               "local ok, why = pcall(tutti.timeout, 0.02, tutti.sleep)\n"
               "ok, why = pcall(tutti.timeout, 0.02, function() tutti.sleep(5) end)\n"
               "assert(not ok and why.outcome == 'timeout' and why.waited >= 0.02)\n"
               "assert(tutti.timeout(5, function() return 3 end) == 3)\n"
               "refused('bad', tutti.timeout, 5, function() error('bad') end)\n");
    assert_string_equal(shell_errors(shell), "");
    expect_steps(shell, 1, 0);
}

static void an_error_that_nobody_takes_fails_the_step(void **state)
{
    struct shell *shell = *state;
    play_tasks(shell, 3,
               "local t = tutti.task(function() error('of the task') end)\n"
               "if worker.step == 2 then refused('of the task', t.wait, t) return end\n"
               "if worker.step == 3 then t:wait() end\n"
               "tutti.sleep(0.01)\n");
    expect_steps(shell, 1, 2);
    assert_string_equal(shell_errors(shell), "in a task: pad.lua:6: of the task\npad.lua:6: of the task\n");
}

static void a_task_ends_with_its_step_unless_it_is_kept(void **state)
{
    struct shell *shell = *state;
    shell->options.runs = 3;
    begin_tasks(shell,
                "local ended, kept = 0, 0\n"
                "tutti.scenario('s', function(worker)\n"
                "  tutti.task(function()\n"
                "    local x <close> = setmetatable({}, { __close = function() ended = ended + 1 end })\n"
                "    tutti.sleep(60) end)\n"
                "  worker.kept = worker.kept or tutti.task({ keep = true }, function()\n"
                "    local x <close> = setmetatable({}, { __close = function() ended = ended + 1 end })\n"
                "    while true do kept = kept + 1 tutti.sleep(0.001) end end)\n"
                "  tutti.sleep(0.02)\n"
                "end)\n"
                "tutti.teardown_session(function() assert(ended == 3 and kept > 5) end)\n"
                "tutti.teardown(function(worker) refused('cancelled', worker.kept.wait, worker.kept)\n"
                "  log('torn down', ended) end)\n");
    shell_finish(shell);
    assert_string_equal(shell_errors(shell), "");
    assert_string_equal(shell_log(shell), "torn down 4\n");
    expect_steps(shell, 3, 0);
}

static void a_stop_ends_what_tasks_wait_for(void **state)
{
    struct shell *shell = *state;
    begin_tasks(shell,
                "tutti.scenario('s', function(worker)\n"
                "  local t = tutti.task(function()\n"
                "    local ok, why = pcall(tutti.sleep, 60) log('task', why.outcome) tutti.sleep(60) end)\n"
                "  tutti.task(function() while true do pcall(tutti.wait_var, 'x') end end)\n"
                "  local ok, why = pcall(t.wait, t) log('worker', why.outcome)\n"
                "end)\n");
    shell_await_call(shell);
    shell_stop(shell, "enough");
    shell_finish(shell);
    assert_string_equal(shell_log(shell), "");
    assert_int_equal(shell->totals.steps_failed, 0);
}

static void a_wait_is_aside_while_another_task_moves(void **state)
{
    struct shell *shell = *state;
    begin_tasks(shell, "tutti.scenario('s', function(worker)\n"
                       "  local t = tutti.task(function() tutti.sleep(0.03) log('slept') end)\n"
                       "  tutti.wait_var('x') t:wait()\n"
                       "end)\n");
    shell_await_call(shell);
    assert_true(shell->held->is_aside);
    while (strstr(shell_log(shell), "settled") == NULL) {
        uv_run(&shell->loop, UV_RUN_ONCE);
    }
    assert_string_equal(shell_log(shell), "slept\nsettled\n");
    shell_reply(shell, (struct reply){.value = bytes_of_string("n")});
    shell_finish(shell);
    expect_steps(shell, 1, 0);
}

static void a_wait_is_the_workers_own_while_nothing_else_moves(void **state)
{
    struct shell *shell = *state;
    begin_tasks(shell, "tutti.scenario('s', function(worker)\n"
                       "  tutti.task(function() tutti.wait_var('x') end):wait()\n"
                       "end)\n");
    shell_await_call(shell);
    assert_false(shell->held->is_aside);
    shell_reply(shell, (struct reply){.value = bytes_of_string("n")});
    shell_finish(shell);
    assert_string_equal(shell_log(shell), "");
    expect_steps(shell, 1, 0);
}

static void waits_of_a_worker_follow_each_other(void **state)
{
    struct shell *shell = *state;
    begin_tasks(shell, "tutti.scenario('s', function(worker)\n"
                       "  local a = tutti.task(function() tutti.wait_var('a') log('a') end)\n"
                       "  local b = tutti.task(function() tutti.wait_var('b') log('b') end)\n"
                       "  tutti.all { a, b }\n"
                       "end)\n");
    shell_await_call(shell);
    assert_true(bytes_equal_string(shell->held->name, "a"));
    shell_reply(shell, (struct reply){.value = bytes_of_string("n")});
    shell_await_call(shell);
    assert_true(bytes_equal_string(shell->held->name, "b"));
    shell_reply(shell, (struct reply){.value = bytes_of_string("n")});
    shell_finish(shell);
    /* Where the turn ended between the two, the second wait is settled as well. */
    bool is_settled_twice = strcmp(shell_log(shell), "settled\na\nsettled\nb\n") == 0;
    assert_true(is_settled_twice || strcmp(shell_log(shell), "settled\na\nb\n") == 0);
    expect_steps(shell, 1, 0);
}

static void a_cancelled_wait_is_given_up(void **state)
{
    struct shell *shell = *state;
    begin_tasks(shell, "tutti.scenario('s', function(worker)\n"
                       "  local t = tutti.task(function() tutti.wait_var('x') log('never') end)\n"
                       "  tutti.sleep(0.01) t:cancel() log('cancelled') tutti.wait_var('y')\n"
                       "end)\n");
    shell_await_call(shell);
    while (strstr(shell_log(shell), "cancelled") == NULL) {
        uv_run(&shell->loop, UV_RUN_ONCE);
    }
    assert_string_equal(shell_log(shell), "given_up\ncancelled\n");
    assert_true(bytes_equal_string(shell->held->name, "x"));
    shell_reply(shell, (struct reply){.outcome = OUTCOME_TIMEOUT});
    shell_await_call(shell);
    assert_true(bytes_equal_string(shell->held->name, "y"));
    shell_reply(shell, (struct reply){.value = bytes_of_string("n")});
    shell_finish(shell);
    expect_steps(shell, 1, 0);
}

static void a_cancelled_factory_is_the_next_callers(void **state)
{
    struct shell *shell = *state;
    play_tasks(shell, 1,
               "local t = tutti.task(function() tutti.get_var('x', function() tutti.sleep(60) end) end)\n"
               "tutti.sleep(0.01) t:cancel()\n"
               "assert(tutti.get_var('x', function() return 5 end) == 5)\n");
    assert_string_equal(shell_errors(shell), "");
    assert_string_equal(shell_log(shell), "making failed\n");
}

static void misuse_is_told(void **state)
{
    struct shell *shell = *state;
    play_tasks(
        shell, 1,
        "local t t = tutti.task(function() t:wait() end) refused('cannot wait for itself', t.wait, t)\n"
        "local c c = tutti.task(function() c:cancel() end) refused('cannot cancel itself', c.wait, c)\n"
        "local a, b\n"
        "a = tutti.task(function() b:wait() end) b = tutti.task(function() tutti.all { a } end)\n"
        "refused('waits for this one', tutti.all, { a, b })\n"
        "refused('expected a function', tutti.task) refused('expected a function', tutti.task, 1)\n"
        "refused('unknown option', tutti.task, { kept = true }, print)\n"
        "refused('expected seconds', tutti.timeout, -1, print)\n"
        "refused('not a task', tutti.all, { 1 }) refused('1 to 100', tutti.race, {})\n"
        "refused('list of tasks', tutti.race, t) refused('tutti.task expected', t.wait, worker)\n"
        "local sleeper = tutti.task(function() tutti.sleep(60) end)\n"
        "refused('not possible here', string.gsub, 'x', 'x', function() sleeper:wait() end)\n"
        "assert(getmetatable(t) == 'task' and tostring(sleeper) == 'a task that runs')\n");
    assert_string_equal(shell_errors(shell), "");
    expect_steps(shell, 1, 0);
}

static void a_worker_has_a_hundred_at_once(void **state)
{
    struct shell *shell = *state;
    play_tasks(shell, 2,
               "for i = 1, 1000 do tutti.task(function() end):wait() end\n"
               "for i = 1, 100 do tutti.task(function() tutti.sleep(60) end) end\n"
               "refused('at most 100 tasks', tutti.task, print)\n"
               "refused('at most 100 tasks', tutti.timeout, 1, print)\n"
               "if worker.step == 2 then error('as it should') end\n");
    assert_string_equal(shell_errors(shell), "pad.lua:10: as it should\n");
    expect_steps(shell, 1, 1);
}

static void a_task_that_starts_itself_again_ends_with_the_step(void **state)
{
    struct shell *shell = *state;
    play_tasks(shell, 1,
               "local function again() tutti.task(again) tutti.sleep(60) end\n"
               "tutti.task(again) tutti.sleep(0.05)\n");
    assert_non_null(
        strstr(shell_errors(shell), "in a task: pad.lua:6: tutti.task: a worker has at most 100"));
}

static void limits_hold_for_a_task(void **state)
{
    struct shell *shell = *state;
    shell->settings.turn_limit_ms = 100;
    play_tasks(shell, 1,
               "local spin = tutti.task(function() while true do pcall(string.rep, 'x', 10) end end)\n"
               "refused('without waiting', spin.wait, spin)\n"
               "local stuck = tutti.task(function()\n"
               "  local x <close> = setmetatable({}, { __close = function() while true do end end })\n"
               "  tutti.sleep(60) end)\n"
               "tutti.sleep(0.01)\n"
               "pcall(stuck.cancel, stuck)\n");
    assert_non_null(strstr(shell_errors(shell), "what a cancelled task had to close took too long"));
    expect_steps(shell, 0, 1);
}

static void the_memory_limit_holds_for_a_task(void **state)
{
    struct shell *shell = *state;
    play_tasks(shell, 1,
               "local fill = tutti.task(function() local s = ('x'):rep(1000)\n"
               "  for i = 1, 30 do s = s .. s end end)\n"
               "refused('not enough memory', fill.wait, fill)\n");
    assert_string_equal(shell_errors(shell), "");
}

static void what_a_task_closes_cannot_wait(void **state)
{
    struct shell *shell = *state;
    play_tasks(shell, 1,
               "local seen\n"
               "local t t = tutti.task(function()\n"
               "  local x <close> = setmetatable({}, { __close = function()\n"
               "    seen = table.pack(pcall(tutti.sleep, 0.01)) t:cancel() end })\n"
               "  tutti.sleep(60) end)\n"
               "tutti.sleep(0.01) assert(t:cancel() and not t:cancel() and not seen[1])\n"
               "refused('finalisers', tutti.task(function()\n"
               "  setmetatable({}, { __gc = function() tutti.sleep(1) end }) end).wait, t)\n");
    assert_non_null(strstr(shell_errors(shell), "cancelled"));
}

static void the_coroutine_of_a_task_is_the_agents(void **state)
{
    struct shell *shell = *state;
    play_tasks(
        shell, 1,
        "local inside\n"
        "local t = tutti.task(function() inside = coroutine.running() tutti.sleep(0.02) return 5 end)\n"
        "tutti.sleep(0.005)\n"
        "refused('coroutine of a worker', function() assert(coroutine.resume(inside)) end)\n"
        "refused('cannot close', coroutine.close, inside)\n"
        "assert(t:wait() == 5 and coroutine.resume(inside) == false)\n"
        "local co = coroutine.wrap(function() coroutine.yield(tutti.task(function()\n"
        "  tutti.sleep(0.01) return 7 end):wait()) end)\n"
        "assert(co() == 7)\n"
        "local y = tutti.task(function() coroutine.yield(1) end)\n"
        "refused('outside a coroutine', y.wait, y)\n");
    assert_string_equal(shell_errors(shell), "");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, shell_set_up, shell_tear_down)

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        CASE(a_task_runs_beside_its_worker_and_gives_its_values),
        CASE(all_race_and_timeout),
        CASE(an_error_that_nobody_takes_fails_the_step),
        CASE(a_task_ends_with_its_step_unless_it_is_kept),
        CASE(a_stop_ends_what_tasks_wait_for),
        CASE(a_wait_is_aside_while_another_task_moves),
        CASE(a_wait_is_the_workers_own_while_nothing_else_moves),
        CASE(waits_of_a_worker_follow_each_other),
        CASE(a_cancelled_wait_is_given_up),
        CASE(a_cancelled_factory_is_the_next_callers),
        CASE(misuse_is_told),
        CASE(a_worker_has_a_hundred_at_once),
        CASE(a_task_that_starts_itself_again_ends_with_the_step),
        CASE(limits_hold_for_a_task),
        CASE(the_memory_limit_holds_for_a_task),
        CASE(what_a_task_closes_cannot_wait),
        CASE(the_coroutine_of_a_task_is_the_agents),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
