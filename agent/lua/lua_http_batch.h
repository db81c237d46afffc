/* `http.batch`: several requests of the worker at once. */
#pragma once
#include <lua.h>

#define LUA_HTTP_BATCH_MAX 1000

/* batch(items), of the module, or of a session, which comes first then; the boolean is upvalue 1: a table
 * with the response of each, in order, or its error object. */
int lua_http_batch(lua_State *lua);
