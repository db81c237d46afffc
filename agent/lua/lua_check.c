/* tutti.check and tutti.thresholds. */
#include "agent/lua/lua_check.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_tags.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_option.h"
#include "agent/script/script_options.h"
#include "agent/script/script_state.h"
#include "agent/shard/vu_api.h"
#include "common/compose.h"
#include "proto/message/limits.h"

#include <lauxlib.h>

#define SHOWN_BYTES 60
#define CHECK_TEXT_BYTES 400

/* The tags are at the last one, as a label of lua_tags.h without a name. */
enum check_index { CHECK_VALUE = 1, CHECK_NAME, CHECK_PREDICATE, CHECK_OPTIONS, CHECK_TAGS };

void lua_check_count(struct vu *vu, struct bytes name, const struct tag_set *tags, const char *text)
{
    struct check_sample sample = {.name = name,
                                  .tags = vu_tags_under(vu, tags),
                                  .is_passed = text == NULL,
                                  .text = bytes_of_string(text),
                                  .worker = vu->id,
                                  .step = vu->step};

    meter_check(vu_meter(vu), &sample);
}

void lua_check_describe(lua_State *lua, int index, char text[LUA_CHECK_VALUE_BYTES])
{
    size_t size;

    switch (lua_type(lua, index)) {
    case LUA_TSTRING: {
        const char *string = lua_tolstring(lua, index, &size);
        char shown[SHOWN_BYTES];
        bytes_to_text(bytes_of(string, size), shown, sizeof shown);
        compose(text, LUA_CHECK_VALUE_BYTES, "\"%s\"%s", shown, size >= sizeof shown ? "…" : "");
        return;
    }
    case LUA_TNUMBER:
        if (lua_isinteger(lua, index)) {
            compose(text, LUA_CHECK_VALUE_BYTES, "%lld", (long long)lua_tointeger(lua, index));
        } else {
            compose(text, LUA_CHECK_VALUE_BYTES, "%.14g", lua_tonumber(lua, index));
        }
        return;
    case LUA_TBOOLEAN:
        compose(text, LUA_CHECK_VALUE_BYTES, "%s", lua_toboolean(lua, index) ? "true" : "false");
        return;
    case LUA_TNIL:
        compose(text, LUA_CHECK_VALUE_BYTES, "nil");
        return;
    case LUA_TLIGHTUSERDATA:
        compose(text, LUA_CHECK_VALUE_BYTES, "null");
        return;
    default:
        compose(text, LUA_CHECK_VALUE_BYTES, "a %s", luaL_typename(lua, index));
        return;
    }
}

int lua_check_raise(lua_State *lua, struct bytes name, const char *text)
{
    char message[CHECK_TEXT_BYTES + LIMIT_NAME_BYTES];
    char group[LIMIT_NAME_BYTES + 20];
    struct lua_failure failure = {.kind = "check", .group = group, .message = message};

    compose(group, sizeof group, "check %.*s", BYTES_FORMAT(name));
    compose(message, sizeof message, "check \"%.*s\" failed: %s", BYTES_FORMAT(name), text);
    return lua_failure_raise(lua, &failure);
}

void lua_check_let_pass(lua_State *lua)
{
    if (script_of(lua)->limits.termination != TERMINATION_NONE || lua_failure_is_stopped(lua, -1)) {
        lua_error(lua);
    }
}

/* `text`: why it failed; NULL: it has passed. */
static int check_settle(lua_State *lua, const char *text)
{
    struct vu *vu = vu_current(lua, "tutti.check");
    size_t size;
    const char *name = lua_tolstring(lua, CHECK_NAME, &size);

    struct tag_set tags = lua_tags_label_tags(lua, CHECK_TAGS);
    lua_check_count(vu, bytes_of(name, size), &tags, text);
    if (text != NULL && lua_toboolean(lua, CHECK_OPTIONS)) {
        return lua_check_raise(lua, bytes_of(name, size), text);
    }
    lua_pushboolean(lua, text == NULL);
    return 1;
}

/* The result of the predicate, or its error, is on top. */
static int on_predicate(lua_State *lua, int status, lua_KContext context)
{
    char text[CHECK_TEXT_BYTES];
    char value[LUA_CHECK_VALUE_BYTES];

    (void)context;
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_check_let_pass(lua);
        size_t size;
        const char *error = luaL_tolstring(lua, -1, &size);
        bytes_to_text(bytes_of(error, size), text, sizeof text);
        return check_settle(lua, text);
    }
    if (lua_toboolean(lua, -1)) {
        return check_settle(lua, NULL);
    }
    lua_check_describe(lua, CHECK_VALUE, value);
    compose(text, sizeof text, "got %s", value);
    return check_settle(lua, text);
}

static int check_equal(lua_State *lua)
{
    char text[CHECK_TEXT_BYTES];
    char value[LUA_CHECK_VALUE_BYTES];
    char expected[LUA_CHECK_VALUE_BYTES];

    if (lua_rawequal(lua, CHECK_VALUE, CHECK_PREDICATE)) {
        return check_settle(lua, NULL);
    }
    lua_check_describe(lua, CHECK_VALUE, value);
    lua_check_describe(lua, CHECK_PREDICATE, expected);
    compose(text, sizeof text, "got %s, expected %s", value, expected);
    return check_settle(lua, text);
}

/* Puts whether it is to fail the step at CHECK_OPTIONS, and its tags at CHECK_TAGS. */
static void check_take_options(lua_State *lua)
{
    static const char *const names[] = {"fail", "tags", NULL};
    struct tag_set tags = {0};

    if (lua_istable(lua, CHECK_PREDICATE) && lua_isnil(lua, CHECK_OPTIONS)) {
        lua_pushnil(lua);
        lua_insert(lua, CHECK_PREDICATE); /* only options were given */
        lua_settop(lua, CHECK_OPTIONS);
    }
    (void)lua_call_check_options(lua, CHECK_OPTIONS, "tutti.check", names);
    bool is_failure = false;
    if (lua_istable(lua, CHECK_OPTIONS)) {
        if (lua_option_get(lua, CHECK_OPTIONS, "fail") > LUA_TBOOLEAN) {
            lua_misuse(lua, "tutti.check: fail is true or false");
        }
        is_failure = lua_toboolean(lua, -1);
        if (lua_option_get(lua, CHECK_OPTIONS, "tags") != LUA_TNIL) {
            tags = lua_tags_read(lua, lua_gettop(lua), "tutti.check");
        }
    }
    lua_settop(lua, CHECK_OPTIONS);
    lua_pushboolean(lua, is_failure);
    lua_replace(lua, CHECK_OPTIONS);
    lua_pushnil(lua);
    lua_tags_push_label(lua, CHECK_TAGS, &tags);
    lua_replace(lua, CHECK_TAGS);
}

int lua_check(lua_State *lua)
{
    size_t size = 0;

    vu_current(lua, "tutti.check");
    luaL_checkany(lua, 1);
    if (lua_type(lua, CHECK_NAME) != LUA_TSTRING) {
        return lua_misuse(lua, "tutti.check: expected a name, got a %s", luaL_typename(lua, CHECK_NAME));
    }
    const char *name = lua_tolstring(lua, CHECK_NAME, &size);
    if (size == 0 || size > LIMIT_NAME_BYTES || !bytes_is_printable(bytes_of(name, size))) {
        return lua_misuse(lua, "tutti.check: a name is printable text of 1 to %u bytes", LIMIT_NAME_BYTES);
    }
    lua_settop(lua, CHECK_OPTIONS);
    check_take_options(lua);
    switch (lua_type(lua, CHECK_PREDICATE)) {
    case LUA_TNIL:
        lua_pushvalue(lua, CHECK_VALUE);
        return on_predicate(lua, LUA_OK, 0);
    case LUA_TFUNCTION: {
        lua_pushvalue(lua, CHECK_PREDICATE);
        lua_pushvalue(lua, CHECK_VALUE);
        int status = lua_pcallk(lua, 1, 1, 0, 0, on_predicate);
        return on_predicate(lua, status, 0);
    }
    case LUA_TTABLE:
        return lua_misuse(lua,
                          "tutti.check: the third argument is a function, or the value that is expected");
    default:
        return check_equal(lua);
    }
}

/* One with a name, as k6 has them, would go unseen: only what is listed is judged. */
static void check_thresholds_are_listed(lua_State *lua)
{
    for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1)) {
        if (!lua_isinteger(lua, -2)) {
            lua_misuse(lua,
                       "tutti.thresholds: expected a list like { \"http.p95 < 200ms\" }, got the name %s",
                       luaL_tolstring(lua, -2, NULL));
        }
    }
}

int lua_check_set_thresholds(lua_State *lua)
{
    if (!script_of(lua)->is_loading) {
        return lua_misuse(lua, "tutti.thresholds: only while the script loads");
    }
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_option_check_plain(lua, 1, "tutti.thresholds");
    lua_settop(lua, 1);
    check_thresholds_are_listed(lua);
    script_options_add(lua, "threshold");
    return 0;
}
