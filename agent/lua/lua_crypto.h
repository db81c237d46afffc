/* The module `tutti.crypto`: codings, digests and random bytes. */
#pragma once
#include <lua.h>

int luaopen_tutti_crypto(lua_State *lua);
