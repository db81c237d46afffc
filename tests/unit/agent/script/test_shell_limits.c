/* What a script cannot do: end or block its shard, leave its sandbox, catch the end of its turn. */
#include "tests/unit/agent/shard/test_shell_support.h"

#include <string.h>

/* Runs the body as one step of one worker, and another step after it, which has to work. */
static const char *play(struct shell *shell, const char *body)
{
    char script[4000];
    shell->options.workers = 1;
    shell->options.runs = 2;
    snprintf(script, sizeof script,
             "local tutti = require 'tutti'\ntutti.scenario('s', function(worker) if worker.step == 2 then "
             "return end\n%s\nend)\n",
             body);
    shell_play(shell, script);
    assert_int_equal(shell->totals.steps_ok + shell->totals.steps_failed, 2);
    assert_true(shell->totals.steps_ok >= 1);
    return shell_errors(shell);
}

struct spin {
    const char *body;
};

static const struct spin spins[] = {
    {"while true do end"},
    {"while true do pcall(function() while true do end end) end"},
    {"xpcall(function() while true do end end, function() while true do end end)"},
    {"while true do xpcall(error, function() end) end"},
    {"coroutine.wrap(function() while true do end end)()"},
    {"while true do coroutine.resume(coroutine.create(function() while true do end end)) end"},
    {"while true do coroutine.resume(coroutine.create(function() end)) end"},
    {"local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end"},
    {"string.rep('', 1 << 60) string.rep('x', 1 << 40)"},
    {"(('a'):rep(30000)):find(('a*'):rep(20) .. 'b')"},
    {"(('a'):rep(30000)):match(('.-'):rep(20) .. 'b')"},
    {"for _ in (('a'):rep(30000)):gmatch(('a?'):rep(20) .. ('a*'):rep(9) .. 'b') do end"},
    {"(('('):rep(30000)):gsub('%b()', '')"},
    {"table.move({}, 1, math.maxinteger - 1, 2)"},
    {"while true do collectgarbage() end"},
    {"local t = setmetatable({}, { __index = function() while true do end end }) local y = t.x"},
    {"table.sort({ 3, 2, 1 }, function() while true do end end)"},
    {"('x'):gsub('x', function() while true do end end)"},
    {"load(function() while true do end end)"},
    {"local c = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() while "
     "true do end end })\n"
     "  coroutine.yield() end) coroutine.resume(c) coroutine.close(c)"},
};

static void play_spin(void **state, size_t index)
{
    struct shell *shell = *state;
    const char *errors = play(shell, spins[index].body);
    if (strstr(errors, ": ran 2,000,000 instructions without waiting") == NULL) {
        fail_msg("%s\ngave: %s", spins[index].body, errors);
    }
}

static void stops_whatever_spins(void **state)
{
    for (size_t i = 0; i < sizeof spins / sizeof *spins; i++) {
        play_spin(state, i);
        shell_tear_down(state);
        shell_set_up(state);
    }
}

static void a_wait_refills_the_budget(void **state)
{
    struct shell *shell = *state;
    assert_string_equal(play(shell, "for i = 1, 5 do for j = 1, 300000 do end tutti.sleep(0) end"), "");
}

/* A hook makes each instruction cost more: few turns have one, and whatever such a turn resumes. */
static void counts_from_the_first_tick_of_a_turn_on(void **state)
{
    struct shell *shell = *state;
    shell->settings.is_system_allowed = true;
    assert_string_equal(
        play(shell,
             "local function is_counted() return debug.gethook() ~= nil end\n"
             "local function is_ever_free() for i = 1, 20 do\n"
             "  if not is_counted() then return true end tutti.sleep(0) end end\n"
             "assert(is_ever_free())\n"
             "local before = coroutine.wrap(function() while true do coroutine.yield(is_counted()) end end)\n"
             "before()\n"
             "local began = os.clock() while os.clock() - began < 0.02 do end\n"
             "assert(is_counted() and before() and coroutine.wrap(is_counted)())\n"
             "tutti.sleep(0)\n"
             "assert(is_ever_free())\n"
             "local spin = coroutine.wrap(function()\n"
             "  began = os.clock() while os.clock() - began < 0.02 do end coroutine.yield() end)\n"
             "spin()\n"
             "assert(is_counted())\n"),
        "");
}

/* What is small may grow more before the collector looks at it. */
static void collects_what_is_large_sooner(void **state)
{
    struct shell *shell = *state;
    assert_string_equal(play(shell,
                             "local function growth(size, count)\n"
                             "  collectgarbage() local live, most = collectgarbage 'count', 0\n"
                             "  for i = 1, count do\n"
                             "    local s = ('x'):rep(size) most = math.max(most, collectgarbage 'count')\n"
                             "    if i % 10 == 0 then tutti.sleep(0) end\n"
                             "  end\n"
                             "  return most / live\n"
                             "end\n"
                             "local small = growth(2000, 3000) assert(small > 3 and small < 5, small)\n"
                             "local kept = ('x'):rep(6 << 20) tutti.sleep(0)\n"
                             "local large = growth(200000, 60) assert(large > 1.5 and large < 2.5, large)\n"
                             "kept = nil collectgarbage() tutti.sleep(0)\n"
                             "small = growth(2000, 3000) assert(small > 3 and small < 5, small)\n"),
                        "");
}

static void runs_out_of_memory_in_that_step_only(void **state)
{
    struct shell *shell = *state;
    shell->settings.memory_limit_bytes = 20 << 20;
    assert_string_equal(play(shell, "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(100000) .. i end"),
                        "not enough memory\n");
}

static void survives_a_stack_overflow(void **state)
{
    struct shell *shell = *state;
    assert_non_null(strstr(play(shell, "local function f() return f() + 1 end f()"), "stack overflow"));
}

static void survives_odd_errors(void **state)
{
    struct shell *shell = *state;
    assert_non_null(
        strstr(play(shell, "error(setmetatable({}, { __tostring = function() while true do end end }))"),
               "an error that cannot be shown"));
}

static void keeps_the_sandbox(void **state)
{
    struct shell *shell = *state;
    assert_string_equal(
        play(shell,
             "local function refused(text, f, ...) local ok, why = pcall(f, ...)\n"
             "  assert(not ok and why:find(text, 1, true), tostring(why)) end\n"
             "refused('a script cannot end the agent', os.exit)\n"
             "for _, name in ipairs { 'execute', 'getenv', 'remove', 'rename', 'tmpname', 'setlocale' } do\n"
             "  refused('os.' .. name .. ' is not allowed here', os[name], 'x') end\n"
             "for _, name in ipairs { 'popen', 'read', 'write', 'tmpfile', 'output' } do\n"
             "  refused('io.' .. name .. ' is not allowed here', io[name], 'x') end\n"
             "assert(dofile == nil and loadfile == nil and string.dump == nil)\n"
             "for name in pairs(debug) do assert(name == 'traceback', name) end\n"
             "assert(package.loadlib == nil and package.cpath == nil and #package.searchers == 2)\n"
             "assert(load('\\27Lua') == nil and load('\\27Lua', 'x', 'b') == nil)\n"
             "assert(load('return 2', 'x', 'b')() == 2)\n"
             "refused('finalisers', setmetatable, {}, { __gc = print })\n"
             "refused('__len', table.insert, setmetatable({}, { __len = function() return 1 << 60 end }), 1, "
             "1)\n"
             "assert(io.open('/etc/passwd') == nil and io.open('../x') == nil and io.open('lib/../../x') == "
             "nil)\n"
             "assert(io.open('words.txt', 'w') == nil)\n"
             "assert(not pcall(require, 'socket'))\n"
             "assert(type(os.time()) == 'number' and os.clock() and os.date() and os.difftime(2, 1) == 1)\n"),
        "");
}

static void reads_the_files_of_the_bundle(void **state)
{
    struct shell *shell = *state;
    assert_string_equal(
        play(shell, "assert(require('lib.tools').answer == 42)\n"
                    "assert(require('lib.tools') == require('lib.tools'))\n"
                    "local file <const> = assert(io.open('./words.txt'))\n"
                    "assert(file:read() == 'first')\n"
                    "assert(file:read('n') == 42)\n"
                    "assert(file:read('L') == ' rest\\n')\n"
                    "assert(file:read(1) == '\\n')\n"
                    "assert(file:seek() == 15, file:seek())\n"
                    "assert(file:read('a') == 'last' and file:read('l') == nil and file:read('a') == '')\n"
                    "file:seek('set') local a, b = file:read('l', 'n') assert(a == 'first' and b == 42)\n"
                    "file:close() assert(not pcall(file.read, file))\n"
                    "local lines = {} for line in io.lines('words.txt') do lines[#lines + 1] = line end\n"
                    "assert(#lines == 4 and lines[4] == 'last')\n"
                    "local ok, why = pcall(io.lines, 'none.txt') assert(not ok and why:find('no such file in "
                    "the bundle'))\n"),
        "");
}

static void allows_the_system_where_the_operator_does(void **state)
{
    struct shell *shell = *state;
    shell->settings.is_system_allowed = true;
    assert_string_equal(play(shell,
                             "assert(os.getenv('PATH') and io.popen and package.cpath and debug.getinfo)\n"
                             "assert(io.open('words.txt'):read() == 'first')\n"
                             "assert(io.open('/dev/null'))\n"
                             "assert(not pcall(os.exit) and debug.sethook == nil)\n"),
                        "");
}

static void coroutines_of_the_script_may_wait(void **state)
{
    struct shell *shell = *state;
    assert_string_equal(
        play(shell,
             "local inner = coroutine.wrap(function(a)\n"
             "  local b = coroutine.yield(a + 1)\n"
             "  tutti.sleep(0.001)\n"
             "  local c = coroutine.wrap(function() tutti.sleep(0.001) coroutine.yield(5) end)()\n"
             "  coroutine.yield(b + c)\n"
             "  return 'end'\n"
             "end)\n"
             "assert(inner(1) == 2 and inner(10) == 15 and inner() == 'end')\n"
             "assert(not pcall(inner))\n"
             "assert(not pcall(coroutine.yield))\n"
             "local ok, why = coroutine.resume(coroutine.create(function() tutti.sleep(0.001) "
             "error('boom') end))\n"
             "assert(not ok and why:find('boom'))\n"
             "assert(not pcall(string.gsub, 'x', 'x', function() tutti.sleep(0) end))\n"
             "assert(pcall(table.sort, { 1, 2, 3 }, function(a, b) tutti.sleep(0) return a < b end))\n"),
        "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, shell_set_up, shell_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stops_whatever_spins),
        TEST(a_wait_refills_the_budget),
        TEST(counts_from_the_first_tick_of_a_turn_on),
        TEST(collects_what_is_large_sooner),
        TEST(runs_out_of_memory_in_that_step_only),
        TEST(survives_a_stack_overflow),
        TEST(survives_odd_errors),
        TEST(keeps_the_sandbox),
        TEST(reads_the_files_of_the_bundle),
        TEST(allows_the_system_where_the_operator_does),
        TEST(coroutines_of_the_script_may_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
