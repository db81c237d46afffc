/* Base URLs are parsed once: a table in the registry has them by their text. */
#include "agent/lua/lua_http_base.h"

#include "agent/script/lua_error.h"
#include "agent/script/lua_option.h"
#include "agent/script/script_state.h"

#include <lauxlib.h>

#define BASE_METATABLE "tutti.http.base"
#define BASES_KEY "tutti.http.bases"
/* A script that makes up base URLs without end gets the table emptied now and then. */
#define BASES_MAX 100

static int base_finish(lua_State *lua)
{
    struct url *url = luaL_checkudata(lua, 1, BASE_METATABLE);

    url_finish(url);
    return 0;
}

/* Pushes an empty one. */
static struct url *base_push(lua_State *lua)
{
    struct url *url = lua_newuserdatauv(lua, sizeof *url, 0);

    *url = (struct url){0};
    if (luaL_newmetatable(lua, BASE_METATABLE)) {
        lua_pushcfunction(lua, base_finish);
        lua_setfield(lua, -2, "__gc");
    }
    lua_setmetatable(lua, -2);
    return url;
}

static struct bytes base_text(lua_State *lua, int index)
{
    size_t size;
    const char *text = lua_tolstring(lua, index, &size);

    return bytes_of(text, size);
}

/* Pushes the table of those that are parsed. */
static void base_push_known(lua_State *lua)
{
    if (lua_getfield(lua, LUA_REGISTRYINDEX, BASES_KEY) == LUA_TTABLE && lua_rawlen(lua, -1) < BASES_MAX) {
        return;
    }
    lua_pop(lua, 1);
    lua_newtable(lua);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, LUA_REGISTRYINDEX, BASES_KEY);
}

/* Pushes the string at `index`, parsed. */
static const struct url *base_push_parsed(lua_State *lua, int index)
{
    struct error error;

    base_push_known(lua);
    int known = lua_gettop(lua);
    lua_pushvalue(lua, index);
    if (lua_rawget(lua, known) == LUA_TUSERDATA) {
        return lua_touserdata(lua, -1);
    }
    struct url *url = base_push(lua);
    if (!url_parse(base_text(lua, index), url, &error)) {
        lua_misuse(lua, "http: the base %s: %s", lua_tostring(lua, index), error.text);
    }
    lua_pushvalue(lua, index);
    lua_pushvalue(lua, -2);
    lua_rawset(lua, known);
    lua_pushvalue(lua, index);
    lua_rawseti(lua, known, (lua_Integer)lua_rawlen(lua, known) + 1);
    return url;
}

/* Pushes the URL at `index` as it is relative to `base`. True if the result has the base's origin. */
static bool base_push_resolved(lua_State *lua, const struct url *base, int index)
{
    struct buffer *text = &script_of(lua)->text;
    struct error error;
    struct url url;

    if (!url_resolve(base, base_text(lua, index), &url, &error)) {
        lua_misuse(lua, "http: %s: %s", lua_tostring(lua, index), error.text);
    }
    bool is_same_origin = url_is_same_origin(base, &url);
    buffer_clear(text);
    buffer_append_string(text, url.text);
    url_finish(&url);
    lua_pushlstring(lua, (const char *)text->data, text->size);
    return is_same_origin;
}

/* Pushes what the URL at `index` is relative to. */
static const struct url *base_push_for(lua_State *lua, int index, int options)
{
    const char *target = script_of(lua)->target;
    bool has_base = lua_istable(lua, options) && lua_option_get(lua, options, "base") != LUA_TNIL;
    int base = lua_gettop(lua);

    if (has_base && lua_type(lua, base) != LUA_TSTRING) {
        lua_misuse(lua, "http: base is a string, not a %s", luaL_typename(lua, base));
    }
    if (has_base && !url_is_relative(base_text(lua, base))) {
        return base_push_parsed(lua, base);
    }
    if (target == NULL) {
        lua_misuse(lua, "http: \"%s\" is a relative URL, and there is neither a base nor a target (--target)",
                   lua_tostring(lua, index));
    }
    lua_pushstring(lua, target);
    const struct url *url = base_push_parsed(lua, lua_gettop(lua));
    if (!has_base) {
        return url;
    }
    (void)base_push_resolved(lua, url, base);
    return base_push_parsed(lua, lua_gettop(lua));
}

void lua_http_base_check(lua_State *lua, int options)
{
    int top = lua_gettop(lua);

    if (lua_option_get(lua, options, "base") == LUA_TSTRING && !url_is_relative(base_text(lua, -1))) {
        (void)base_push_parsed(lua, top + 1);
    } else if (!lua_isnil(lua, top + 1) && lua_type(lua, top + 1) != LUA_TSTRING) {
        lua_misuse(lua, "http: base is a string, not a %s", luaL_typename(lua, top + 1));
    }
    lua_settop(lua, top);
}

bool lua_http_is_absolute(lua_State *lua, int index)
{
    return !url_is_relative(base_text(lua, index));
}

bool lua_http_resolve(lua_State *lua, int index, int options)
{
    if (lua_http_is_absolute(lua, index)) {
        return false;
    }
    const struct url *base = base_push_for(lua, index, options);
    bool is_same_origin = base_push_resolved(lua, base, index);
    lua_replace(lua, index);
    if (!is_same_origin || base->user == NULL) {
        return false;
    }
    lua_createtable(lua, 2, 0);
    lua_pushstring(lua, base->user);
    lua_rawseti(lua, -2, 1);
    lua_pushstring(lua, base->password);
    lua_rawseti(lua, -2, 2);
    return true;
}

const struct url *lua_http_push_url(lua_State *lua, int index, const char *function)
{
    struct url *url = base_push(lua);
    struct error error;

    if (!url_parse(base_text(lua, index), url, &error)) {
        lua_misuse(lua, "%s: %s: %s", function, lua_tostring(lua, index), error.text);
    }
    return url;
}
