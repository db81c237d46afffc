/* tutti.env: the variables that a campaign gives its script, a table that cannot be changed. */
#include "agent/lua/lua_env.h"

#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "proto/message/environment.h"

#include <lauxlib.h>

static int lua_env_refuse(lua_State *lua)
{
    return lua_misuse(lua, "tutti.env cannot be changed: -e NAME=VALUE sets it");
}

static int lua_env_next(lua_State *lua)
{
    lua_settop(lua, 2);
    if (lua_next(lua, lua_upvalueindex(1)) != 0) {
        return 2;
    }
    lua_pushnil(lua);
    return 1;
}

/* pairs(tutti.env) */
static int lua_env_pairs(lua_State *lua)
{
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_pushcclosure(lua, lua_env_next, 1);
    lua_pushvalue(lua, 1);
    lua_pushnil(lua);
    return 3;
}

void lua_env_open(lua_State *lua)
{
    struct bytes rest = script_of(lua)->environment;
    struct bytes name;
    struct bytes value;
    lua_newtable(lua); /* what scripts see: it stays empty */
    lua_createtable(lua, 0, 4);
    lua_newtable(lua);
    while (environment_next(&rest, &name, &value)) {
        lua_pushlstring(lua, (const char *)name.data, name.size);
        lua_pushlstring(lua, (const char *)value.data, value.size);
        lua_rawset(lua, -3);
    }
    lua_pushvalue(lua, -1);
    lua_pushcclosure(lua, lua_env_pairs, 1);
    lua_setfield(lua, -3, "__pairs");
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, lua_env_refuse);
    lua_setfield(lua, -2, "__newindex");
    lua_pushliteral(lua, "tutti.env");
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
    lua_setfield(lua, -2, "env");
}
