/* The module `tutti.http`. */
#pragma once
#include "agent/shard/vu_api.h"
#include "proto/message/limits.h"

#include <lua.h>

int luaopen_tutti_http(lua_State *lua);
/* Method, URL and name (or nil) are at 1, 2 and 3: what the request is counted by: "GET /path" without the
 * query, unless there is a name. In `buffer` or on the stack. */
struct bytes lua_http_name(lua_State *lua, char buffer[LIMIT_NAME_BYTES]);
/* With the same on the stack: counts the request, and pushes the response, or the error
 * object of one that has failed. False for that. */
bool lua_http_push_outcome(lua_State *lua, struct vu *vu, const struct http_response *response);
/* Pushes the error object alone, without counting. */
void lua_http_push_failure(lua_State *lua, const struct http_response *response);
/* Sends what is at 1 to 4: a method that was checked, URL, and options, or a body and options; at 5 are the
 * options that stand under those, or nil. `raw` takes them, completed (method, URL, options, body), and makes
 * the request. */
int lua_http_send(lua_State *lua, lua_CFunction raw);
/* The worker's client, which its first request makes. */
void lua_http_need_client(struct vu *vu);
