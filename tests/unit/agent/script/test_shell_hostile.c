/* Scripts that would freeze, hoard or kill: each ends with its own step, in time, and the next step works. */
#include "tests/unit/agent/shard/test_shell_support.h"

#include <string.h>

#define TURN_LIMIT_MS 200u

struct attack {
    const char *body;
    const char *says; /* in the error of the step; NULL: it may also succeed */
};

static const char TIME[] = "of processor time";

static const struct attack attacks[] = {
    /* One call of the library. */
    {"table.concat(setmetatable({}, { __index = getmetatable, __metatable = '' }), '', 1, math.maxinteger)",
     TIME},
    {"local src = {} for k = 0, 29 do src[#src + 1] = ('[%d]=true'):format(1 << k) end\n"
     "table.sort(load('return {' .. table.concat(src, ',') .. '}')(), pcall)",
     NULL},
    {"table.sort({ 3, 2, 1 }, function() while true do end end)", TIME},
    {"local t = {} for i = 1, 40 do t[i] = ('x'):rep(6e7) end table.sort(t)", NULL},
    {"table.move({}, 1, 1 << 60, 2)", TIME},
    {"local t = {} for i = 1, 1500 do t = setmetatable({}, { __index = t, __newindex = t }) end\n"
     "table.move(t, 1, 4e7, 2)",
     TIME},
    {"table.unpack({}, 1, 1e6)", "too many results"},
    {"while true do pcall(table.unpack, {}, 1, 9e5) end", NULL},
    {"local t = setmetatable({}, { __index = function() return 'x' end }) table.concat(t, '', 1, 1 << 60)",
     NULL},
    {"('x'):rep(1 << 40)", "instructions"},
    {"while true do local s = ('x'):rep(6e7) end", NULL},
    {"while true do pcall(string.rep, 'x', 1e8) end", NULL},
    {"local s = ('x'):rep(1 << 20) print((s:gsub(('[^x' .. ('y'):rep(1 << 20) .. ']'), '')))", NULL},
    {"local s = ('x'):rep(1 << 20) print(s:gsub('()', ('%1'):rep(1 << 20)))", NULL},
    {"('x'):rep(1 << 20):gsub('.', function() while true do end end)", TIME},
    {"for _ in ('x'):rep(1 << 24):gmatch('.-y') do end", NULL},
    {"string.format('%99999d', 1)", "invalid conversion"},
    {"while true do local s = string.format('%99.99f', 1e300) end", NULL},
    {"load('local a = {' .. ('1,'):rep(3e7) .. '}')", NULL},
    {"load(('::a:: '):rep(1e6))", NULL},
    {"local src = {} for i = 1, 3e5 do src[i] = '::a' .. i .. ':: ' end load(table.concat(src))", NULL},
    {"load(collectgarbage)", NULL},
    {"load(function() return ' ' end)", NULL},
    {"os.date(('%c'):rep(1e7))", "too long"},
    {"while true do local s = ('x'):rep(1 << 24):upper():reverse():lower() end", NULL},
    {"while true do local n = select('#', ('x'):rep(9e5):byte(1, -1)) end", NULL},
    {"while true do utf8.len(('x'):rep(1 << 24)) end", NULL},
    {"while true do tonumber(('1'):rep(1 << 24), 36) end", NULL},
    /* Few instructions, each of them long. */
    {"local function f(...) return f(1, ...) end f()", NULL},
    {"local function f(...) return select(-1, ...) + f(1, ...) end f()", NULL},
    {"local s, line = '', ('x'):rep(50) while true do s = s .. line end", NULL},
    {"local a, b = ('x'):rep(6e7), ('x'):rep(6e7) while true do if a < b then return end end", NULL},
    {"local a, b = ('\\0'):rep(6e7), ('\\0'):rep(6e7) while true do if a < b then return end end", NULL},
    {"local t = {} for i = 1, 1e6 do t[i] = i end for i = 1, 1e6 do t[i] = nil end while true do next(t) end",
     NULL},
    {"local t = {} for i = 1, 1900 do t = setmetatable({}, { __index = t }) end\n"
     "while true do local x = t.x end",
     NULL},
    {"while true do local s = os.date('%c', 1) end", NULL},
    {"while true do math.random(1 << 50) end", NULL},
    {"while true do pcall(error, ('x'):rep(1 << 24)) end", NULL},
    /* Memory. */
    {"local t = {} for i = 1, 1e9 do t[i] = {} end", NULL},
    {"local t = {} while true do t[#t + 1] = coroutine.create(print) end", NULL},
    {"local t = {} while true do pcall(function() while true do t[#t + 1] = ('x'):rep(1e5) .. #t end end) "
     "end",
     NULL},
    {"local x <close> = setmetatable({}, { __close = function() local t = {}\n"
     "  for i = 1, 3000 do t[i] = ('x'):rep(1 << 20) .. i end end }) error('boom')",
     "boom"},
    {"local x <close> = setmetatable({}, { __close = function() while true do end end }) error('boom')",
     "boom"},
    {"for i = 1, 100 do local x <close> = setmetatable({}, { __close = function() while true do end end })\n"
     "  pcall(error, 'a') end error('boom')",
     NULL},
    {"error(('x'):rep(6e7))", "xxx"},
    {"error(setmetatable({}, { __tostring = function() return ('x'):rep(6e7) end }))", "xxx"},
    {"error(setmetatable({}, { __tostring = function() while true do end end }))", "cannot be shown"},
    /* The C stack. */
    {"local function f() local co = coroutine.create(function()\n"
     "  local x <close> = setmetatable({}, { __close = function() assert(coroutine.close(f())) end })\n"
     "  coroutine.yield() end) coroutine.resume(co) return co end assert(coroutine.close(f()))",
     NULL},
    {"local function f() coroutine.wrap(f)() end f()", "pad.lua:3"},
    {"local function f() return (('x'):gsub('x', f)) end f()", "C stack overflow"},
    {"local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k + 1] end\n"
     "local x = t[1]",
     "C stack overflow"},
    {"local t = {} getmetatable(setmetatable(t, {})).__tostring = function() return tostring(t) end "
     "tostring(t)",
     "C stack overflow"},
    {"load(('('):rep(1e6))", NULL},
    {"load('return ' .. ('{'):rep(1e6))", NULL},
    /* Functions that catch errors. */
    {"while true do pcall(function() while true do end end) end", TIME},
    {"while true do coroutine.wrap(function() while true do end end)() end", TIME},
    {"while true do xpcall(function() while true do end end, function() while true do end end) end", TIME},
    {"local co co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() "
     "end",
     NULL},
    {"local json = require 'tutti.json' local t = { 1 } for i = 1, 45 do t = { t, t } end json.encode(t)",
     NULL},
    {"local json = require 'tutti.json' while true do json.decode(json.encode({ 1, 2, { 3 } })) end", NULL},
    {"local json = require 'tutti.json' json.decode(('['):rep(6e7))", "deeper"},
    {"local json = require 'tutti.json' json.decode('[' .. ('0,'):rep(3e7) .. '0]')", NULL},
    {"require('tutti.json').decode(('1'):rep(6e7))", "1000 digits"},
};

static void play_attack(struct shell *shell, const struct attack *attack)
{
    char script[4000];

    shell->options.workers = 1;
    shell->options.runs = 2;
    shell->settings.instruction_limit = 0;
    shell->settings.turn_limit_ms = TURN_LIMIT_MS;
    shell->settings.memory_limit_bytes = 512u << 20;
    snprintf(script, sizeof script,
             "local tutti = require 'tutti'\ntutti.scenario('s', function(worker) if worker.step == 2 then "
             "return end\n%s\nend)\n",
             attack->body);
    shell_play(shell, script);
    if (shell->totals.steps_ok + shell->totals.steps_failed != 2 || shell->totals.steps_ok < 1) {
        fail_msg("%s\nended %d steps well and %d badly: %s", attack->body, (int)shell->totals.steps_ok,
                 (int)shell->totals.steps_failed, shell_errors(shell));
    }
    if (attack->says != NULL && strstr(shell_errors(shell), attack->says) == NULL) {
        fail_msg("%s\ngave: %.300s", attack->body, shell_errors(shell));
    }
}

static void ends_with_its_own_step(void **state)
{
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        play_attack(*state, &attacks[i]);
        shell_tear_down(state);
        shell_set_up(state);
    }
}

/* The time of a turn is counted across pieces in which others have their turns: a worker that computes does
 * not keep them waiting. */
static void gives_way_while_it_computes(void **state)
{
    struct shell *shell = *state;

    shell->options.workers = 2;
    shell->settings.instruction_limit = 0;
    shell_play(
        shell,
        "local tutti = require 'tutti'\n"
        "local turns = 0\n"
        "local function is_less(a, b) local n = 0 for i = 1, 1000 do n = n + i end return a < b end\n"
        "tutti.scenario('s', function(worker)\n"
        "  if worker.id == 1 then for i = 1, 30 do tutti.sleep(0.001) turns = turns + 1 end return end\n"
        "  tutti.sleep(0.001)\n"
        "  local begin = os.clock()\n"
        "  while turns <= 3 and os.clock() - begin < 0.6 do end\n"
        "  local plain = turns\n"
        "  local function spin() while turns <= plain and os.clock() - begin < 1.2 do end end\n"
        "  local inner = coroutine.wrap(spin)\n"
        "  inner()\n"
        "  local t = {} for i = 1, 5000 do t[i] = i * 7919 % 5000 end\n"
        "  table.sort(t, is_less)\n"
        "  for i = 2, #t do assert(t[i - 1] <= t[i]) end\n"
        "  assert(plain > 3, plain) assert(turns > plain, turns)\n"
        "end)\n");
    assert_string_equal(shell_errors(shell), "");
}

/* The campaign stops, and a computing worker is stopped although it does not wait. */
static void a_stop_ends_what_computes(void **state)
{
    struct shell *shell = *state;

    shell->options.workers = 30;
    shell->settings.instruction_limit = 0;
    shell->settings.turn_limit_ms = 60000;
    assert_true(shell_deploy(shell,
                             "local tutti = require 'tutti'\n"
                             "tutti.scenario('s', function() while true do pcall(function() while true do "
                             "end end) end end)\n"));
    shell_begin(shell);
    shell_stop(shell, "enough");
    shell_finish(shell);
    assert_int_equal(shell->totals.steps_ok + shell->totals.steps_failed, 0);
}

/* What the agent has killed cannot be resumed. */
static void a_worker_is_not_resumed_by_another(void **state)
{
    struct shell *shell = *state;

    shell->options.workers = 2;
    shell_play(shell, "local tutti = require 'tutti'\n"
                      "local other\n"
                      "tutti.scenario('s', function(worker)\n"
                      "  if worker.id == 0 then other = coroutine.running() tutti.sleep(0.02) return end\n"
                      "  while not other do tutti.sleep(0.001) end\n"
                      "  local ok, why = pcall(coroutine.resume, other)\n"
                      "  assert(not ok and why:find('coroutine of a worker'), why)\n"
                      "  ok, why = pcall(coroutine.close, other) assert(not ok, why)\n"
                      "end)\n");
    assert_string_equal(shell_errors(shell), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, shell_set_up, shell_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ends_with_its_own_step),
        TEST(gives_way_while_it_computes),
        TEST(a_stop_ends_what_computes),
        TEST(a_worker_is_not_resumed_by_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
