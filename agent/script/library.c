/* Creates the environment of the agent's own Lua, and loads its chunks. */
#include "agent/script/library.h"

#include "agent/script/script_state.h"

#include <lualib.h>

#define ENVIRONMENT "tutti.library"
#define JSON "tutti.library.json"

static const char *const base_functions[] = {
    "error",  "getmetatable", "ipairs", "next",         "pairs",    "pcall",    "rawequal", "rawget",
    "rawlen", "rawset",       "select", "setmetatable", "tonumber", "tostring", "type",
};

static const char *const libraries[] = {LUA_STRLIBNAME, LUA_TABLIBNAME, LUA_MATHLIBNAME, LUA_UTF8LIBNAME};

/* A missing global is our bug: otherwise it would be a nil that is noticed somewhere else. */
static int refuse_name(lua_State *lua)
{
    return luaL_error(lua, "the library has no global %s", luaL_tolstring(lua, 2, NULL));
}

/* The environment is on top, the table of loaded modules below it. */
static void copy_base(lua_State *lua)
{
    lua_getfield(lua, -2, LUA_GNAME);
    for (size_t i = 0; i < sizeof base_functions / sizeof *base_functions; i++) {
        lua_getfield(lua, -1, base_functions[i]);
        lua_setfield(lua, -3, base_functions[i]);
    }
    lua_pop(lua, 1);
}

static void copy_library(lua_State *lua, const char *name)
{
    lua_newtable(lua);
    int copy = lua_gettop(lua);

    lua_getfield(lua, -3, name);
    for (lua_pushnil(lua); lua_next(lua, -2);) {
        lua_pushvalue(lua, -2);
        lua_insert(lua, -2);
        lua_rawset(lua, copy);
    }
    lua_pop(lua, 1);
    lua_setfield(lua, -2, name);
}

void library_open(lua_State *lua)
{
    luaL_getsubtable(lua, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_newtable(lua);
    copy_base(lua);
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        copy_library(lua, libraries[i]);
    }
    lua_newtable(lua);
    lua_setfield(lua, -2, LUA_IOLIBNAME);
    lua_createtable(lua, 0, 2);
    lua_pushcfunction(lua, refuse_name);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, refuse_name);
    lua_setfield(lua, -2, "__newindex");
    lua_setmetatable(lua, -2);
    lua_setfield(lua, LUA_REGISTRYINDEX, ENVIRONMENT);
    lua_pop(lua, 1);
}

void library_set_open(lua_State *lua)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, ENVIRONMENT);
    lua_getfield(lua, -1, LUA_IOLIBNAME);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "open");
    lua_pop(lua, 3);
}

void library_load(lua_State *lua, const void *source, size_t size, const char *name)
{
    if (luaL_loadbufferx(lua, source, size, name, "t") != LUA_OK) {
        lua_error(lua);
    }
    lua_getfield(lua, LUA_REGISTRYINDEX, ENVIRONMENT);
    lua_setupvalue(lua, -2, 1); /* the only upvalue of a main chunk: _ENV */
}

/* Created when it is first needed. */
void library_push_json(lua_State *lua)
{
    if (lua_getfield(lua, LUA_REGISTRYINDEX, JSON) == LUA_TTABLE) {
        return;
    }
    lua_pop(lua, 1);
    lua_pushcfunction(lua, luaopen_tutti_json);
    lua_call(lua, 0, 1);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, LUA_REGISTRYINDEX, JSON);
}
