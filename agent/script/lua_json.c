/* The module `tutti.json`. */
#include "agent/script/lua_json.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"

void *lua_json_null(void)
{
    return NULL;
}

void *lua_json_empty_list(void)
{
    static char address;

    return &address;
}

/* Found by an address, which is quicker than by its name. */
void lua_json_push_list_type(lua_State *lua)
{
    static const char address;

    if (lua_rawgetp(lua, LUA_REGISTRYINDEX, &address) == LUA_TTABLE) {
        return;
    }
    lua_pop(lua, 1);
    lua_createtable(lua, 0, 1);
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_pushvalue(lua, -1);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &address);
}

bool lua_json_is_list(lua_State *lua, int index)
{
    if (!lua_getmetatable(lua, index)) {
        return false;
    }
    lua_json_push_list_type(lua);
    luaL_getmetatable(lua, JSON_ARRAY_TYPE);
    bool is_list = lua_rawequal(lua, -3, -2) || lua_rawequal(lua, -3, -1);
    lua_pop(lua, 3);
    return is_list;
}

static int lua_json_encode(lua_State *lua)
{
    luaL_checkany(lua, 1);
    lua_settop(lua, 1);
    lua_json_write(lua, 1);
    return 1;
}

static int lua_json_decode(lua_State *lua)
{
    struct json_problem problem;
    size_t size;
    const char *text = luaL_checklstring(lua, 1, &size);

    lua_settop(lua, 1);
    if (lua_json_read(lua, bytes_of(text, size), &problem)) {
        return 1;
    }
    return lua_misuse(lua, "%s (line %zu, column %zu)", problem.text, problem.line, problem.column);
}

/* array([list]): marks a table as a list, which matters if it is empty. */
static int make_array(lua_State *lua)
{
    lua_settop(lua, 1);
    if (lua_isnil(lua, 1)) {
        lua_newtable(lua);
        lua_replace(lua, 1);
    }
    luaL_checktype(lua, 1, LUA_TTABLE);
    if (lua_getmetatable(lua, 1)) {
        lua_json_push_list_type(lua);
        if (!lua_rawequal(lua, -1, -2)) {
            return lua_misuse(lua, "json.array: the table already has a metatable");
        }
        lua_settop(lua, 1);
    }
    lua_json_push_list_type(lua);
    lua_setmetatable(lua, 1);
    return 1;
}

int luaopen_tutti_json(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        {"encode", lua_json_encode}, {"decode", lua_json_decode}, {"array", make_array}, {NULL, NULL}};

    luaL_newlib(lua, functions);
    lua_pushlightuserdata(lua, lua_json_null());
    lua_setfield(lua, -2, "null");
    lua_pushlightuserdata(lua, lua_json_empty_list());
    lua_setfield(lua, -2, "empty_array");
    luaL_newmetatable(lua, JSON_ARRAY_TYPE);
    lua_setfield(lua, -2, "array_mt");
    return 1;
}
