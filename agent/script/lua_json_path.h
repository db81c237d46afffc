/* Looks a path up in a decoded JSON value. */
#pragma once
#include "agent/script/json_path.h"

#include <lua.h>

/* Replaces the value on top of the stack by what the path names in it: the value, or nil, for a path that
 * names one at most; else a list of them. */
void lua_json_path_find(lua_State *lua, const struct json_path *path);
