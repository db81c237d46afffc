/* `http.stream`: a response whose body the script reads while it comes. */
#pragma once
#include "agent/shard/vu_api.h"

#include <lua.h>

/* stream([method,] url, [body,] [options]), of the module, or of a session, which comes first then; the
 * boolean is upvalue 1. Returns an object once the head of the response is there. */
int lua_http_stream(lua_State *lua);
/* Pushes an object with a closed stream; what is opened in it is closed at the latest with the object. */
struct vu_stream *lua_http_stream_push(lua_State *lua);
