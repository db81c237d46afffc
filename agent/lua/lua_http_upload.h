/* A request whose body a function of the script makes, piece by piece. */
#pragma once
#include "agent/lua/lua_http_draft.h"
#include "agent/shard/vu_api.h"

/* After lua_http_draft_read of one that is_chunked: sends it, in the turns of the worker, and returns the
 * response. The function is at LUA_HTTP_BODY. */
int lua_http_upload(lua_State *lua, struct vu *vu, const struct lua_http_draft *draft);
