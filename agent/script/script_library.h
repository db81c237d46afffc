/* Modules of the agent that scripts can require, in addition to those of the sandbox itself. */
#pragma once
#include <lauxlib.h>
#include <lua.h>

struct script_library {
    const luaL_Reg *modules; /* by their names; terminated by NULL */
    lua_CFunction print;
};
