/* The module `tutti`. */
#pragma once
#include <lua.h>

int luaopen_tutti(lua_State *lua);
/* The script's `print`. */
int lua_print(lua_State *lua);
