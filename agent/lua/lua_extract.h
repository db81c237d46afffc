/* What a script takes out of a response: by a path into JSON, by XPath, by a pattern. */
#pragma once
#include <lua.h>

/* (response, path) → the value there, or nil; a path that may name several gives a list */
int lua_extract_json(lua_State *lua);
/* Raises if the string at `index` is no path. */
void lua_extract_check_path(lua_State *lua, int index);
/* (response, expression) → a list of the texts of nodes; else a string, a number or a boolean */
int lua_extract_xpath(lua_State *lua);
/* (response, pattern) → the captures, as string.match */
int lua_extract_match(lua_State *lua);
