/* Creates the error objects of API calls. */
#include "agent/script/lua_error.h"

#include "common/memory.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define METATABLE "tutti.error"
#define STOPPED_METATABLE "tutti.error.stopped"
#define MISUSE_MAX_BYTES 600

/* Parts of the agent that are themselves written in Lua. */
static bool is_ours(const char *source)
{
    static const char prefix[] = "=" LUA_SOURCES_CHUNKS;

    return strncmp(source, prefix, sizeof prefix - 1) == 0;
}

void lua_push_where(lua_State *lua)
{
    lua_Debug activation;

    for (int level = 0; lua_getstack(lua, level, &activation); level++) {
        lua_getinfo(lua, "Sl", &activation);
        if (activation.currentline > 0 && !is_ours(activation.source)) {
            lua_pushfstring(lua, "%s:%d: ", activation.short_src, activation.currentline);
            return;
        }
    }
    lua_pushliteral(lua, "");
}

static void __attribute__((format(printf, 2, 0)))
format_into(char text[MISUSE_MAX_BYTES], const char *format, va_list arguments)
{
    if (vsnprintf(text, MISUSE_MAX_BYTES, format, arguments) < 0) {
        text[0] = 0;
    }
}

int lua_misuse(lua_State *lua, const char *format, ...)
{
    char text[MISUSE_MAX_BYTES];
    va_list arguments;

    va_start(arguments, format);
    format_into(text, format, arguments);
    va_end(arguments);
    lua_push_where(lua);
    lua_pushstring(lua, text);
    lua_concat(lua, 2);
    return lua_error(lua);
}

static int failure_tostring(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_pushliteral(lua, "where");
    lua_rawget(lua, 1);
    lua_pushliteral(lua, "message");
    lua_rawget(lua, 1);
    if (!lua_isstring(lua, -1) || !lua_isstring(lua, -2)) {
        lua_pushliteral(lua, "error");
        return 1;
    }
    lua_concat(lua, 2);
    return 1;
}

/* So that "it failed: " .. err works as it does with plain messages. */
static int failure_concat(lua_State *lua)
{
    lua_settop(lua, 2);
    luaL_tolstring(lua, 1, NULL);
    luaL_tolstring(lua, 2, NULL);
    lua_concat(lua, 2);
    return 1;
}

static void push_missing(lua_State *lua, const struct worker_set *missing)
{
    struct worker_cursor cursor = {0};
    lua_Integer count = 0;

    lua_newtable(lua);
    while (missing != NULL && worker_set_next(missing, &cursor)) {
        lua_pushinteger(lua, cursor.worker);
        lua_rawseti(lua, -2, ++count);
    }
}

/* Stopped calls have a metatable of their own: a mark that a script cannot forge. */
static void become_failure(lua_State *lua, int index, const char *metatable)
{
    index = lua_absindex(lua, index);
    lua_push_where(lua);
    lua_setfield(lua, index, "where");
    if (luaL_newmetatable(lua, metatable)) {
        lua_pushcfunction(lua, failure_tostring);
        lua_setfield(lua, -2, "__tostring");
        lua_pushcfunction(lua, failure_concat);
        lua_setfield(lua, -2, "__concat");
        lua_pushliteral(lua, "error");
        lua_setfield(lua, -2, "__metatable");
    }
    lua_setmetatable(lua, index);
}

void lua_failure_adopt(lua_State *lua, int index)
{
    become_failure(lua, index, METATABLE);
}

void lua_failure_push(lua_State *lua, const struct lua_failure *failure)
{
    luaL_checkstack(lua, 8, NULL);
    lua_createtable(lua, 0, 5);
    if (failure->outcome != NULL) {
        lua_pushstring(lua, failure->outcome);
        lua_setfield(lua, -2, "outcome");
        lua_pushnumber(lua, failure->waited_s);
        lua_setfield(lua, -2, "waited");
        push_missing(lua, failure->missing);
        lua_setfield(lua, -2, "missing");
    }
    if (failure->parties > 0) {
        lua_pushinteger(lua, (lua_Integer)failure->arrived);
        lua_setfield(lua, -2, "arrived");
        lua_pushinteger(lua, (lua_Integer)failure->parties);
        lua_setfield(lua, -2, "parties");
    }
    if (failure->is_by_loss) {
        lua_pushboolean(lua, true);
        lua_setfield(lua, -2, "by_loss");
    }
    if (failure->kind != NULL) {
        lua_pushstring(lua, failure->kind);
        lua_setfield(lua, -2, "kind");
    }
    if (failure->status != 0) {
        lua_pushinteger(lua, failure->status);
        lua_setfield(lua, -2, "status");
    }
    if (failure->phase != NULL) {
        lua_pushstring(lua, failure->phase);
        lua_setfield(lua, -2, "phase");
    }
    if (failure->group != NULL) {
        lua_pushstring(lua, failure->group);
        lua_setfield(lua, -2, "group");
    }
    lua_pushstring(lua, failure->message);
    lua_setfield(lua, -2, "message");
    become_failure(lua, -1, failure->is_stopped ? STOPPED_METATABLE : METATABLE);
}

int lua_failure_raise(lua_State *lua, const struct lua_failure *failure)
{
    lua_failure_push(lua, failure);
    return lua_error(lua);
}

static bool has_metatable(lua_State *lua, int index, const char *name)
{
    if (!lua_istable(lua, index) || !lua_getmetatable(lua, index)) {
        return false;
    }
    luaL_getmetatable(lua, name);
    bool is_same = lua_rawequal(lua, -1, -2);
    lua_pop(lua, 2);
    return is_same;
}

char *lua_failure_copy_group(lua_State *lua, int index)
{
    char *copy = NULL;

    index = lua_absindex(lua, index);
    if (!lua_checkstack(lua, 4) || !has_metatable(lua, index, METATABLE)) {
        return NULL;
    }
    lua_pushliteral(lua, "where");
    lua_rawget(lua, index);
    lua_pushliteral(lua, "group");
    lua_rawget(lua, index);
    if (lua_type(lua, -1) == LUA_TSTRING && lua_type(lua, -2) == LUA_TSTRING) {
        copy = memory_format("%.300s%.700s", lua_tostring(lua, -2), lua_tostring(lua, -1));
    }
    lua_pop(lua, 2);
    return copy;
}

bool lua_failure_is_stopped(lua_State *lua, int index)
{
    return has_metatable(lua, index, STOPPED_METATABLE);
}

bool lua_failure_is_by_loss(lua_State *lua, int index)
{
    index = lua_absindex(lua, index);
    if (!lua_checkstack(lua, 4) || !has_metatable(lua, index, METATABLE)) {
        return false;
    }
    lua_pushliteral(lua, "by_loss");
    lua_rawget(lua, index);
    bool is_by_loss = lua_toboolean(lua, -1);
    lua_pop(lua, 1);
    return is_by_loss;
}
