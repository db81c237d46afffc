/* Our string functions against the library's own, on random patterns and subjects: the same results, the same
 * errors. */
#include "agent/script/pattern.h"
#include "agent/script/script_state.h"
#include "common/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <lualib.h>

#define ROUNDS 60000
#define TEXT_BYTES 200

static const char compare[] =
    "local ours, theirs = ...\n"
    "local function collect(f, ...)\n"
    "  local all = table.pack(pcall(f, ...))\n"
    "  for i = 1, all.n do all[i] = tostring(all[i]):gsub('^[^:]*:%d+: ', '') end\n"
    "  return table.concat(all, '|')\n"
    "end\n"
    "local function each(gmatch)\n"
    "  return function(subject, pattern, from)\n"
    "    local all = {}\n"
    "    for a, b in gmatch(subject, pattern, from) do all[#all + 1] = tostring(a) .. tostring(b) end\n"
    "    return table.concat(all, ',')\n"
    "  end\n"
    "end\n"
    "return function(subject, pattern, from, replacement)\n"
    "  for name, f in pairs(ours) do\n"
    "    local g = theirs[name]\n"
    "    local third = name == 'gsub' and replacement or from\n"
    "    if name == 'gmatch' then f, g = each(f), each(g) end\n"
    "    local a, b = collect(f, subject, pattern, third), collect(g, subject, pattern, third)\n"
    "    if a ~= b then error(string.format('%s(%q, %q, %q)\\nours   %s\\ntheirs %s', name, subject, "
    "pattern, third, a, b)) end\n"
    "    if name == 'gsub' then\n"
    "      local function swap(x, y) if x == 'a' then return false end return (y or '') .. '<' .. x .. '>' "
    "end\n"
    "      assert(collect(f, subject, pattern, swap, 3) == collect(g, subject, pattern, swap, 3))\n"
    "    end\n"
    "  end\n"
    "end\n";

static const char *draw(struct random *random, const char *const *parts, size_t count, size_t most,
                        char text[TEXT_BYTES])
{
    size_t many = random_below(random, most + 1);
    size_t size = 0;

    text[0] = 0;
    for (size_t i = 0; i < many; i++) {
        size += (size_t)snprintf(text + size, TEXT_BYTES - size, "%s", parts[random_below(random, count)]);
    }
    return text;
}

static void push_functions(lua_State *lua)
{
    static const char *const names[] = {"find", "match", "gmatch", "gsub"};

    lua_newtable(lua);
    lua_getglobal(lua, "string");
    for (size_t i = 0; i < 4; i++) {
        lua_getfield(lua, -1, names[i]);
        lua_setfield(lua, -3, names[i]);
    }
    lua_pop(lua, 1);
}

static void gives_what_the_library_gives(void **state)
{
    static const char *const subject_parts[] = {"a", "b", "ab", "(", ")", " ", "1", "-", "]", "^", "x y"};
    static const char *const parts[] = {
        "a",  "b",  ".", "%a", "%s",    "%d", "[ab]", "[^a]", "[a-b]", "[]]",   "[%a-]", "*",
        "+",  "-",  "?", "(",  ")",     "()", "%1",   "%2",   "%b()",  "%f[a]", "^",     "$",
        "%(", "%]", "%", "[",  "[^]a]", "%f", "%b",   "(a)",  "(.-)",  "%W"};
    static const char *const replacement_parts[] = {"x", "%0", "%1", "%2", "%%", "%", "-"};
    struct random random;
    lua_State *lua = luaL_newstate();
    struct script script = {.limits = {.instruction_limit = INT64_MAX, .instructions_left = INT64_MAX}};
    char subject[TEXT_BYTES];
    char pattern[TEXT_BYTES];
    char replacement[TEXT_BYTES];

    (void)state;
    *(struct script **)lua_getextraspace(lua) = &script;
    luaL_openlibs(lua);
    assert_int_equal(luaL_loadstring(lua, compare), LUA_OK);
    push_functions(lua);
    pattern_open(lua);
    push_functions(lua);
    lua_insert(lua, 2); /* ours before theirs */
    assert_int_equal(lua_pcall(lua, 2, 1, 0), LUA_OK);
    random_seed(&random, 1);
    for (int i = 0; i < ROUNDS; i++) {
        lua_pushvalue(lua, 1);
        lua_pushstring(
            lua, draw(&random, subject_parts, sizeof subject_parts / sizeof *subject_parts, 8, subject));
        lua_pushstring(lua, draw(&random, parts, sizeof parts / sizeof *parts, 6, pattern));
        lua_pushinteger(lua, (lua_Integer)random_below(&random, 12) - 5);
        lua_pushstring(lua, draw(&random, replacement_parts,
                                 sizeof replacement_parts / sizeof *replacement_parts, 3, replacement));
        if (lua_pcall(lua, 4, 0, 0) != LUA_OK) {
            fail_msg("%s", lua_tostring(lua, -1));
        }
    }
    lua_close(lua);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gives_what_the_library_gives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
