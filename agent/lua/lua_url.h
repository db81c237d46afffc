/* The module `tutti.url`: URLs apart and together. */
#pragma once
#include <lua.h>

int luaopen_tutti_url(lua_State *lua);
