/* Scripts that try to reach what belongs to the agent, or to interleave its functions: each attack ends
 * within its own step, and the step after it works. */
#include "tests/unit/agent/shard/test_shell_support.h"

#include <stdio.h>
#include <string.h>

struct attack {
    const char *name;
    const char
        *body; /* of step 1; in it `err` is an error object of ours, `refused(f, …)` holds if f raises */
    const char *fails; /* part of the step's error; NULL: it succeeds */
};

static const char prelude[] =
    "local tutti, http, json = require 'tutti', require 'tutti.http', require 'tutti.json'\n"
    "local browser = require 'tutti.browser'\n"
    "local rows = tutti.data { { n = 1 } }\n"
    "local function refused(f, ...) local ok, why = pcall(f, ...) assert(not ok, 'it was let through') "
    "return tostring(why) end\n"
    "local shared = {}\n"
    "tutti.scenario('s', function(worker)\n"
    "if worker.step == 2 then return end\n"
    "local _, err = pcall(tutti.incr, '')\n";

static const struct attack attacks[] = {
    {"metatables of what a script holds are closed",
     "local round = worker:notifier('n')\n"
     "local file = io.open('words.txt')\n"
     "local mouse = browser.mouse()\n"
     "for name, object in pairs { err = err, tutti = tutti, worker = worker, round = round, file = file, "
     "text = '',\n"
     "  rows = rows, mouse = mouse, keys = browser.keyboard(), wheel = browser.wheel(), step = mouse:down() "
     "} do\n"
     "  local meta = getmetatable(object)\n"
     "  assert(meta ~= nil and type(meta) ~= 'table', name)\n"
     "  if type(object) == 'table' then refused(setmetatable, object, {}) end\n"
     "end\n",
     NULL},
    {"nothing that can be reached has an open metatable",
     "local seen = {}\n"
     "local function walk(value, path)\n"
     "  if seen[value] or type(value) ~= 'table' and type(value) ~= 'userdata' then return end\n"
     "  seen[value] = true\n"
     "  assert(type(getmetatable(value)) ~= 'table', path)\n"
     "  if type(value) ~= 'table' then return end\n"
     "  for key, inner in next, value do walk(key, path) walk(inner, path .. '.' .. tostring(key)) end\n"
     "end\n"
     "walk(_G, '_G') walk(worker.room, 'room') walk(browser, 'browser') walk(browser.mouse():down(), "
     "'step')\n",
     NULL},
    {"no finaliser of an error",
     "refused(function() getmetatable(err).__gc = function() shared.ran = true end end)\n"
     "for _ = 1, 50 do pcall(tutti.incr, '') end collectgarbage() assert(not shared.ran)\n",
     NULL},
    {"no finaliser that comes later",
     "local meta = {} setmetatable({}, meta) meta.__gc = function() shared.ran = true end\n"
     "refused(setmetatable, {}, meta) collectgarbage() collectgarbage() assert(not shared.ran)\n",
     NULL},
    {"no finaliser by inheritance",
     "local meta = setmetatable({}, { __index = { __gc = function() shared.ran = true end } })\n"
     "setmetatable({}, meta) collectgarbage() collectgarbage() assert(not shared.ran)\n",
     NULL},
    {"strings have no metamethods of a script",
     "for _, name in ipairs { '__tostring', '__index', '__concat', '__name', '__call', '__close', '__lt' } "
     "do\n"
     "  refused(function() getmetatable('')[name] = print end)\n"
     "end\n"
     "function string.shout(text) return text:upper() .. '!' end assert(('a'):shout() == 'A!')\n",
     NULL},
    {"the outcome of a failed step", "err.outcome = 'stopped' error(err)\n", "incr(): a name has 1 to"},
    {"an outcome by a table of the script's",
     "error(setmetatable({ outcome = 'stopped', message = 'mine' }, "
     "{ __index = err, __metatable = 'error', __tostring = function() return 'mine' end }))\n",
     "mine"},
    {"options by a metatable",
     "local trap = setmetatable({}, { __index = function() shared.ran = true return 'x\\27[31m' end })\n"
     "refused(http.get, 'http://127.0.0.1:1/', trap)\n"
     "refused(http.get, 'http://127.0.0.1:1/', setmetatable({ name = 'a' }, { __index = trap }))\n"
     "refused(worker.notifier, worker, 'n', trap) refused(worker.barrier, worker, 'n', trap)\n"
     "refused(tutti.wait_var, 'n', trap) refused(browser.open, trap)\n"
     "refused(function() worker:notifier('n'):wait_for_readers(trap) end)\n"
     "refused(function() worker:notifier('n'):written(1, trap) end)\n"
     "refused(function() worker:notifier('n'):one_read(trap) end)\n"
     "assert(not shared.ran)\n",
     NULL},
    {"headers that go while they are read",
     "local headers = { ['X-' .. ('h'):rep(100)] = 1 }\n"
     "local trap = setmetatable({ headers = headers }, { __index = function()\n"
     "  for name in pairs(headers) do headers[name] = nil end collectgarbage() end })\n"
     "refused(http.get, 'http://127.0.0.1:1/', trap)\n",
     NULL},
    {"metamethods of a value on its way",
     "local function run() shared.ran = true pcall(tutti.set_var, 'inner', ('L'):rep(60000)) return print, "
     "{} end\n"
     "local value = setmetatable({ 1, 2, x = { y = 1 } }, { __pairs = run, __len = run, __index = run, "
     "__concat = run,\n"
     "  __eq = run, __tostring = run, __name = 'x', __call = run, __newindex = run })\n"
     "tutti.set_var('outer', value)\n"
     "local made = tutti.get_var('made', function() return value end)\n"
     "assert(made[1] == 1 and made[2] == 2 and made.x.y == 1 and getmetatable(made) == nil and not "
     "shared.ran)\n",
     NULL},
    {"values of every size",
     "for _, size in ipairs { 0, 1, 490, 500, 505, 506, 507, 508, 520, 8180, 8185, 8186, 8187, 8200, 65000, "
     "65531 } do\n"
     "  local made = tutti.get_var('v' .. size, function() return ('x'):rep(size) end)\n"
     "  assert(#made == size)\n"
     "end\n"
     "refused(tutti.set_var, 'v', ('x'):rep(65532))\n"
     "local list = {} for i = 1, 700 do list[i] = { i, 's' .. i, [-i] = { k = i } } end\n"
     "local made = tutti.get_var('list', function() return list end)\n"
     "for i = 1, 700 do assert(made[i][1] == i and made[i][2] == 's' .. i and made[i][-i].k == i) end\n",
     NULL},
    {"a value that holds itself", "local t = {} t.t = t tutti.set_var('v', t)\n", "nested deeper than"},
    {"a wait within what cannot yield",
     "local inner = coroutine.create(function() return tutti.get_var('x') end)\n"
     "string.gsub('x', 'x', function() shared.ok, shared.why = coroutine.resume(inner) return false end)\n"
     "assert(shared.ok == false and tostring(shared.why):find('is not possible here'), "
     "tostring(shared.why))\n"
     "assert(not coroutine.resume(inner))\n"
     "local wrapped = coroutine.wrap(function() tutti.sleep(0.001) end)\n"
     "refused(string.gsub, 'x', 'x', wrapped)\n"
     "refused(tostring, setmetatable({}, { __tostring = function() wrapped() return '' end }))\n"
     "local deep = coroutine.wrap(function() coroutine.wrap(function() tutti.sleep(0.001) end)() return "
     "'woken' end)\n"
     "assert(deep() == 'woken')\n"
     "tutti.sleep(0)\n",
     NULL},
    {"calls in the text of an error",
     "error(setmetatable({}, { __tostring = function()\n"
     "  return refused(tutti.get_var, 'x') .. refused(tutti.sleep, 0) .. refused(http.get, "
     "'http://127.0.0.1:1/') end }))\n",
     "only within a scenario"},
    {"calls in what closes a coroutine that failed",
     "local x <close> = setmetatable({}, { __close = function() shared.why = refused(tutti.get_var, 'x') end "
     "})\n"
     "error('on purpose')\n",
     "on purpose"},
    {"a call that waits closes what it leaves",
     "local order = {}\n"
     "local inner = coroutine.wrap(function()\n"
     "  local x <close> = setmetatable({}, { __close = function() tutti.sleep(0) order[#order + 1] = "
     "'closed' end })\n"
     "  tutti.sleep(0) order[#order + 1] = 'slept'\n"
     "end)\n"
     "inner() assert(table.concat(order, ' ') == 'slept closed')\n",
     NULL},
    {"internals by every spelling",
     "for _, name in ipairs { 'tutti.browser.drivers', 'tutti.browser.session', 'tutti/browser/drivers', "
     "'drivers',\n"
     "  'tutti.browser.native', 'tutti.driver', 'tutti.library', '=tutti.browser/session.lua', "
     "'tutti.browser/pages' } do\n"
     "  refused(require, name) assert(package.loaded[name] == nil and package.preload[name] == nil, name)\n"
     "end\n"
     "package.loaded['tutti.browser'] = nil\n"
     "assert(require 'tutti.browser' == browser and package.preload['tutti.browser']() == browser)\n"
     "assert(browser.import == nil and browser.drivers == nil and browser.native == nil)\n",
     NULL},
    {"functions of the library in the script's environment",
     "local real, calls = {}, {}\n"
     "for _, where in ipairs { _G, string, table, math, utf8 } do\n"
     "  for name, f in next, where do\n"
     "    if type(f) == 'function' then real[#real + 1] = { where, name, f } end\n"
     "  end\n"
     "end\n"
     "local pcall, ipairs, traceback, find = pcall, ipairs, debug.traceback, string.find\n"
     "for _, one in ipairs(real) do\n"
     "  one[1][one[2]] = function(...)\n"
     "    local trace = traceback('', 2)\n"
     "    if find(trace, '^[^\\n]*\\nstack traceback:\\n%s*tutti[.:]') then calls[#calls + 1] = one[2] end\n"
     "    return one[3](...)\n"
     "  end\n"
     "end\n"
     "local file = io.open('words.txt') file:read('l', 'n') file:seek('set', 1) for _ in file:lines('L') do "
     "end\n"
     "for _ in io.lines('words.txt') do end\n"
     "local keyboard, mouse = browser.keyboard(), browser.mouse()\n"
     "browser.chain(keyboard:type('aé'), mouse:down() & keyboard:down('x'), mouse:move_by(1, 2))\n"
     "browser.list { 1 } pcall(browser.open, { remote = 'http://a:b@127.0.0.1:1/x/', args = { '--x' }, auth "
     "= { 'a', 'b' } })\n"
     "pcall(browser.open, { remote = 'nonsense' }) pcall(browser.of, {})\n"
     "for _, one in ipairs(real) do one[1][one[2]] = one[3] end\n"
     "assert(#calls == 0, table.concat(calls, ' '))\n",
     NULL},
    {"modules that the script has replaced",
     "local stolen = function() shared.ran = true return {} end\n"
     "package.loaded['tutti.json'] = { encode = stolen, decode = stolen, null = 1 } package.loaded.tutti = "
     "stolen\n"
     "local real = require require = stolen\n"
     "pcall(http.post, 'http://127.0.0.1:1/', nil, { json = { 1 } })\n"
     "pcall(browser.open, { remote = 'http://127.0.0.1:1' })\n"
     "require = real assert(not shared.ran)\n",
     NULL},
    {"objects of the browser that are none",
     "local forged = setmetatable({ session = {}, path = '/x', wire = {} }, { __metatable = 'page' })\n"
     "local mouse = browser.mouse()\n"
     "refused(mouse.down, forged) refused(mouse.down, nil) refused(mouse.down, browser.keyboard())\n"
     "refused(function() return mouse:down() & forged end) refused(function() return forged & 1 end)\n"
     "local loop = {} loop[1] = loop refused(browser.chain, loop)\n"
     "mouse.kind, mouse.id = 'key', {} mouse:down()\n",
     NULL},
    {"a file object that is none",
     "local file = io.open('words.txt') local read = file.read\n"
     "refused(read, {}) refused(read, 'x') file.text = setmetatable({}, { __len = function() return 5 end "
     "})\n"
     "refused(read, file) assert(io.open('words.txt'):read('a'):find('^first'))\n",
     NULL},
    {"a chunk that is called like ours",
     "local f = load('error(\"here\")', '=tutti.browser/session.lua') refused(f)\n"
     "assert(load('return string', 'x', 't', {})() == nil)\n",
     NULL},
    {"a script cannot end its error by a handler's doing",
     "xpcall(tutti.incr, function(why) why.outcome = 'stopped' shared.why = why return why end, '')\n"
     "assert(shared.why.outcome == 'stopped') error(shared.why)\n",
     "a name has 1 to"},
};

static void play_attack(void **state, const struct attack *attack)
{
    struct shell *shell = *state;
    char script[8000];

    shell->options.workers = 1;
    shell->options.runs = 2;
    assert_true(snprintf(script, sizeof script, "%s%s\nend)\n", prelude, attack->body) < (int)sizeof script);
    if (!shell_deploy(shell, script)) {
        fail_msg("%s: %s", attack->name, shell->text);
    }
    shell_begin(shell);
    shell_finish(shell);
    const char *errors = shell_errors(shell);
    if (attack->fails != NULL ? strstr(errors, attack->fails) == NULL : *errors != 0) {
        fail_msg("%s: %s", attack->name, *errors != 0 ? errors : "it succeeded");
    }
    assert_int_equal(shell->totals.steps_failed, attack->fails != NULL);
    assert_int_equal(shell->totals.steps_ok, attack->fails != NULL ? 1 : 2);
    assert_int_equal(shell->totals.steps_stopped, 0);
}

static void attacks_end_in_their_step(void **state)
{
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        play_attack(state, &attacks[i]);
        shell_tear_down(state);
        shell_set_up(state);
    }
}

/* Worker 0 waits within a coroutine that worker 1 resumes. */
static void a_wait_ends_for_who_began_it(void **state)
{
    struct shell *shell = *state;
    static const char *const waits[] = {"tutti.sleep(0.1)",
                                        "tutti.get_var('x', function() tutti.sleep(0.1) end)",
                                        "tutti.print() tutti.sleep(0.1) tutti.get_var('x')"};
    char script[1500];

    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        shell->options.runs = 2;
        snprintf(script, sizeof script,
                 "local tutti = require 'tutti' local shared\n"
                 "tutti.scenario('s', function(worker)\n"
                 "  if worker.step == 2 then return end\n"
                 "  if worker.id == 0 then\n"
                 "    shared = coroutine.create(function() %s end)\n"
                 "    assert(coroutine.resume(shared)) return\n"
                 "  end\n"
                 "  while not shared or coroutine.status(shared) ~= 'suspended' do tutti.sleep(0.001) end\n"
                 "  local ok, why = coroutine.resume(shared)\n"
                 "  assert(not ok and tostring(why):find('resumed by someone else'), tostring(why))\n"
                 "  tutti.sleep(0.15) assert(not coroutine.resume(shared)) tutti.get_var('y')\n"
                 "end)\n",
                 waits[i]);
        shell_play(shell, script);
        assert_int_equal(shell->totals.steps_failed, 1);
        assert_int_equal(shell->totals.steps_ok, 3);
        assert_non_null(strstr(shell_errors(shell), "someone else"));
        shell_tear_down(state);
        shell_set_up(state);
        shell = *state;
    }
}

/* A waiting coroutine is resumed while another one's error is converted to text, when it is no worker's
 * turn. */
static void a_wait_ends_in_no_text(void **state)
{
    struct shell *shell = *state;
    shell->options.runs = 2;
    shell_play(shell, "local tutti = require 'tutti' local shared\n"
                      "tutti.scenario('s', function(worker)\n"
                      "  if worker.step == 2 then return end\n"
                      "  if worker.id == 0 then\n"
                      "    shared = coroutine.create(function() tutti.sleep(0.1) end) "
                      "assert(coroutine.resume(shared)) return\n"
                      "  end\n"
                      "  while not shared do tutti.sleep(0.001) end\n"
                      "  error(setmetatable({}, { __tostring = function()\n"
                      "    return tostring(select(2, coroutine.resume(shared))) end }))\n"
                      "end)\n");
    assert_int_equal(shell->totals.steps_failed, 2);
    assert_int_equal(shell->totals.steps_ok, 2);
    assert_non_null(strstr(shell_errors(shell), "only within a scenario"));
}

/* A listener may do anything with the table that it receives. */
static void events_are_the_agents(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 1;
    shell->options.runs = 3;
    shell_play(shell,
               "local tutti = require 'tutti'\n"
               "local http = require 'tutti.http'\n"
               "tutti.events(function(event, info)\n"
               "  info.worker, info.error = {}, 'another' setmetatable(info, { __index = error })\n"
               "  pcall = function() return true end ipairs = pcall tostring = pcall error = function() end\n"
               "end)\n"
               "tutti.scenario('s', function(worker)\n"
               "  if worker.step == 2 then error('on purpose') end\n"
               "  http.get('http://127.0.0.1:1/')\n"
               "end)\n");
    assert_int_equal(shell->totals.steps_ok, 0);
    assert_int_equal(shell->totals.steps_failed, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, shell_set_up, shell_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(attacks_end_in_their_step),
        TEST(a_wait_ends_for_who_began_it),
        TEST(a_wait_ends_in_no_text),
        TEST(events_are_the_agents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
