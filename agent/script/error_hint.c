/* Completes the texts of errors. */
#include "agent/script/error_hint.h"

#include <lauxlib.h>
#include <string.h>

#define LOCALS_SEEN 250

bool error_hint_is_target(struct bytes text)
{
    static const char use[] = " a nil value (field 'target')";

    return text.size > 0 && memmem(text.data, text.size, use, sizeof use - 1) != NULL;
}

bool error_hint_is_bare_assertion(struct bytes text)
{
    static const char words[] = "assertion failed!";
    size_t size = sizeof words - 1;

    return text.size >= size && memcmp(text.data + text.size - size, words, size) == 0;
}

/* The innermost function that is written in Lua. */
static bool find_function(lua_State *lua, lua_Debug *activation)
{
    for (int level = 0; lua_getstack(lua, level, activation); level++) {
        lua_getinfo(lua, "l", activation);
        if (activation->currentline > 0) {
            return true;
        }
    }
    return false;
}

/* An object of a script could run for long while it shows itself: only userdata counts, which is ours. */
static bool can_show_itself(lua_State *lua)
{
    if (lua_type(lua, -1) != LUA_TUSERDATA || luaL_getmetafield(lua, -1, "__tostring") == LUA_TNIL) {
        return false;
    }
    lua_pop(lua, 1);
    return true;
}

const char *error_hint_push_witness(lua_State *lua)
{
    lua_Debug activation;
    int found = 0;

    if (!lua_checkstack(lua, 4) || !find_function(lua, &activation)) {
        return NULL;
    }
    for (int i = 1; i <= LOCALS_SEEN; i++) {
        const char *name = lua_getlocal(lua, &activation, i);
        if (name == NULL) {
            break;
        }
        if (name[0] != '(' && can_show_itself(lua)) {
            found = i;
        }
        lua_pop(lua, 1);
    }
    return found > 0 ? lua_getlocal(lua, &activation, found) : NULL;
}
