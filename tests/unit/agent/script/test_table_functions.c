/* Our table functions against the library's: the same results and the same errors. */
#include "agent/script/script_state.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Gets the library's table and ours. Each case is run with both, on separate lists. */
static const char compare[] =
    "local theirs, ours = ...\n"
    "local function show(...)\n"
    "  local parts = {}\n"
    "  for i = 1, select('#', ...) do parts[i] = tostring((select(i, ...))) end\n"
    "  return theirs.concat(parts, ' ')\n"
    "end\n"
    "local function list_text(list)\n"
    "  local parts = {}\n"
    "  for i = -2, 12 do parts[#parts + 1] = tostring(list[i]) end\n"
    "  return theirs.concat(parts, ' ')\n"
    "end\n"
    "local function run(name, library, values, ...)\n"
    "  local list = theirs.pack(theirs.unpack(values))\n"
    "  list.n = nil\n"
    "  local ok, a, b, c, d, e = pcall(library[name], list, ...)\n"
    "  if a == list then a = 'the list' end\n"
    "  if not ok then return 'fails' end\n"
    "  return show(a, b, c, d, e) .. ' | ' .. list_text(list)\n"
    "end\n"
    "local edges = { -2, 0, 1, 2, 3, 4, 5, 9, math.mininteger, math.maxinteger, 'x', nil }\n"
    "local lists = { {}, { 'a' }, { 3, 1, 2 }, { 'b', 'a', 'c', 'b' } }\n"
    "local function check(name, ...)\n"
    "  for _, values in ipairs(lists) do\n"
    "    local want, got = run(name, theirs, values, ...), run(name, ours, values, ...)\n"
    "    if want ~= got then\n"
    "      error(name .. ' of ' .. #values .. ' with ' .. show(...) .. ': want ' .. want .. ', got ' .. "
    "got)\n"
    "    end\n"
    "  end\n"
    "end\n"
    "local function is_huge(a, b) return a and b and math.type(a) and math.type(b) and b - a > 1000 end\n"
    "for i = 1, 12 do\n"
    "  local a = edges[i]\n"
    "  check('remove', a) check('insert', 'v') check('insert', a, 'v') check('insert', a, 'v', 'w')\n"
    "  check('concat', '-', a) check('unpack', a) check('concat')\n"
    "  for k = 1, 12 do\n"
    "    local b = edges[k]\n"
    "    if not is_huge(a, b) then\n"
    "      check('concat', ', ', a, b) check('unpack', a, b)\n"
    "      for m = 1, 12 do check('move', a, b, edges[m]) end\n"
    "    end\n"
    "  end\n"
    "end\n"
    "check('sort') check('sort', function(a, b) return b < a end) check('sort', 5)\n"
    "for count = 0, 200 do\n"
    "  local mine, want = {}, {}\n"
    "  for i = 1, count do mine[i] = (i * 7919) % 101 want[i] = mine[i] end\n"
    "  ours.sort(mine) theirs.sort(want)\n"
    "  for i = 1, count do assert(mine[i] == want[i], count) end\n"
    "  ours.sort(mine, function(a, b) return a > b end)\n"
    "  for i = 2, count do assert(mine[i - 1] >= mine[i], count) end\n"
    "end\n"
    "local proxy = setmetatable({}, { __index = function(_, k) return k <= 3 and k or nil end })\n"
    "assert(ours.concat(proxy, ',', 1, 3) == '1,2,3')\n"
    "assert(select('#', ours.unpack(proxy, 1, 3)) == 3)\n"
    "local into = ours.move({ 1, 2 }, 1, 2, 5, {}) assert(into[5] == 1 and into[6] == 2)\n"
    "assert(not pcall(ours.sort, { 1, 'x' }) and not pcall(ours.sort, 5))\n";

static void gives_what_the_library_gives(void **state)
{
    lua_State *lua = luaL_newstate();
    struct script script = {.limits = {.instruction_limit = INT64_MAX, .instructions_left = INT64_MAX}};

    (void)state;
    *(struct script **)lua_getextraspace(lua) = &script;
    luaL_openlibs(lua);
    assert_int_equal(luaL_loadstring(lua, compare), LUA_OK);
    assert_int_equal(luaL_dostring(lua, "local copy = {} for name, value in pairs(table) do copy[name] = "
                                        "value end return copy"),
                     LUA_OK);
    table_functions_open(lua);
    lua_getglobal(lua, "table");
    if (lua_pcall(lua, 2, 0, 0) != LUA_OK) {
        fail_msg("%s", lua_tostring(lua, -1));
    }
    lua_close(lua);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gives_what_the_library_gives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
