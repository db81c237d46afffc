/* The options `query`, `form` and `multipart` of a request, as text. */
#pragma once
#include <lua.h>

/* Pushes the table of name = value at `index` as "a=1&b=x%20y", with the spaces of a form as "+": see
 * lua_query.h. Raises what is wrong. */
void lua_http_push_query(lua_State *lua, int index);
void lua_http_push_form(lua_State *lua, int index);
/* Pushes the body of the list of parts at `index` (RFC 7578), then its type, which names the boundary. A part
 * is { name =, value = } or { name =, file = }, both with `filename` and `type`. Raises what is wrong. */
void lua_http_push_multipart(lua_State *lua, int index);
