/* Options that a script passes in a table. */
#include "agent/script/lua_option.h"

#include "agent/script/lua_error.h"

#include <lauxlib.h>

int lua_option_get(lua_State *lua, int index, const char *name)
{
    index = lua_absindex(lua, index);
    lua_pushstring(lua, name);
    return lua_rawget(lua, index);
}

void lua_option_check_plain(lua_State *lua, int index, const char *function)
{
    if (luaL_getmetafield(lua, index, "__index") != LUA_TNIL) {
        lua_misuse(lua, "%s: options must be plain fields: __index of a metatable is not followed", function);
    }
}
