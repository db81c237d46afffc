/* Options that a script passes in a table. */
#pragma once
#include <lua.h>

/* Pushes the field `name` of the options at `index`, and returns its type. No metamethods are called, so that
 * the value checked is the value used. */
int lua_option_get(lua_State *lua, int index, const char *name);
/* Refuses a table at `index` that has fields through a metatable, which lua_option_get does not see. */
void lua_option_check_plain(lua_State *lua, int index, const char *function);
