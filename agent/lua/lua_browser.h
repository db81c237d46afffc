/* The module `tutti.browser`. */
#pragma once
#include <lua.h>

int luaopen_tutti_browser(lua_State *lua);
