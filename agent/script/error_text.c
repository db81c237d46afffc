/* What a report shows of an error. */
#include "agent/script/error_text.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_SHOWN 8
#define FIELDS_READ 64
#define VALUE_BYTES 100

/* Keys and short texts of a table under inspection: they stay as long as the table does. */
struct error_field {
    const char *name; /* NULL: it is an element of a list */
    lua_Integer place;
};

static int compare_fields(const void *left, const void *right)
{
    const struct error_field *a = left;
    const struct error_field *b = right;

    if (a->name == NULL || b->name == NULL) {
        return a->name == b->name ? (a->place > b->place) - (a->place < b->place) : a->name == NULL ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

/* Fields of the table at 1 whose names are texts or places, FIELDS_READ at most. */
static size_t read_fields(lua_State *lua, struct error_field fields[FIELDS_READ], bool *has_more)
{
    size_t count = 0;

    *has_more = false;
    for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1)) {
        bool is_text = lua_type(lua, -2) == LUA_TSTRING;
        if (count == FIELDS_READ) {
            *has_more = true;
            lua_settop(lua, 1);
            return count;
        }
        if (!is_text && !lua_isinteger(lua, -2)) {
            *has_more = true;
        } else {
            fields[count].name = is_text ? lua_tostring(lua, -2) : NULL;
            fields[count++].place = is_text ? 0 : lua_tointeger(lua, -2);
        }
    }
    return count;
}

static void add_value(lua_State *lua, luaL_Buffer *buffer, int value)
{
    char text[VALUE_BYTES + 8];

    switch (lua_type(lua, value)) {
    case LUA_TSTRING:
        snprintf(text, sizeof text, "\"%.*s\"", VALUE_BYTES, lua_tostring(lua, value));
        break;
    case LUA_TBOOLEAN:
        snprintf(text, sizeof text, "%s", lua_toboolean(lua, value) ? "true" : "false");
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(lua, value)) {
            snprintf(text, sizeof text, LUA_INTEGER_FMT, (LUAI_UACINT)lua_tointeger(lua, value));
        } else {
            snprintf(text, sizeof text, LUA_NUMBER_FMT, (LUAI_UACNUMBER)lua_tonumber(lua, value));
        }
        break;
    case LUA_TTABLE:
        snprintf(text, sizeof text, "{…}");
        break;
    default:
        snprintf(text, sizeof text, "a %s", luaL_typename(lua, value));
        break;
    }
    luaL_addstring(buffer, text);
}

static void fetch_field(lua_State *lua, const struct error_field *field)
{
    if (field->name != NULL) {
        lua_pushstring(lua, field->name);
        lua_rawget(lua, 1);
    } else {
        lua_rawgeti(lua, 1, field->place);
    }
}

/* { code = 7, name = "x", … } */
static int describe_fields(lua_State *lua)
{
    struct error_field fields[FIELDS_READ];
    bool has_more;
    size_t count = read_fields(lua, fields, &has_more);
    size_t shown = count < FIELDS_SHOWN ? count : FIELDS_SHOWN;

    qsort(fields, count, sizeof *fields, compare_fields);
    luaL_checkstack(lua, FIELDS_SHOWN + 8, NULL);
    for (size_t i = 0; i < shown; i++) {
        fetch_field(lua, &fields[i]); /* at 2 and further */
    }
    luaL_Buffer buffer;
    luaL_buffinit(lua, &buffer);
    luaL_addstring(&buffer, "{");
    for (size_t i = 0; i < shown; i++) {
        luaL_addstring(&buffer, i > 0 ? ", " : " ");
        if (fields[i].name != NULL) {
            char name[VALUE_BYTES];
            snprintf(name, sizeof name, "%.80s = ", fields[i].name);
            luaL_addstring(&buffer, name);
        }
        add_value(lua, &buffer, (int)i + 2);
    }
    luaL_addstring(&buffer, has_more || count > shown ? ", … }" : shown > 0 ? " }" : "}");
    luaL_pushresult(&buffer);
    return 1;
}

int error_text_push(lua_State *lua)
{
    lua_settop(lua, 1);
    if (!lua_istable(lua, 1) || luaL_getmetafield(lua, 1, "__tostring") != LUA_TNIL) {
        luaL_tolstring(lua, 1, NULL);
        return 1;
    }
    lua_pushliteral(lua, "message");
    if (lua_rawget(lua, 1) == LUA_TSTRING) {
        return 1;
    }
    lua_settop(lua, 1);
    return describe_fields(lua);
}
