/* Lua values to canonical values (common/value.h) and back. */
#pragma once
#include "common/buffer.h"

#include <lua.h>

/* Where an encoded value stands, in the frame of the call that sends it; larger ones in memory of the Lua
 * state.
 */
#define LUA_VALUE_ROOM_BYTES 512
struct lua_value_room {
    uint8_t small[LUA_VALUE_ROOM_BYTES];
};

/* Encodes the value at `index`, by its raw fields; raises where it holds something that cannot travel. `what`
 * names it in the message: "payload". Pushes one value, which has to stay as long as the bytes are used. */
struct bytes lua_value_encode(lua_State *lua, int index, struct lua_value_room *room, const char *what);
/* Pushes a checked value; nil for no bytes at all. */
void lua_value_push(lua_State *lua, struct bytes value);
