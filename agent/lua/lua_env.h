/* tutti.env */
#pragma once
#include <lua.h>

/* Sets the field `env` of the table on top. */
void lua_env_open(lua_State *lua);
