/* `ws:expect`: a reader sees on its connection what the writer of a round has written. */
#include "agent/lua/lua_websocket_receive.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_notifier.h"
#include "agent/lua/lua_websocket_wait.h"
#include "agent/script/lua_error.h"

#include <lauxlib.h>

#define EXPECT "ws:expect"

enum expect_index { EXPECT_ROUND = WAIT_OWN, EXPECT_TEXT, EXPECT_MESSAGE, EXPECT_KIND, EXPECT_AT };

static int expect_on_booked(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    lua_settop(lua, EXPECT_AT);
    return 3;
}

/* round:one_read(text, { seen_at = at }) */
static int expect_book(lua_State *lua)
{
    lua_getfield(lua, EXPECT_ROUND, "one_read");
    lua_pushvalue(lua, EXPECT_ROUND);
    lua_pushvalue(lua, EXPECT_TEXT);
    lua_createtable(lua, 0, 1);
    lua_pushvalue(lua, EXPECT_AT);
    lua_setfield(lua, -2, "seen_at");
    lua_callk(lua, 3, 0, 0, expect_on_booked);
    return expect_on_booked(lua, LUA_OK, 0);
}

static int expect_go_on(lua_State *lua, int status, lua_KContext context);

static int expect_now(lua_State *lua, struct vu *vu)
{
    struct vu_websocket *websocket = lua_websocket_of(lua, vu, EXPECT);

    while (lua_websocket_push_message(lua, websocket) > 0) {
        if (lua_rawequal(lua, EXPECT_MESSAGE, EXPECT_TEXT)) {
            return expect_book(lua);
        }
        lua_settop(lua, EXPECT_TEXT);
    }
    if (lua_websocket_is_over(websocket)) {
        return lua_websocket_raise_closed(lua, websocket, EXPECT);
    }
    return lua_websocket_wait(lua, vu, EXPECT, expect_go_on);
}

static int expect_go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return expect_now(lua, lua_websocket_end_wait(lua, EXPECT));
}

/* The writer has written; messages that came before the reader knew it wait in the queue, with their dates.
 */
static int expect_on_written(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, EXPECT);

    (void)status, (void)context;
    if (lua_type(lua, EXPECT_TEXT) != LUA_TSTRING) {
        return lua_misuse(lua, EXPECT ": what was written is a %s, not a text",
                          luaL_typename(lua, EXPECT_TEXT));
    }
    return expect_now(lua, vu);
}

int lua_websocket_expect(lua_State *lua)
{
    static const char *const names[] = {"from", "timeout", NULL};
    struct vu *vu = vu_current(lua, EXPECT);

    lua_settop(lua, 2);
    (void)lua_websocket_of(lua, vu, EXPECT);
    lua_call_check_options(lua, 2, EXPECT, names);
    lua_option_get(lua, 2, "from");
    if (!lua_notifier_is(lua, 3)) {
        return lua_misuse(lua, EXPECT ": from is a round, that of worker:notifier, not a %s",
                          luaL_typename(lua, 3));
    }
    lua_websocket_check_wait(lua, vu, EXPECT);
    uint64_t timeout_ms = lua_websocket_timeout_of(lua, 2, EXPECT);
    lua_replace(lua, 2);
    lua_websocket_prepare_wait(lua, timeout_ms, 2);
    lua_getfield(lua, EXPECT_ROUND, "wait_for_writer");
    lua_pushvalue(lua, EXPECT_ROUND);
    lua_pushnumber(lua, (double)timeout_ms / 1000);
    lua_callk(lua, 2, 1, 0, expect_on_written);
    return expect_on_written(lua, LUA_OK, 0);
}
