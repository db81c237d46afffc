/* The module `tutti.websocket`: connections of the worker whose turn it is. */
#pragma once
#include "agent/shard/vu_api.h"

#include <lua.h>

#define LUA_WEBSOCKET_METATABLE "tutti.websocket"

/* The script's object of a connection. */
struct lua_websocket {
    struct vu_websocket *websocket; /* NULL: the handshake has not begun */
    uint64_t timeout_ms;            /* of waits that name none */
};

int luaopen_tutti_websocket(lua_State *lua);
/* The object at index 1; raises if it is none. */
struct lua_websocket *lua_websocket_check(lua_State *lua);
/* Pushes a new object, and gives what it holds. */
struct lua_websocket *lua_websocket_push(lua_State *lua);
/* websocket.connect(url, options) */
int lua_websocket_connect(lua_State *lua);
/* send_row(connection, text, bytes, …): like ws:send of the text, and ws:send_binary of what follows it, but
 * nothing comes between them, and only then it may wait. */
int lua_websocket_send_row(lua_State *lua);
