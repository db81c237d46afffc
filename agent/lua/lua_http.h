/* The module `tutti.http`. */
#pragma once
#include <lua.h>

int luaopen_tutti_http(lua_State *lua);
