/* `stream:event` and `stream:events`: a streamed response as server-sent events. */
#pragma once
#include <lua.h>

/* stream:event([options]) → event, or nil at the end */
int lua_http_event(lua_State *lua);
/* for event in stream:events([options]) do … end */
int lua_http_events(lua_State *lua);
