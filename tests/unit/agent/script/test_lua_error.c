/* The error objects of API calls: their fields, where they were raised, and what counts as stopped. */
#include "agent/script/lua_error.h"

#include "agent/script/error_hint.h"
#include "common/memory.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static lua_State *lua;
static struct lua_failure failure;

static int raise_failure(lua_State *raising)
{
    return lua_failure_raise(raising, &failure);
}

static int raise_misuse(lua_State *raising)
{
    return lua_misuse(raising, "%s is not %d", "this", 7);
}

/* Finds what an assertion that fails here is about. */
static int push_witness(lua_State *of)
{
    const char *name = error_hint_push_witness(of);
    lua_pushstring(of, name != NULL ? name : "none");
    return 1;
}

static int show_nothing(lua_State *of)
{
    lua_pushliteral(of, "shown");
    return 1;
}

static int open_lua(void **state)
{
    (void)state;
    lua = luaL_newstate();
    luaL_openlibs(lua);
    lua_register(lua, "raise", raise_failure);
    lua_register(lua, "misuse", raise_misuse);
    lua_register(lua, "witness", push_witness);
    (void)lua_newuserdata(lua, 1);
    lua_newtable(lua);
    lua_pushcfunction(lua, show_nothing);
    lua_setfield(lua, -2, "__tostring");
    lua_setmetatable(lua, -2);
    lua_setglobal(lua, "response");
    (void)lua_newuserdata(lua, 1);
    lua_setglobal(lua, "bare");
    return 0;
}

static int close_lua(void **state)
{
    (void)state;
    lua_close(lua);
    return 0;
}

/* Runs a chunk called pad.lua and leaves its one result on the stack. */
static void run_chunk(const char *code)
{
    lua_settop(lua, 0);
    assert_int_equal(luaL_loadbuffer(lua, code, strlen(code), "=pad.lua"), LUA_OK);
    if (lua_pcall(lua, 0, 1, 0) != LUA_OK) {
        fail_msg("%s", lua_tostring(lua, -1));
    }
}

static void expect_result(const char *code, const char *text)
{
    run_chunk(code);
    luaL_tolstring(lua, -1, NULL);
    assert_string_equal(lua_tostring(lua, -1), text);
}

static void a_failure_has_the_fields_that_apply(void **state)
{
    (void)state;
    struct worker_set missing = {0};
    worker_set_add(&missing, 3);
    worker_set_add(&missing, 8);
    failure = (struct lua_failure){.outcome = "timeout",
                                   .kind = "connect",
                                   .status = 407,
                                   .phase = "tls",
                                   .group = "of its host",
                                   .waited_s = 1.5,
                                   .missing = &missing,
                                   .message = "nobody came"};
    expect_result(
        "local _, e = pcall(raise)\n"
        "return table.concat({ e.outcome, e.kind, e.status, e.phase, e.group, e.waited, #e.missing,\n"
        "  e.missing[1], e.missing[2], e.message }, ' ')",
        "timeout connect 407 tls of its host 1.5 2 3 8 nobody came");
    failure = (struct lua_failure){.message = "just so"};
    expect_result(
        "local _, e = pcall(raise)\n"
        "return tostring(e.outcome) .. tostring(e.kind) .. tostring(e.status) .. tostring(e.phase)\n"
        "  .. tostring(e.group) .. tostring(e.waited) .. tostring(e.missing) .. e.message",
        "nilnilnilnilnilnilniljust so");
    worker_set_finish(&missing);
}

static void it_shows_itself_with_its_line(void **state)
{
    (void)state;
    failure = (struct lua_failure){.message = "just so"};
    expect_result("local _, e = pcall(function()\n raise() end) return tostring(e)", "pad.lua:2: just so");
    expect_result("local _, e = pcall(function()\n raise() end) return 'it failed: ' .. e .. '!'",
                  "it failed: pad.lua:2: just so!");
    expect_result("local _, e = pcall(function() raise() end) e.where = nil return tostring(e)", "error");
    expect_result("local _, e = pcall(function() raise() end) e.message = {} return tostring(e)", "error");
    expect_result("local _, e = pcall(function() raise() end) return getmetatable(e)", "error");
    expect_result("local _, e = pcall(function()\n\n misuse() end) return e", "pad.lua:3: this is not 7");
}

/* A function of ours that is written in Lua is no line of the script. */
static void where_is_the_line_of_the_script(void **state)
{
    (void)state;
    static const char ours[] = "return function() local ok = misuse() return ok end";
    lua_settop(lua, 0);
    assert_int_equal(luaL_loadbuffer(lua, ours, sizeof ours - 1, "=" LUA_SOURCES_CHUNKS "browser/pages.lua"),
                     LUA_OK);
    assert_int_equal(lua_pcall(lua, 0, 1, 0), LUA_OK);
    lua_setglobal(lua, "ours");
    expect_result("local _, e = pcall(function()\n local ok = ours() return ok end) return e",
                  "pad.lua:2: this is not 7");
    lua_settop(lua, 0);
    lua_push_where(lua); /* no function of Lua at all */
    assert_string_equal(lua_tostring(lua, -1), "");
}

static void only_our_mark_means_stopped(void **state)
{
    (void)state;
    failure = (struct lua_failure){.message = "over", .is_stopped = true};
    run_chunk("local _, e = pcall(raise) return e");
    assert_true(lua_failure_is_stopped(lua, -1));
    failure.is_stopped = false;
    run_chunk("local _, e = pcall(raise) e.is_stopped = true e.outcome = 'stopped' return e");
    assert_false(lua_failure_is_stopped(lua, -1));
    run_chunk("return setmetatable({}, {})");
    assert_false(lua_failure_is_stopped(lua, -1));
    run_chunk("return 'stopped'");
    assert_false(lua_failure_is_stopped(lua, -1));
    assert_int_equal(lua_gettop(lua), 1);
}

static void a_group_stands_beside_its_line(void **state)
{
    (void)state;
    failure = (struct lua_failure){.message = "a.example: refused", .group = "refused"};
    run_chunk("\n\nlocal _, e = pcall(function() raise() end) return e");
    char *group = lua_failure_copy_group(lua, -1);
    assert_string_equal(group, "pad.lua:3: refused");
    memory_free(group);
    assert_int_equal(lua_gettop(lua), 1);
    failure.group = NULL;
    run_chunk("local _, e = pcall(raise) return e");
    assert_null(lua_failure_copy_group(lua, -1));
    assert_int_equal(lua_gettop(lua), 1);
    run_chunk("return { where = 'a', group = 'b' }");
    assert_null(lua_failure_copy_group(lua, -1));
}

static void a_table_becomes_a_failure(void **state)
{
    (void)state;
    lua_settop(lua, 0);
    lua_newtable(lua);
    lua_pushliteral(lua, "adopted");
    lua_setfield(lua, -2, "message");
    lua_failure_adopt(lua, -1);
    assert_int_equal(lua_gettop(lua), 1);
    assert_false(lua_failure_is_stopped(lua, 1));
    luaL_tolstring(lua, 1, NULL);
    assert_string_equal(lua_tostring(lua, -1), "adopted");
}

static void bare_assertions_and_targets_are_recognised(void **state)
{
    (void)state;
    assert_true(error_hint_is_bare_assertion(bytes_of_string("pad.lua:3: assertion failed!")));
    assert_true(error_hint_is_bare_assertion(bytes_of_string("assertion failed!")));
    assert_false(error_hint_is_bare_assertion(bytes_of_string("assertion failed")));
    assert_false(error_hint_is_bare_assertion(bytes_of_string("assertion failed! twice")));
    assert_false(error_hint_is_bare_assertion(bytes_of_string("")));
    assert_true(error_hint_is_target(
        bytes_of_string("pad.lua:2: attempt to concatenate a nil value (field 'target')")));
    assert_false(error_hint_is_target(bytes_of_string("a nil value (field 'targets')")));
    assert_false(error_hint_is_target(bytes_of_string("")));
}

/* Of the locals of the innermost function, the last that is an object of ours. */
static void the_last_object_is_the_witness(void **state)
{
    (void)state;
    expect_result("local a, b, c = response, response, 5 local name = witness() return name", "b");
    expect_result("local a, b, c = response, bare, {} local name = witness() return name", "a");
    expect_result("local a = 5 local name = witness() return name", "none");
    expect_result("local a = setmetatable({}, { __tostring = error }) local name = witness() return name",
                  "none");
    expect_result("local a = response local function f() local own = 1 local n = witness() return n end\n"
                  "local name = f() return name",
                  "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_has_the_fields_that_apply),
        cmocka_unit_test(it_shows_itself_with_its_line),
        cmocka_unit_test(where_is_the_line_of_the_script),
        cmocka_unit_test(only_our_mark_means_stopped),
        cmocka_unit_test(a_group_stands_beside_its_line),
        cmocka_unit_test(a_table_becomes_a_failure),
        cmocka_unit_test(bare_assertions_and_targets_are_recognised),
        cmocka_unit_test(the_last_object_is_the_witness),
    };
    return cmocka_run_group_tests(tests, open_lua, close_lua);
}
