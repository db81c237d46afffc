/* What a report shows of an error: of texts, of objects with a message, and of tables without one. */
#include "agent/script/error_text.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static lua_State *lua;

static int open_lua(void **state)
{
    (void)state;
    lua = luaL_newstate();
    luaL_openlibs(lua);
    return 0;
}

static int close_lua(void **state)
{
    (void)state;
    lua_close(lua);
    return 0;
}

/* The text of the value of an expression. */
static void expect_text(const char *expression, const char *text)
{
    lua_settop(lua, 0);
    lua_pushcfunction(lua, error_text_push);
    lua_pushfstring(lua, "return %s", expression);
    assert_int_equal(luaL_loadstring(lua, lua_tostring(lua, -1)), LUA_OK);
    lua_remove(lua, -2);
    assert_int_equal(lua_pcall(lua, 0, 1, 0), LUA_OK);
    assert_int_equal(lua_pcall(lua, 1, 1, 0), LUA_OK);
    assert_string_equal(lua_tostring(lua, -1), text);
}

static void texts_and_numbers_are_themselves(void **state)
{
    (void)state;
    expect_text("'out of ink'", "out of ink");
    expect_text("42", "42");
    expect_text("nil", "nil");
    expect_text("true", "true");
}

static void tables_say_what_they_can(void **state)
{
    (void)state;
    expect_text("{ message = 'refused', code = 7 }", "refused");
    expect_text("setmetatable({ message = 'x' }, { __tostring = function() return 'shown' end })", "shown");
    expect_text("{}", "{}");
    expect_text("{ message = 5 }", "{ message = 5 }");
    expect_text("{ code = 7, name = 'x', ok = false, list = {}, f = print, half = 0.5 }",
                "{ code = 7, f = a function, half = 0.5, list = {…}, name = \"x\", ok = false }");
}

static void places_come_first_and_names_in_order(void **state)
{
    (void)state;
    expect_text("{ 'a', 'b', [-3] = 'minus', zeta = 1, alpha = 2 }",
                "{ \"minus\", \"a\", \"b\", alpha = 2, zeta = 1 }");
    expect_text("{ [1.5] = 'x', [true] = 'y', a = 1 }", "{ a = 1, … }");
}

static void much_is_left_out(void **state)
{
    (void)state;
    expect_text("{ 1, 2, 3, 4, 5, 6, 7, 8 }", "{ 1, 2, 3, 4, 5, 6, 7, 8 }");
    expect_text("{ 1, 2, 3, 4, 5, 6, 7, 8, 9 }", "{ 1, 2, 3, 4, 5, 6, 7, 8, … }");
    expect_text("(function() local t = {} for i = 1, 64 do t[i] = i end return t end)()",
                "{ 1, 2, 3, 4, 5, 6, 7, 8, … }");
    expect_text("(function() local t = {} for i = 1, 500 do t[i] = i end return t end)()",
                "{ 1, 2, 3, 4, 5, 6, 7, 8, … }");
    expect_text(
        "#(tostring(nil)) == 3 and { a = ('x'):rep(300) }",
        "{ a = \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxx\" }");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_numbers_are_themselves),
        cmocka_unit_test(tables_say_what_they_can),
        cmocka_unit_test(places_come_first_and_names_in_order),
        cmocka_unit_test(much_is_left_out),
    };
    return cmocka_run_group_tests(tests, open_lua, close_lua);
}
