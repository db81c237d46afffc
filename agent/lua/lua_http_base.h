/* What relative URLs of a script are relative to. */
#pragma once
#include "agent/http/message/url.h"

#include <lua.h>
#include <stdbool.h>

/* Raises if the option `base` of the table at `options` is no URL. */
void lua_http_base_check(lua_State *lua, int options);
/* Whether the string at `index` is a URL that needs no base. */
bool lua_http_is_absolute(lua_State *lua, int index);
/* Resolves the URL at `index`, if it is relative, against `base` of the options at `options` (a table, or
 * anything else for none), else the target; raises where there is neither. Returns true if that has a user
 * and password, which go to the same origin: they are pushed, as the option `auth` is written. */
bool lua_http_resolve(lua_State *lua, int index, int options);
/* Pushes what holds the URL at `index`, parsed; raises, as `function`, where it is none. */
const struct url *lua_http_push_url(lua_State *lua, int index, const char *function);
