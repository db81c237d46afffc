/* The option `tls` of a request. */
#pragma once
#include "agent/http/engine.h"

#include <lua.h>

/* Reads the table at `index`, which is absolute, over what is in `tls` already. The texts stay on the stack.
 * Raises what is wrong. */
void lua_http_read_tls(lua_State *lua, int index, struct http_tls *tls);
