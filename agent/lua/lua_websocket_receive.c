/* How scripts get the messages of a WebSocket. */
#include "agent/lua/lua_websocket_receive.h"

#include "agent/lua/lua_websocket_wait.h"
#include "agent/script/lua_error.h"
#include "agent/websocket/websocket.h"

#include <lauxlib.h>

static int receive_go_on(lua_State *lua, int status, lua_KContext context);

static int receive_now(lua_State *lua, struct vu *vu)
{
    struct vu_websocket *websocket = lua_websocket_of(lua, vu, "ws:receive");
    int count = lua_websocket_push_message(lua, websocket);

    if (count > 0) {
        return count;
    }
    if (lua_websocket_is_over(websocket)) {
        return lua_websocket_raise_closed(lua, websocket, "ws:receive");
    }
    return lua_websocket_wait(lua, vu, "ws:receive", receive_go_on);
}

static int receive_go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return receive_now(lua, lua_websocket_end_wait(lua, "ws:receive"));
}

int lua_websocket_receive(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "ws:receive");

    lua_settop(lua, 2);
    (void)lua_websocket_of(lua, vu, "ws:receive");
    lua_websocket_check_wait(lua, vu, "ws:receive");
    lua_websocket_prepare_wait(lua, lua_websocket_timeout(lua, 2, "ws:receive"), 1);
    return receive_now(lua, vu);
}

static int until_go_on(lua_State *lua, int status, lua_KContext context);
static int until_on_judged(lua_State *lua, int status, lua_KContext context);

/* Whether the script's function, which has judged the message, wants it. */
static bool is_wanted(lua_State *lua)
{
    bool is_so = lua_toboolean(lua, -1);

    lua_settop(lua, is_so ? WAIT_OWN + 3 : WAIT_OWN);
    return is_so;
}

/* The function is at WAIT_OWN; the message, its kind and its time are put after it. */
static int until_now(lua_State *lua, struct vu *vu)
{
    struct vu_websocket *websocket = lua_websocket_of(lua, vu, "ws:receive_until");

    while (lua_websocket_push_message(lua, websocket) > 0) {
        lua_pushvalue(lua, WAIT_OWN);
        for (int i = 1; i <= 3; i++) {
            lua_pushvalue(lua, WAIT_OWN + i);
        }
        lua_callk(lua, 3, 1, 0, until_on_judged);
        if (is_wanted(lua)) {
            return 3;
        }
    }
    if (lua_websocket_is_over(websocket)) {
        return lua_websocket_raise_closed(lua, websocket, "ws:receive_until");
    }
    return lua_websocket_wait(lua, vu, "ws:receive_until", until_go_on);
}

static int until_on_judged(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return is_wanted(lua) ? 3 : until_now(lua, vu_current(lua, "ws:receive_until"));
}

static int until_go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return until_now(lua, lua_websocket_end_wait(lua, "ws:receive_until"));
}

int lua_websocket_receive_until(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "ws:receive_until");

    lua_settop(lua, 3);
    (void)lua_websocket_of(lua, vu, "ws:receive_until");
    if (lua_type(lua, 2) != LUA_TFUNCTION) {
        return lua_misuse(lua, "ws:receive_until: expected a function, got a %s", luaL_typename(lua, 2));
    }
    lua_websocket_check_wait(lua, vu, "ws:receive_until");
    lua_websocket_prepare_wait(lua, lua_websocket_timeout(lua, 3, "ws:receive_until"), 2);
    return until_now(lua, vu);
}

static int next_go_on(lua_State *lua, int status, lua_KContext context);

static int next_now(lua_State *lua, struct vu *vu)
{
    struct vu_websocket *websocket = lua_websocket_of(lua, vu, "ws:messages");
    int count = lua_websocket_push_message(lua, websocket);

    if (count > 0) {
        return count;
    }
    if (lua_websocket_is_over(websocket)) {
        lua_pushnil(lua);
        return 1;
    }
    return lua_websocket_wait(lua, vu, "ws:messages", next_go_on);
}

static int next_go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return next_now(lua, lua_websocket_end_wait(lua, "ws:messages"));
}

/* The timeout in milliseconds is the upvalue; 0: none. */
static int websocket_next_message(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "ws:messages");

    lua_settop(lua, 1);
    (void)lua_websocket_of(lua, vu, "ws:messages");
    lua_websocket_check_wait(lua, vu, "ws:messages");
    lua_websocket_prepare_wait(lua, (uint64_t)lua_tointeger(lua, lua_upvalueindex(1)), 1);
    return next_now(lua, vu);
}

int lua_websocket_messages(lua_State *lua)
{
    lua_settop(lua, 2);
    uint64_t timeout_ms = lua_websocket_timeout(lua, 2, "ws:messages");
    lua_pushinteger(lua, lua_isnil(lua, 2) ? 0 : (lua_Integer)timeout_ms);
    lua_pushcclosure(lua, websocket_next_message, 1);
    lua_pushvalue(lua, 1);
    return 2;
}
