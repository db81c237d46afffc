/* Lua values to canonical values (common/value.h) and back. */
#pragma once
#include "common/buffer.h"

#include <lua.h>

/* Clears `buffer` and appends the value at `index`; raises where it holds something that cannot travel.
 * `what` names it in the message: "payload". */
void lua_value_encode(lua_State *lua, int index, struct buffer *buffer, const char *what);
/* Pushes a checked value; nil for no bytes at all. */
void lua_value_push(lua_State *lua, struct bytes value);
