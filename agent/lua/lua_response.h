/* What a request gave, as a script sees it. */
#pragma once
#include "agent/http/engine.h"

#include <lua.h>

/* Pushes a copy of the response. `url_index` is where the URL that was asked for stands on the stack. */
void lua_response_push(lua_State *lua, const struct http_response *response, int url_index);
