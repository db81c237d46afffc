/* What a script takes out of a response: by a path into JSON, by a pattern. */
#pragma once
#include <lua.h>

/* (response, path) → the value there, or nil; a path that may name several gives a list */
int lua_extract_json(lua_State *lua);
/* Raises if the string at `index` is no path. */
void lua_extract_check_path(lua_State *lua, int index);
/* (response, pattern) → the captures, as string.match */
int lua_extract_match(lua_State *lua);
