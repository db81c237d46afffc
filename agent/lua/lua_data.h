/* tutti.data */
#pragma once
#include <lua.h>

/* Variables whose names begin like this are the agent's own. */
#define LUA_DATA_PREFIX "tutti.data:"

/* tutti.data(file or table, options) */
int lua_data_new(lua_State *lua);
/* Makes the metatable of what that returns. */
void lua_data_open(lua_State *lua);
