/* The module `tutti.json`: lua-cjson, set up so that what servers send is no trouble. */
#include "agent/script_state.h"

#include <lua5.4/lua-cjson.h>

static void configure(lua_State *lua, const char *name, int arguments)
{
    lua_getfield(lua, -1 - arguments, name);
    lua_insert(lua, -1 - arguments);
    lua_call(lua, arguments, 0);
}

int luaopen_tutti_json(lua_State *lua)
{
    static const char *const offered[] = {"encode", "decode", "null", "empty_array", "array_mt"};

    luaopen_cjson(lua);
    lua_pushboolean(lua, 1);
    lua_pushinteger(lua, 2);
    lua_pushinteger(lua, 10);
    configure(lua, "encode_sparse_array", 3);
    lua_pushinteger(lua, 200);
    configure(lua, "decode_max_depth", 1);
    lua_pushinteger(lua, 200);
    configure(lua, "encode_max_depth", 1);

    lua_createtable(lua, 0, 5);
    for (size_t i = 0; i < sizeof offered / sizeof *offered; i++) {
        lua_getfield(lua, -2, offered[i]);
        lua_setfield(lua, -2, offered[i]);
    }
    return 1;
}
