/* What `tutti.options` may set: names, types and ranges, one row each. */
#pragma once
#include <lua.h>

/* tutti.options { … } */
int script_set_options(lua_State *lua);
