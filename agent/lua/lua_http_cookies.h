/* What a script sees and sets of its worker's cookies and connections. */
#pragma once
#include <lua.h>

/* cookies(url), set_cookie(url, text), clear_cookies(), close(): of the module, or of a session, which comes
 * first then; the boolean is upvalue 1. */
int lua_http_cookies(lua_State *lua);
int lua_http_set_cookie(lua_State *lua);
int lua_http_clear_cookies(lua_State *lua);
int lua_http_close(lua_State *lua);
