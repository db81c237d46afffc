/* The module `tutti.socketio`. */
#pragma once
#include <lua.h>

int luaopen_tutti_socketio(lua_State *lua);
