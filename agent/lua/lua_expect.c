/* What a script says of a response. */
#include "agent/lua/lua_expect.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_check.h"
#include "agent/lua/lua_extract.h"
#include "agent/lua/lua_response.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_option.h"
#include "agent/script/pattern.h"
#include "agent/shard/vu_api.h"
#include "common/compose.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define WHY_BYTES 400
#define STATUS_PATTERN_BYTES 3u

enum expect_index { EXPECT_RESPONSE = 1, EXPECT_OPTIONS };

/* One call of response:expect. */
struct expectation {
    lua_State *lua;
    struct vu *vu;
    struct lua_response_facts facts;
    struct bytes prefix; /* of the names of its checks */
    char first_name[LIMIT_NAME_BYTES + 1];
    char first_why[WHY_BYTES]; /* of the first that failed; empty: all have passed */
};

/* Counts one of its checks; `why` is NULL if it has passed. */
static void expectation_count(struct expectation *expectation, const char *what, const char *why)
{
    char name[LIMIT_NAME_BYTES + 1];

    compose(name, sizeof name, "%.*s: %s", BYTES_FORMAT(expectation->prefix), what);
    lua_check_count(expectation->vu, bytes_of_string(name), &expectation->facts.booking.tags, why);
    if (why != NULL && expectation->first_why[0] == '\0') {
        compose(expectation->first_name, sizeof expectation->first_name, "%s", name);
        compose(expectation->first_why, sizeof expectation->first_why, "%s", why);
    }
}

/* "2xx" */
static bool status_has_form(const char *form, uint32_t status)
{
    char digits[16];

    snprintf(digits, sizeof digits, "%u", status);
    for (size_t i = 0; i < STATUS_PATTERN_BYTES; i++) {
        if (form[i] != 'x' && form[i] != digits[i]) {
            return false;
        }
    }
    return true;
}

/* The number, or the form, on top of the stack. */
static bool status_is(lua_State *lua, uint32_t status)
{
    size_t size = 0;

    if (lua_isinteger(lua, -1)) {
        return lua_tointeger(lua, -1) == (lua_Integer)status;
    }
    const char *form = lua_type(lua, -1) == LUA_TSTRING ? lua_tolstring(lua, -1, &size) : "";
    if (size != STATUS_PATTERN_BYTES || strspn(form, "0123456789x") != size) {
        lua_misuse(lua, "expect: status is a number like 200, \"2xx\", or a list of those");
    }
    return status_has_form(form, status);
}

/* The option is on top of the stack, as in the functions that follow. */
static void expect_status(struct expectation *expectation)
{
    lua_State *lua = expectation->lua;
    char why[WHY_BYTES];
    char what[LIMIT_NAME_BYTES] = "status";
    bool is_good = false;

    if (lua_istable(lua, -1)) {
        for (lua_Integer i = 1; lua_rawgeti(lua, -1, i) != LUA_TNIL; i++) {
            is_good = status_is(lua, expectation->facts.status) || is_good;
            lua_pop(lua, 1);
        }
        lua_pop(lua, 1);
    } else {
        is_good = status_is(lua, expectation->facts.status);
        lua_pushvalue(lua, -1);
        compose(what, sizeof what, "status %s", lua_tostring(lua, -1));
        lua_pop(lua, 1);
    }
    compose(why, sizeof why, "got %u", expectation->facts.status);
    expectation_count(expectation, what, is_good ? NULL : why);
}

static void expect_max(struct expectation *expectation)
{
    lua_State *lua = expectation->lua;
    char why[WHY_BYTES];
    char what[LIMIT_NAME_BYTES];
    double most = lua_type(lua, -1) == LUA_TNUMBER ? lua_tonumber(lua, -1) : -1;

    if (!(most > 0)) {
        lua_misuse(lua, "expect: max is a number of seconds");
    }
    compose(what, sizeof what, "within %.6g s", most);
    compose(why, sizeof why, "took %.4g s", expectation->facts.total_s);
    expectation_count(expectation, what, expectation->facts.total_s <= most ? NULL : why);
}

/* Whether the string below the pattern, which is on top, has a match. Pops both. */
static bool has_match(lua_State *lua)
{
    lua_pushcfunction(lua, pattern_string_match);
    lua_insert(lua, -3);
    lua_call(lua, 2, 1);
    bool is_found = !lua_isnil(lua, -1);
    lua_pop(lua, 1);
    return is_found;
}

static void expect_body(struct expectation *expectation)
{
    lua_State *lua = expectation->lua;
    char what[LIMIT_NAME_BYTES];
    char why[WHY_BYTES];
    char shown[LUA_CHECK_VALUE_BYTES];

    if (lua_type(lua, -1) != LUA_TSTRING) {
        lua_misuse(lua, "expect: body is a pattern");
    }
    lua_check_describe(lua, -1, shown);
    compose(what, sizeof what, "body has %s", shown);
    lua_pushvalue(lua, -1);
    lua_response_push_body(lua);
    lua_check_describe(lua, -1, shown);
    compose(why, sizeof why, "got %s", shown);
    lua_insert(lua, -2);
    expectation_count(expectation, what, has_match(lua) ? NULL : why);
}

/* Name and pattern, or true, are on top of the stack. */
static void expect_header(struct expectation *expectation)
{
    lua_State *lua = expectation->lua;
    char what[LIMIT_NAME_BYTES];
    char why[WHY_BYTES] = "it is not there";
    char shown[LUA_CHECK_VALUE_BYTES];

    bool is_any = lua_isboolean(lua, -1) && lua_toboolean(lua, -1);
    if (lua_type(lua, -2) != LUA_TSTRING || (lua_type(lua, -1) != LUA_TSTRING && !is_any)) {
        lua_misuse(lua, "expect: header is a table of names and patterns, or true for any value");
    }
    compose(what, sizeof what, "header %s", lua_tostring(lua, -2));
    int pattern = lua_gettop(lua);
    lua_response_push_headers(lua);
    lua_pushvalue(lua, pattern - 1);
    bool is_good = lua_gettable(lua, -2) == LUA_TSTRING;
    if (is_good && !is_any) {
        lua_check_describe(lua, -1, shown);
        compose(why, sizeof why, "got %s", shown);
        lua_pushvalue(lua, pattern);
        is_good = has_match(lua);
    }
    lua_settop(lua, pattern);
    expectation_count(expectation, what, is_good ? NULL : why);
}

/* (value that was found, what is expected) → whether that is what it is */
static int is_as_expected(lua_State *lua)
{
    if (lua_isfunction(lua, 2)) {
        lua_insert(lua, 1);
        lua_call(lua, 1, 1);
        lua_pushboolean(lua, lua_toboolean(lua, -1));
    } else {
        lua_pushboolean(lua, lua_rawequal(lua, 1, 2));
    }
    return 1;
}

/* Path and what is expected are on top of the stack. */
static void expect_json_path(struct expectation *expectation)
{
    lua_State *lua = expectation->lua;
    char what[LIMIT_NAME_BYTES];
    char why[WHY_BYTES];
    char shown[LUA_CHECK_VALUE_BYTES];
    int expected = lua_gettop(lua);

    if (lua_type(lua, -2) != LUA_TSTRING || lua_istable(lua, -1)) {
        lua_misuse(lua, "expect: json is a table of paths and values, or functions that judge them");
    }
    compose(what, sizeof what, "json %s", lua_tostring(lua, -2));
    lua_pushcfunction(lua, lua_extract_json);
    lua_pushvalue(lua, EXPECT_RESPONSE);
    lua_pushvalue(lua, expected - 1);
    bool is_good = lua_pcall(lua, 2, 1, 0) == LUA_OK; /* it may be no JSON at all */
    if (is_good) {
        lua_check_describe(lua, -1, shown);
        compose(why, sizeof why, "got %s", shown);
        lua_pushcfunction(lua, is_as_expected);
        lua_insert(lua, -2);
        lua_pushvalue(lua, expected);
        is_good = lua_pcall(lua, 2, 1, 0) == LUA_OK;
    }
    if (!is_good) {
        lua_check_let_pass(lua);
        compose(why, sizeof why, "%s", luaL_tolstring(lua, -1, NULL));
    } else {
        is_good = lua_toboolean(lua, -1);
    }
    lua_settop(lua, expected);
    expectation_count(expectation, what, is_good ? NULL : why);
}

/* The path itself has to be one: that is no matter of the response. */
static void check_json_path(struct expectation *expectation)
{
    if (lua_type(expectation->lua, -2) == LUA_TSTRING) {
        lua_extract_check_path(expectation->lua, -2);
    }
    expect_json_path(expectation);
}

/* Each pair of the table on top of the stack. */
static void expect_pairs(struct expectation *expectation, const char *name,
                         void (*judge)(struct expectation *expectation))
{
    lua_State *lua = expectation->lua;

    if (!lua_istable(lua, -1)) {
        lua_misuse(lua, "expect: %s is a table, not a %s", name, luaL_typename(lua, -1));
    }
    luaL_checkstack(lua, 12, NULL);
    for (lua_pushnil(lua); lua_next(lua, -2); lua_pop(lua, 1)) {
        judge(expectation);
    }
}

static void expect_all(struct expectation *expectation)
{
    lua_State *lua = expectation->lua;

    if (lua_option_get(lua, EXPECT_OPTIONS, "status") != LUA_TNIL) {
        expect_status(expectation);
    }
    if (lua_option_get(lua, EXPECT_OPTIONS, "header") != LUA_TNIL) {
        expect_pairs(expectation, "header", expect_header);
    }
    if (lua_option_get(lua, EXPECT_OPTIONS, "body") != LUA_TNIL) {
        expect_body(expectation);
    }
    if (lua_option_get(lua, EXPECT_OPTIONS, "json") != LUA_TNIL) {
        expect_pairs(expectation, "json", check_json_path);
    }
    if (lua_option_get(lua, EXPECT_OPTIONS, "max") != LUA_TNIL) {
        expect_max(expectation);
    }
    lua_settop(lua, EXPECT_OPTIONS);
}

/* `name` and `fail`, before anything is judged. */
static bool expectation_take_options(struct expectation *expectation)
{
    static const char *const names[] = {"status", "header", "body", "json", "max", "name", "fail", NULL};
    lua_State *lua = expectation->lua;
    size_t size = 0;

    luaL_checktype(lua, EXPECT_OPTIONS, LUA_TTABLE);
    if (lua_call_check_options(lua, EXPECT_OPTIONS, "expect", names) == 0) {
        lua_misuse(lua, "expect: nothing is expected");
    }
    if (lua_option_get(lua, EXPECT_OPTIONS, "name") != LUA_TNIL) {
        const char *name = lua_type(lua, -1) == LUA_TSTRING ? lua_tolstring(lua, -1, &size) : "";
        if (*name == '\0' || !bytes_is_printable(bytes_of(name, size)) || size > LIMIT_NAME_BYTES) {
            lua_misuse(lua, "expect: name is printable text of 1 to %u bytes", LIMIT_NAME_BYTES);
        }
        expectation->prefix = bytes_of(name, size); /* the table holds it */
    }
    bool is_failure = lua_option_get(lua, EXPECT_OPTIONS, "fail") != LUA_TNIL && lua_toboolean(lua, -1);
    if (!lua_isnil(lua, -1) && !lua_isboolean(lua, -1)) {
        lua_misuse(lua, "expect: fail is true or false");
    }
    lua_settop(lua, EXPECT_OPTIONS);
    return is_failure;
}

int lua_expect(lua_State *lua)
{
    struct expectation expectation = {.lua = lua, .vu = vu_current(lua, "expect")};

    lua_settop(lua, EXPECT_OPTIONS);
    expectation.facts = lua_response_facts(lua);
    expectation.prefix = expectation.facts.booking.name;
    bool is_failure = expectation_take_options(&expectation);
    expect_all(&expectation);
    bool is_good = expectation.first_why[0] == '\0';
    if (!is_good && is_failure) {
        return lua_check_raise(lua, bytes_of_string(expectation.first_name), expectation.first_why);
    }
    lua_pushboolean(lua, is_good);
    if (is_good) {
        return 1;
    }
    lua_pushfstring(lua, "%s: %s", expectation.first_name, expectation.first_why);
    return 2;
}

/* Its reason is an error of the report, which counts as often as the request failed because of it. */
static void count_reason(const struct vu *vu, struct bytes name, const char *why)
{
    char text[LIMIT_TEXT_BYTES];

    compose(text, sizeof text, "%.*s: %s", BYTES_FORMAT(name), why);
    struct error_sample sample = {.key = bytes_of_string(text),
                                  .text = bytes_of_string(text),
                                  .scenario = bytes_of_string(""),
                                  .worker = vu->id,
                                  .step = vu->step};
    meter_error(vu_meter(vu), &sample);
}

static void rebook(lua_State *lua, struct vu *vu, bool is_ok)
{
    struct lua_response_facts facts = lua_response_facts(lua);

    if (facts.is_judged) {
        lua_misuse(lua, "this response has been judged already");
    }
    if (facts.booking.is_ok != is_ok) {
        meter_rebook(vu_meter(vu), facts.booking.name, &facts.booking.tags, is_ok);
    }
    lua_response_rebook(lua, is_ok);
}

int lua_expect_fail(lua_State *lua)
{
    char why[WHY_BYTES];
    struct vu *vu = vu_current(lua, "fail");
    size_t size;

    lua_settop(lua, 2);
    (void)lua_response_facts(lua);
    if (lua_type(lua, 2) != LUA_TSTRING) {
        return lua_misuse(lua, "fail: expected why, as a string");
    }
    const char *text = lua_tolstring(lua, 2, &size);
    bytes_to_text(bytes_of(text, size), why, sizeof why);
    rebook(lua, vu, false);
    count_reason(vu, lua_response_facts(lua).booking.name, why);
    return 0;
}

int lua_expect_ok(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "ok");

    lua_settop(lua, 1);
    rebook(lua, vu, true);
    return 0;
}
