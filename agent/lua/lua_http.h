/* The module `tutti.http`. */
#pragma once
#include "agent/shard/vu_api.h"

#include <lua.h>

int luaopen_tutti_http(lua_State *lua);
/* Method, URL and name (or nil) are at 1, 2 and 3: counts the request, and pushes the response, or the error
 * object of one that has failed. False for that. */
bool lua_http_push_outcome(lua_State *lua, struct vu *vu, const struct http_response *response);
/* The worker's client, which its first request makes. */
void lua_http_need_client(struct vu *vu);
