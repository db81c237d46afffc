/* Options that a script hands over in a table. */
#pragma once
#include <lua.h>

/* Pushes the field `name` of the options at `index`, and gives its type. No metamethod of the script has a
 * say: what was checked is what is used. */
int lua_option_get(lua_State *lua, int index, const char *name);
/* Refuses a table at `index` that has fields by a metatable, which lua_option_get does not see. */
void lua_option_check_plain(lua_State *lua, int index, const char *function);
