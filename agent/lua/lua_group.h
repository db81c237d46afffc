/* tutti.group: what several requests take together. */
#pragma once
#include <lua.h>

/* tutti.group(name, function, …) → what the function gives */
int lua_group(lua_State *lua);
/* A coroutine that begins in a group goes on in it. */
void lua_group_inherit(lua_State *lua, lua_State *thread);
