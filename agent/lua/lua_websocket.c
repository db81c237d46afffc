/* What scripts do with a connection: they send, ping and close it, and look at it. */
#include "agent/lua/lua_websocket.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_websocket_receive.h"
#include "agent/lua/lua_websocket_wait.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/websocket/websocket.h"
#include "common/clock.h"
#include "proto/message/limits.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

static int send_go_on(lua_State *lua, int status, lua_KContext context);

/* Which of the connection's messages it is is at WAIT_OWN: waits until the kernel has all of it. */
static int send_await_leaving(lua_State *lua, struct vu *vu)
{
    struct vu_websocket *websocket = lua_websocket_of(lua, vu, "ws:send");
    bool has_left = websocket_left(websocket->socket) >= (uint64_t)lua_tointeger(lua, WAIT_OWN);

    if (has_left || !script_may_wait(lua)) {
        uint64_t at_ns = has_left ? websocket_left_ns(websocket->socket) : clock_now_ns();
        lua_pushnumber(lua, (double)at_ns / 1e9);
        return 1;
    }
    if (lua_websocket_is_over(websocket)) {
        return lua_websocket_raise_closed(lua, websocket, "ws:send");
    }
    return lua_websocket_wait(lua, vu, "ws:send", send_go_on);
}

static int send_go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return send_await_leaving(lua, lua_websocket_end_wait(lua, "ws:send"));
}

static struct bytes send_check_data(lua_State *lua, int index, bool is_binary)
{
    size_t size;

    if (lua_type(lua, index) != LUA_TSTRING) {
        lua_misuse(lua, "ws:send: expected a string, got a %s", luaL_typename(lua, index));
    }
    const char *data = lua_tolstring(lua, index, &size);
    if (size > WEBSOCKET_MAX_MESSAGE_BYTES) {
        lua_misuse(lua, "ws:send: a message has at most %d MiB", WEBSOCKET_MAX_MESSAGE_BYTES >> 20);
    }
    if (!is_binary && !text_is_utf8(bytes_of(data, size))) {
        lua_misuse(lua, "ws:send: the text is not UTF-8 (send_binary sends any bytes)");
    }
    return bytes_of(data, size);
}

/* Raises where nothing can be sent. */
static void send_check_state(lua_State *lua, struct vu *vu, const struct vu_websocket *websocket)
{
    vu_check_stopped(lua, vu);
    if (websocket_state(websocket->socket) != WEBSOCKET_OPEN) {
        lua_websocket_raise_closed(lua, websocket, "ws:send");
    }
    if (websocket_unsent(websocket->socket) > WEBSOCKET_UNSENT_BYTES) {
        lua_websocket_check_wait(lua, vu, "ws:send");
    }
}

static void send_put(lua_State *lua, struct vu_websocket *websocket, bool is_binary, struct bytes data)
{
    if (!websocket_send(websocket->socket, is_binary, data)) {
        lua_websocket_raise(lua, websocket, "memory",
                            "ws:send: no memory for a message that waits: the workers of this thread "
                            "hold too much");
    }
}

/* After send_put: waits until all of it has left. */
static int send_finish(lua_State *lua, struct vu *vu, struct vu_websocket *websocket)
{
    const struct lua_websocket *object = lua_websocket_check(lua);

    vu_websocket_changed(websocket);
    if (websocket_left(websocket->socket) == websocket_sent(websocket->socket)) { /* as mostly */
        lua_pushnumber(lua, (double)websocket_left_ns(websocket->socket) / 1e9);
        return 1;
    }
    lua_websocket_prepare_wait(lua, object->timeout_ms, 1);
    lua_pushinteger(lua, (lua_Integer)websocket_sent(websocket->socket));
    return send_await_leaving(lua, vu);
}

static int websocket_send_kind(lua_State *lua, bool is_binary, lua_CFunction again)
{
    struct vu *vu = vu_current(lua, "ws:send");

    lua_settop(lua, 2);
    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, again);
    }
    struct vu_websocket *websocket = lua_websocket_of(lua, vu, "ws:send");
    struct bytes data = send_check_data(lua, 2, is_binary);
    send_check_state(lua, vu, websocket);
    send_put(lua, websocket, is_binary, data);
    return send_finish(lua, vu, websocket);
}

int lua_websocket_send_row(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "ws:send");
    int count = lua_gettop(lua);

    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, lua_websocket_send_row);
    }
    struct vu_websocket *websocket = lua_websocket_of(lua, vu, "ws:send");
    for (int index = 2; index <= count; index++) {
        (void)send_check_data(lua, index, index > 2);
    }
    send_check_state(lua, vu, websocket);
    for (int index = 2; index <= count; index++) {
        send_put(lua, websocket, index > 2, send_check_data(lua, index, true));
    }
    return send_finish(lua, vu, websocket);
}

/* ws:send(text) → when its last byte was handed to the kernel */
static int websocket_send_text(lua_State *lua)
{
    return websocket_send_kind(lua, false, websocket_send_text);
}

/* ws:send_binary(bytes) → the same */
static int websocket_send_binary(lua_State *lua)
{
    return websocket_send_kind(lua, true, websocket_send_binary);
}

static int ping_go_on(lua_State *lua, int status, lua_KContext context);

/* How many pongs have come before is at WAIT_OWN. */
static int ping_now(lua_State *lua, struct vu *vu)
{
    struct vu_websocket *websocket = lua_websocket_of(lua, vu, "ws:ping");

    if (websocket_pongs(websocket->socket) > (uint64_t)lua_tointeger(lua, WAIT_OWN)) {
        lua_pushnumber(lua, (double)websocket_round_trip_us(websocket->socket) / 1e6);
        return 1;
    }
    if (lua_websocket_is_over(websocket)) {
        return lua_websocket_raise_closed(lua, websocket, "ws:ping");
    }
    return lua_websocket_wait(lua, vu, "ws:ping", ping_go_on);
}

static int ping_go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return ping_now(lua, lua_websocket_end_wait(lua, "ws:ping"));
}

/* ws:ping { timeout = } → seconds until the pong */
static int websocket_ping_once(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "ws:ping");

    lua_settop(lua, 2);
    struct vu_websocket *websocket = lua_websocket_of(lua, vu, "ws:ping");
    uint64_t timeout_ms = lua_websocket_timeout(lua, 2, "ws:ping");
    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, websocket_ping_once);
    }
    lua_websocket_check_wait(lua, vu, "ws:ping");
    if (websocket_state(websocket->socket) != WEBSOCKET_OPEN) {
        return lua_websocket_raise_closed(lua, websocket, "ws:ping");
    }
    websocket_ping(websocket->socket);
    lua_websocket_prepare_wait(lua, timeout_ms, 1);
    lua_pushinteger(lua, (lua_Integer)websocket_pongs(websocket->socket));
    return ping_now(lua, vu);
}

static int close_go_on(lua_State *lua, int status, lua_KContext context);

/* The server answers, or the connection is given up after a while. */
static int close_now(lua_State *lua, struct vu *vu)
{
    struct vu_websocket *websocket = lua_websocket_of(lua, vu, "ws:close");

    if (!lua_websocket_is_over(websocket) && script_may_wait(lua)) {
        return lua_websocket_wait(lua, vu, "ws:close", close_go_on);
    }
    return 0;
}

static int close_go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return close_now(lua, lua_websocket_end_wait(lua, "ws:close"));
}

/* ws:close(code, reason); nothing happens to one that is closed */
static int websocket_close_object(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "ws:close");
    size_t size;

    lua_settop(lua, 3);
    struct vu_websocket *websocket = lua_websocket_of(lua, vu, "ws:close");
    lua_Integer code = luaL_optinteger(lua, 2, CLOSE_NORMAL);
    const char *reason = luaL_optlstring(lua, 3, "", &size);
    if (code < 0 || code > UINT16_MAX || !close_code_is_valid((uint32_t)code)) {
        return lua_misuse(lua, "ws:close: %d is no code of a close frame (1000 to 1014, 3000 to 4999)",
                          (int)code);
    }
    if (size > WEBSOCKET_REASON_MAX_BYTES || !text_is_utf8(bytes_of(reason, size))) {
        return lua_misuse(lua, "ws:close: a reason is UTF-8 of at most %d bytes", WEBSOCKET_REASON_MAX_BYTES);
    }
    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, websocket_close_object);
    }
    if (websocket_state(websocket->socket) == WEBSOCKET_OPEN) {
        vu_websocket_close(websocket, (uint16_t)code, bytes_of(reason, size));
    }
    lua_websocket_prepare_wait(lua, 0, 1);
    return close_now(lua, vu);
}

/* Of a variable that is <close>; behind the object is an error, if that ends the block. */
static int websocket_close_block(lua_State *lua)
{
    lua_settop(lua, WAIT_OBJECT);
    return websocket_close_object(lua);
}

static const luaL_Reg methods[] = {
    {"send", websocket_send_text},
    {"send_binary", websocket_send_binary},
    {"receive", lua_websocket_receive},
    {"receive_until", lua_websocket_receive_until},
    {"messages", lua_websocket_messages},
    {"expect", lua_websocket_expect},
    {"ping", websocket_ping_once},
    {"close", websocket_close_object},
    {NULL, NULL},
};

static void push_text_or_nil(lua_State *lua, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        lua_pushstring(lua, text);
    } else {
        lua_pushnil(lua);
    }
}

static int websocket_get_state(lua_State *lua)
{
    static const char *const states[] = {
        [WEBSOCKET_OPEN] = "open", [WEBSOCKET_CLOSING] = "closing", [WEBSOCKET_CLOSED] = "closed"};
    const struct lua_websocket *object = lua_websocket_check(lua);
    const struct vu_websocket *websocket = object->websocket;
    const char *name = luaL_checkstring(lua, 2);
    bool is_closed = websocket_state(websocket->socket) == WEBSOCKET_CLOSED;

    if (strcmp(name, "state") == 0) {
        lua_pushstring(lua, states[websocket_state(websocket->socket)]);
    } else if (strcmp(name, "close_code") == 0 && is_closed) {
        lua_pushinteger(lua, websocket_close_code(websocket->socket));
    } else if (strcmp(name, "close_reason") == 0 && is_closed) {
        push_text_or_nil(lua, websocket_close_text(websocket->socket));
    } else if (strcmp(name, "protocol") == 0) {
        push_text_or_nil(lua, websocket->protocol);
    } else if (strcmp(name, "dropped") == 0) {
        lua_pushinteger(lua, (lua_Integer)websocket_counts(websocket->socket)->dropped);
    } else {
        lua_pushnil(lua);
    }
    return 1;
}

/* Methods are in the table that is its upvalue. */
static int websocket_get_field(lua_State *lua)
{
    lua_pushvalue(lua, 2);
    return lua_rawget(lua, lua_upvalueindex(1)) != LUA_TNIL ? 1 : websocket_get_state(lua);
}

static int websocket_to_string(lua_State *lua)
{
    const struct lua_websocket *object = lua_websocket_check(lua);

    lua_pushfstring(lua, "websocket %s", object->websocket->name);
    return 1;
}

static int websocket_forget(lua_State *lua)
{
    struct lua_websocket *object = lua_websocket_check(lua);

    vu_websocket_release(&object->websocket);
    return 0;
}

struct lua_websocket *lua_websocket_check(lua_State *lua)
{
    return script_check_object(lua, WAIT_OBJECT, script_of(lua)->websocket_type, LUA_WEBSOCKET_METATABLE);
}

struct lua_websocket *lua_websocket_push(lua_State *lua)
{
    struct lua_websocket *object = lua_newuserdatauv(lua, sizeof *object, 0);

    *object = (struct lua_websocket){0};
    if (luaL_newmetatable(lua, LUA_WEBSOCKET_METATABLE)) {
        static const luaL_Reg functions[] = {{"__tostring", websocket_to_string},
                                             {"__close", websocket_close_block},
                                             {"__gc", websocket_forget},
                                             {NULL, NULL}};
        luaL_setfuncs(lua, functions, 0);
        script_of(lua)->websocket_type = lua_topointer(lua, -1);
        luaL_newlib(lua, methods);
        lua_pushcclosure(lua, websocket_get_field, 1);
        lua_setfield(lua, -2, "__index");
        lua_pushliteral(lua, "websocket");
        lua_setfield(lua, -2, "__metatable");
    }
    lua_setmetatable(lua, -2);
    return object;
}

int luaopen_tutti_websocket(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"connect", lua_websocket_connect}, {NULL, NULL}};

    luaL_newlib(lua, functions);
    return 1;
}
