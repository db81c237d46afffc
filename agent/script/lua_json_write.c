/* Writes Lua values as JSON. It calls no metamethods, so no code of the script runs meanwhile. */
#include "agent/script/lua_json.h"

#include "agent/script/limits.h"
#include "agent/script/lua_error.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 256u
#define NUMBER_BYTES 32
#define VALUE_INSTRUCTIONS 4u
#define BYTES_PER_INSTRUCTION 16u
/* A list may have holes, which become null; with more holes than this it is an object. */
#define HOLES_FREELY 10
#define MOST_HOLES 2

/* The text so far is a userdata in the script's own memory, which is not leaked by an error. */
struct json_writer {
    lua_State *lua;
    int box;
    char *text;
    size_t size;
    size_t capacity;
    int depth;
    const void *path[JSON_MAX_DEPTH]; /* the tables being written, to find cycles */
};

static void write_value(struct json_writer *writer, int index);

static char *reserve(struct json_writer *writer, size_t more)
{
    if (more > writer->capacity - writer->size) {
        size_t capacity = writer->capacity * 2;
        if (writer->size + more > JSON_MAX_BYTES) {
            lua_misuse(writer->lua, "json.encode: longer than %d MiB", (int)(JSON_MAX_BYTES >> 20));
        }
        while (capacity - writer->size < more) {
            capacity *= 2;
        }
        char *text = lua_newuserdatauv(writer->lua, capacity, 0);
        memcpy(text, writer->text, writer->size);
        lua_replace(writer->lua, writer->box);
        writer->text = text;
        writer->capacity = capacity;
    }
    return writer->text + writer->size;
}

static void lua_json_write_add(struct json_writer *writer, const char *text, size_t size)
{
    memcpy(reserve(writer, size), text, size);
    writer->size += size;
}

static void add_byte(struct json_writer *writer, char byte)
{
    *reserve(writer, 1) = byte;
    writer->size++;
}

static void write_escape(struct json_writer *writer, unsigned char byte)
{
    static const char names[] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"', ['\\'] = '\\'};
    char text[8];

    if (byte < sizeof names && names[byte] != 0) {
        text[0] = '\\';
        text[1] = names[byte];
        lua_json_write_add(writer, text, 2);
    } else {
        lua_json_write_add(writer, text, (size_t)snprintf(text, sizeof text, "\\u%04x", byte));
    }
}

static bool is_escaped(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f;
}

static void write_string(struct json_writer *writer, const char *text, size_t size)
{
    size_t from = 0;

    limits_charge(writer->lua, size / BYTES_PER_INSTRUCTION);
    add_byte(writer, '"');
    for (size_t at = 0; at < size; at++) {
        if (is_escaped((unsigned char)text[at])) {
            lua_json_write_add(writer, text + from, at - from);
            write_escape(writer, (unsigned char)text[at]);
            from = at + 1;
        }
    }
    lua_json_write_add(writer, text + from, size - from);
    add_byte(writer, '"');
}

/* With as few digits as reproduce the same number. */
static void write_number(struct json_writer *writer, int index)
{
    char text[NUMBER_BYTES];
    int size;

    if (lua_isinteger(writer->lua, index)) {
        size = snprintf(text, sizeof text, LUA_INTEGER_FMT, (LUAI_UACINT)lua_tointeger(writer->lua, index));
    } else {
        double number = lua_tonumber(writer->lua, index);
        if (!isfinite(number)) {
            lua_misuse(writer->lua, "json.encode: a number that is infinite or NaN");
        }
        int digits = 15;
        do {
            size = snprintf(text, sizeof text, "%.*g", digits, number);
        } while (strtod(text, NULL) != number && ++digits <= 17);
    }
    lua_json_write_add(writer, text, (size_t)size);
}

/* The length of the table at `index` as a list; -1: it is an object. */
static lua_Integer list_length(struct json_writer *writer, int index)
{
    lua_State *lua = writer->lua;
    lua_Integer longest = 0;
    lua_Integer count = 0;
    bool is_list = true;

    if (lua_json_is_list(lua, index)) {
        return (lua_Integer)lua_rawlen(lua, index);
    }
    for (lua_pushnil(lua); is_list && lua_next(lua, index); lua_pop(lua, 1)) {
        limits_charge(lua, 1);
        lua_Integer key = lua_isinteger(lua, -2) ? lua_tointeger(lua, -2) : 0;
        is_list = key > 0;
        longest = key > longest ? key : longest;
        count++;
    }
    if (!is_list) {
        lua_pop(lua, 1);
        return -1;
    }
    return count == 0 || (longest > HOLES_FREELY && longest / MOST_HOLES > count) ? -1 : longest;
}

static void write_list(struct json_writer *writer, int index, lua_Integer length)
{
    add_byte(writer, '[');
    for (lua_Integer i = 1; i <= length; i++) {
        if (i > 1) {
            add_byte(writer, ',');
        }
        lua_rawgeti(writer->lua, index, i);
        write_value(writer, lua_gettop(writer->lua));
        lua_pop(writer->lua, 1);
    }
    add_byte(writer, ']');
}

static void write_key(struct json_writer *writer, int index)
{
    size_t size;

    if (lua_type(writer->lua, index) == LUA_TSTRING) {
        const char *text = lua_tolstring(writer->lua, index, &size);
        write_string(writer, text, size);
    } else if (lua_type(writer->lua, index) == LUA_TNUMBER) {
        add_byte(writer, '"');
        write_number(writer, index);
        add_byte(writer, '"');
    } else {
        lua_misuse(writer->lua, "json.encode: a key that is a %s", luaL_typename(writer->lua, index));
    }
}

static void write_object(struct json_writer *writer, int index)
{
    lua_State *lua = writer->lua;
    bool is_first = true;

    add_byte(writer, '{');
    for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
        if (!is_first) {
            add_byte(writer, ',');
        }
        is_first = false;
        write_key(writer, lua_gettop(lua) - 1);
        add_byte(writer, ':');
        write_value(writer, lua_gettop(lua));
    }
    add_byte(writer, '}');
}

static void write_table(struct json_writer *writer, int index)
{
    const void *table = lua_topointer(writer->lua, index);

    for (int i = 0; i < writer->depth; i++) {
        if (writer->path[i] == table) {
            lua_misuse(writer->lua, "json.encode: a table that contains itself");
        }
    }
    if (writer->depth == JSON_MAX_DEPTH) {
        lua_misuse(writer->lua, "json.encode: nested deeper than %d levels", JSON_MAX_DEPTH);
    }
    luaL_checkstack(writer->lua, 6, NULL);
    writer->path[writer->depth++] = table;
    lua_Integer length = list_length(writer, index);
    if (length >= 0) {
        write_list(writer, index, length);
    } else {
        write_object(writer, index);
    }
    writer->depth--;
}

static void write_value(struct json_writer *writer, int index)
{
    lua_State *lua = writer->lua;
    size_t size;

    limits_charge(lua, VALUE_INSTRUCTIONS);
    switch (lua_type(lua, index)) {
    case LUA_TNIL:
        lua_json_write_add(writer, "null", 4);
        return;
    case LUA_TBOOLEAN:
        if (lua_toboolean(lua, index)) {
            lua_json_write_add(writer, "true", 4);
        } else {
            lua_json_write_add(writer, "false", 5);
        }
        return;
    case LUA_TNUMBER:
        write_number(writer, index);
        return;
    case LUA_TSTRING: {
        const char *text = lua_tolstring(lua, index, &size);
        write_string(writer, text, size);
        return;
    }
    case LUA_TTABLE:
        write_table(writer, index);
        return;
    default:
        break;
    }
    if (lua_islightuserdata(lua, index) && lua_touserdata(lua, index) == lua_json_null()) {
        lua_json_write_add(writer, "null", 4);
    } else if (lua_islightuserdata(lua, index) && lua_touserdata(lua, index) == lua_json_empty_list()) {
        lua_json_write_add(writer, "[]", 2);
    } else {
        lua_misuse(lua, "json.encode: a %s cannot be written", luaL_typename(lua, index));
    }
}

void lua_json_write(lua_State *lua, int index)
{
    struct json_writer writer = {.lua = lua, .capacity = FIRST_BYTES};

    index = lua_absindex(lua, index);
    luaL_checkstack(lua, 6, NULL);
    writer.text = lua_newuserdatauv(lua, FIRST_BYTES, 0);
    writer.box = lua_gettop(lua);
    write_value(&writer, index);
    lua_pushlstring(lua, writer.text, writer.size);
    lua_replace(lua, writer.box);
    lua_settop(lua, writer.box);
}
