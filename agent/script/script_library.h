/* What scripts can require of the agent, beside what the sandbox itself has. */
#pragma once
#include <lauxlib.h>
#include <lua.h>

struct script_library {
    const luaL_Reg *modules; /* by their names; ends with NULL */
    lua_CFunction print;
};
