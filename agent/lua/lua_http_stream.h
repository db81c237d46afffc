/* `http.stream`: a response whose body the script reads while it comes. */
#pragma once
#include "agent/shard/vu_api.h"

#include <lua.h>

/* stream([method,] url, [body,] [options]), of the module, or of a session, which comes first then; the
 * boolean is upvalue 1. Returns an object once the head of the response is there. */
int lua_http_stream(lua_State *lua);
/* User values of the object: the response; method, URL and name (or nil) of the request; its options and its
 * body. */
enum stream_value {
    STREAM_RESPONSE = 1,
    STREAM_METHOD,
    STREAM_URL,
    STREAM_NAME,
    STREAM_OPTIONS,
    STREAM_BODY,
    STREAM_VALUES = STREAM_BODY
};

/* The stream at index 1; raises if the worker cannot read from it. */
struct vu_stream *lua_http_stream_check(lua_State *lua, const struct vu *vu, const char *function);
/* Raises why the body of the stream at index 1 is not complete. */
void lua_http_stream_raise(lua_State *lua, const struct http_response *response);
/* Pushes an object with a closed stream; what is opened in it is closed at the latest with the object. */
struct vu_stream *lua_http_stream_push(lua_State *lua);
