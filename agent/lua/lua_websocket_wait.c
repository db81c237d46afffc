/* How functions of a WebSocket wait: they look, end their turn until something changes, and look again. */
#include "agent/lua/lua_websocket_wait.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_websocket.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/websocket/websocket.h"
#include "common/clock.h"
#include "proto/message/limits.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

struct vu_websocket *lua_websocket_of(lua_State *lua, const struct vu *vu, const char *function)
{
    const struct lua_websocket *object = lua_websocket_check(lua);

    if (!vu_websocket_is_of(object->websocket, vu)) {
        lua_misuse(lua, "%s: the connection is another worker's", function);
    }
    return object->websocket;
}

bool lua_websocket_is_over(const struct vu_websocket *websocket)
{
    return websocket->vu == NULL || websocket_state(websocket->socket) == WEBSOCKET_CLOSED;
}

void lua_websocket_prepare_wait(lua_State *lua, uint64_t timeout_ms, int top)
{
    uint64_t now_ns = clock_now_ns();

    lua_settop(lua, top);
    lua_pushinteger(lua, timeout_ms > 0 ? (lua_Integer)(now_ns + timeout_ms * NS_PER_MS) : 0);
    lua_insert(lua, WAIT_DUE);
    lua_pushinteger(lua, (lua_Integer)now_ns);
    lua_insert(lua, WAIT_BEGAN);
}

uint64_t lua_websocket_timeout_of(lua_State *lua, int index, const char *function)
{
    const struct lua_websocket *object = lua_websocket_check(lua);

    lua_option_get(lua, index, "timeout");
    uint64_t timeout_ms = lua_call_timeout(lua, -1, function);
    lua_pop(lua, 1);
    return timeout_ms > 0 ? timeout_ms : object->timeout_ms;
}

uint64_t lua_websocket_timeout(lua_State *lua, int index, const char *function)
{
    static const char *const names[] = {"timeout", NULL};
    const struct lua_websocket *object = lua_websocket_check(lua);

    if (lua_isnoneornil(lua, index)) {
        return object->timeout_ms;
    }
    lua_call_check_options(lua, index, function, names);
    return lua_websocket_timeout_of(lua, index, function);
}

static double websocket_waited_s(lua_State *lua)
{
    return (double)(clock_now_ns() - (uint64_t)lua_tointeger(lua, WAIT_BEGAN)) / 1e9;
}

int lua_websocket_raise(lua_State *lua, const struct vu_websocket *websocket, const char *kind,
                        const char *text)
{
    char group[2 * LIMIT_NAME_BYTES];

    snprintf(group, sizeof group, "websocket %.*s: %s", LIMIT_NAME_BYTES, websocket->name, kind);
    struct lua_failure failure = {.kind = kind, .group = group, .message = text};
    if (strcmp(kind, "timeout") == 0) {
        failure.outcome = kind;
        failure.waited_s = websocket_waited_s(lua);
    }
    return lua_failure_raise(lua, &failure);
}

int lua_websocket_raise_closed(lua_State *lua, const struct vu_websocket *websocket, const char *function)
{
    char text[400];

    if (websocket_state(websocket->socket) == WEBSOCKET_CLOSING) {
        snprintf(text, sizeof text, "%s: the connection %.100s is being closed", function, websocket->name);
    } else {
        const char *why = websocket_close_text(websocket->socket);
        snprintf(text, sizeof text, "%s: the connection %.100s is closed: %u%s%s", function, websocket->name,
                 websocket_close_code(websocket->socket), why[0] != '\0' ? " " : "", why);
    }
    return lua_websocket_raise(lua, websocket, "closed", text);
}

int lua_websocket_wait(lua_State *lua, struct vu *vu, const char *function, lua_KFunction go_on)
{
    struct vu_websocket *websocket = lua_websocket_of(lua, vu, function);
    uint64_t due_ns = (uint64_t)lua_tointeger(lua, WAIT_DUE);
    char text[300];

    if (due_ns > 0 && clock_now_ns() >= due_ns) {
        snprintf(text, sizeof text, "%s: timed out after %.3g s (%.100s)", function, websocket_waited_s(lua),
                 websocket->name);
        return lua_websocket_raise(lua, websocket, "timeout", text);
    }
    vu_websocket_await(vu, websocket, due_ns);
    return vu_yield(lua, vu, WAIT_WEBSOCKET, go_on, 0);
}

struct vu *lua_websocket_end_wait(lua_State *lua, const char *function)
{
    struct vu *vu = vu_current(lua, function);

    vu_websocket_end_wait(vu);
    vu_resumed(lua, vu, WAIT_WEBSOCKET);
    return vu;
}

void lua_websocket_check_wait(lua_State *lua, struct vu *vu, const char *function)
{
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        lua_misuse(lua, "%s: a call that waits is not possible here", function);
    }
}

int lua_websocket_push_message(lua_State *lua, struct vu_websocket *websocket)
{
    const struct websocket_message *message = websocket_first(websocket->socket);

    if (message == NULL) {
        return 0;
    }
    lua_pushlstring(lua, message->size > 0 ? (const char *)message->data : "", message->size);
    lua_pushstring(lua, message->is_binary ? "binary" : "text");
    lua_pushnumber(lua, (double)message->at_ns / 1e9);
    websocket_drop_first(websocket->socket);
    return 3;
}
