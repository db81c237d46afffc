/* What a script takes out of a response. */
#include "agent/lua/lua_extract.h"

#include "agent/lua/lua_response.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_json_path.h"
#include "agent/script/pattern.h"

#include <lauxlib.h>

static void extract_parse(lua_State *lua, int index, struct json_path *path)
{
    struct error error;
    size_t size;

    if (lua_type(lua, index) != LUA_TSTRING) {
        lua_misuse(lua, "json: a path is a string like \"$.items[0].id\"");
    }
    const char *text = lua_tolstring(lua, index, &size);
    if (!json_path_parse(bytes_of(text, size), path, &error)) {
        lua_misuse(lua, "json: %s", error.text);
    }
}

void lua_extract_check_path(lua_State *lua, int index)
{
    struct json_path path;

    extract_parse(lua, index, &path);
}

int lua_extract_json(lua_State *lua)
{
    struct json_path path;

    lua_settop(lua, 2);
    extract_parse(lua, 2, &path);
    lua_response_push_json(lua);
    lua_json_path_find(lua, &path);
    return 1;
}

int lua_extract_match(lua_State *lua)
{
    lua_settop(lua, 2);
    luaL_checktype(lua, 2, LUA_TSTRING);
    lua_response_push_body(lua);
    lua_insert(lua, 2);
    lua_remove(lua, 1);
    return pattern_string_match(lua);
}
