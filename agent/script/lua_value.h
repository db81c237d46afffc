/* Lua values to canonical values (common/value.h) and back. */
#pragma once
#include "common/buffer.h"

#include <lua.h>

/* Size of the buffer for an encoded value in the frame of the call that sends it; larger values use memory of
 * the Lua state. */
#define LUA_VALUE_ROOM_BYTES 512
struct lua_value_room {
    uint8_t small[LUA_VALUE_ROOM_BYTES];
};

/* Encodes the value at `index`, by its raw fields; raises if it contains something that cannot be sent.
 * `what` names it in the message: "payload". Pushes one value, which has to stay on the stack as long as the
 * bytes are used. */
struct bytes lua_value_encode(lua_State *lua, int index, struct lua_value_room *room, const char *what);
/* Pushes a checked value; nil for no bytes at all. */
void lua_value_push(lua_State *lua, struct bytes value);
