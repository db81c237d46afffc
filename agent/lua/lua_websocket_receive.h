/* How scripts get the messages of a WebSocket: methods of its object. */
#pragma once
#include <lua.h>

/* ws:receive { timeout = } → message, kind, at */
int lua_websocket_receive(lua_State *lua);
/* ws:receive_until(function, { timeout = }) → the first message that it says true to, kind, at */
int lua_websocket_receive_until(lua_State *lua);
/* for message, kind, at in ws:messages { timeout = } do … end: until the connection is closed */
int lua_websocket_messages(lua_State *lua);
/* ws:expect { from = round, timeout = } → the text that was written, kind, at */
int lua_websocket_expect(lua_State *lua);
