/* How functions of a WebSocket wait: they look, end their turn until something changes, and look again. */
#pragma once
#include "agent/shard/vu_api.h"

#include <lua.h>

/* On the stack of each function that waits: until when, and since when, by the monotonic clock (0: without a
 * limit); then what it needs itself. */
enum wait_index { WAIT_OBJECT = 1, WAIT_DUE, WAIT_BEGAN, WAIT_OWN };

/* The connection of the object at index 1; raises if it is another worker's. */
struct vu_websocket *lua_websocket_of(lua_State *lua, const struct vu *vu, const char *function);
/* Nothing more will come: it is closed, or its worker's session is over. */
bool lua_websocket_is_over(const struct vu_websocket *websocket);
/* Milliseconds of the option `timeout` of the table at `index`, which has no other; without one, those of the
 * connection. */
uint64_t lua_websocket_timeout(lua_State *lua, int index, const char *function);
/* The same of a table whose options were checked. */
uint64_t lua_websocket_timeout_of(lua_State *lua, int index, const char *function);
/* Puts the instants at their places, with the function's own arguments, which are at 2 to `top`, behind. */
void lua_websocket_prepare_wait(lua_State *lua, uint64_t timeout_ms, int top);
/* Raises where nothing can wait, or the campaign is stopping. */
void lua_websocket_check_wait(lua_State *lua, struct vu *vu, const char *function);
/* Ends the turn until something changes, or raises where it is time. */
int lua_websocket_wait(lua_State *lua, struct vu *vu, const char *function, lua_KFunction go_on);
/* At the beginning of `go_on`. */
struct vu *lua_websocket_end_wait(lua_State *lua, const char *function);
/* An error of this kind; a timeout has also how long it was. */
int lua_websocket_raise(lua_State *lua, const struct vu_websocket *websocket, const char *kind,
                        const char *text);
int lua_websocket_raise_closed(lua_State *lua, const struct vu_websocket *websocket, const char *function);
/* Pushes the oldest message, its kind, and when it came; 0 where there is none. */
int lua_websocket_push_message(lua_State *lua, struct vu_websocket *websocket);
