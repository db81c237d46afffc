/* The response to a request, as a script sees it. */
#pragma once
#include "agent/http/engine.h"

#include <lua.h>

/* Pushes a copy of the response. `url_index` is the stack index of the URL that was requested. */
void lua_response_push(lua_State *lua, const struct http_response *response, int url_index);
