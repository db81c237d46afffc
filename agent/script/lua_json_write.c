/* Writes Lua values as JSON. It calls no metamethods, so no code of the script runs meanwhile. */
#include "agent/script/lua_json.h"

#include "agent/script/limits.h"
#include "agent/script/lua_error.h"

#include <lauxlib.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES 32
/* What is looked at at once for bytes that are escaped. */
#define PIECE_BYTES 32u
#define VALUE_INSTRUCTIONS 4u
#define BYTES_PER_INSTRUCTION 16u
#define CHARGED_AT_ONCE 1000u
/* A list may have holes, which become null; with more holes than this it is an object. */
#define HOLES_FREELY 10
#define MOST_HOLES 2

/* Once it is long, the text so far is a userdata in the script's own memory, which is not leaked by an error.
 */
struct json_writer {
    lua_State *lua;
    int box; /* where that is on the stack */
    char *text;
    size_t size;
    size_t capacity;
    size_t charge; /* instructions that the script's budget does not know of yet */
    int depth;
    const void *path[JSON_MAX_DEPTH]; /* the tables being written, to find cycles */
};

static void write_value(struct json_writer *writer, int index);

static void lua_json_write_charge(struct json_writer *writer, size_t instructions)
{
    writer->charge += instructions;
    if (writer->charge >= CHARGED_AT_ONCE) {
        limits_charge(writer->lua, writer->charge);
        writer->charge = 0;
    }
}

static void lua_json_write_grow(struct json_writer *writer, size_t more)
{
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

static inline char *reserve(struct json_writer *writer, size_t more)
{
    if (more > writer->capacity - writer->size) {
        lua_json_write_grow(writer, more);
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

/* Whether one of PIECE_BYTES is escaped. */
static bool has_escaped(const char *text)
{
    typedef uint8_t vector __attribute__((vector_size(16)));
    vector any = {0};
    uint64_t found[sizeof any / sizeof(uint64_t)];

    for (size_t i = 0; i < PIECE_BYTES; i += sizeof any) {
        vector part;
        memcpy(&part, text + i, sizeof part);
        /* Bytes below 0x20 and '"', 0x22, are those that become 0x20 at most where that bit changes. */
        any |= (vector)(((part ^ 2) <= 0x20) | (part == '\\') | (part == 0x7f));
    }
    memcpy(found, &any, sizeof found);
    return (found[0] | found[1]) != 0;
}

/* The first byte from `at` on that is escaped, or the size. */
static size_t find_escaped(const char *text, size_t at, size_t size)
{
    static const bool escaped[256] = {
        [0] = true,  [1] = true,  [2] = true,  [3] = true,  [4] = true,   [5] = true,    [6] = true,
        [7] = true,  [8] = true,  [9] = true,  [10] = true, [11] = true,  [12] = true,   [13] = true,
        [14] = true, [15] = true, [16] = true, [17] = true, [18] = true,  [19] = true,   [20] = true,
        [21] = true, [22] = true, [23] = true, [24] = true, [25] = true,  [26] = true,   [27] = true,
        [28] = true, [29] = true, [30] = true, [31] = true, ['"'] = true, ['\\'] = true, [0x7f] = true};

    while (size - at >= PIECE_BYTES) {
        if (has_escaped(text + at)) {
            break;
        }
        at += PIECE_BYTES;
        if (size - at < PIECE_BYTES && !has_escaped(text + size - PIECE_BYTES)) {
            return size; /* the last bytes, with some of those before */
        }
    }
    while (at < size && !escaped[(unsigned char)text[at]]) {
        at++;
    }
    return at;
}

/* From the first byte on that is escaped, at `at`. */
static void write_escaped(struct json_writer *writer, const char *text, size_t at, size_t size)
{
    size_t from = 0;

    add_byte(writer, '"');
    while (at < size) {
        lua_json_write_add(writer, text + from, at - from);
        write_escape(writer, (unsigned char)text[at]);
        from = at + 1;
        at = find_escaped(text, from, size);
    }
    lua_json_write_add(writer, text + from, size - from);
    add_byte(writer, '"');
}

static void write_string(struct json_writer *writer, const char *text, size_t size)
{
    size_t at = find_escaped(text, 0, size);

    lua_json_write_charge(writer, size / BYTES_PER_INSTRUCTION);
    if (at < size) {
        write_escaped(writer, text, at, size);
        return;
    }
    char *to = reserve(writer, size + 2);
    to[0] = '"';
    memcpy(to + 1, text, size);
    to[size + 1] = '"';
    writer->size += size + 2;
}

static void write_integer(struct json_writer *writer, lua_Integer number)
{
    char text[NUMBER_BYTES];
    size_t start = sizeof text;
    lua_Unsigned rest = number < 0 ? 0 - (lua_Unsigned)number : (lua_Unsigned)number;

    do {
        text[--start] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        text[--start] = '-';
    }
    lua_json_write_add(writer, text + start, sizeof text - start);
}

/* With as few digits as reproduce the same number. */
static void write_number(struct json_writer *writer, int index)
{
    char text[NUMBER_BYTES];
    int digits = 15;
    int size;

    if (lua_isinteger(writer->lua, index)) {
        write_integer(writer, lua_tointeger(writer->lua, index));
        return;
    }
    double number = lua_tonumber(writer->lua, index);
    if (!isfinite(number)) {
        lua_misuse(writer->lua, "json.encode: a number that is infinite or NaN");
    }
    do {
        size = snprintf(text, sizeof text, "%.*g", digits, number);
    } while (strtod(text, NULL) != number && ++digits <= 17);
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
        lua_json_write_charge(writer, 1);
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

    lua_json_write_charge(writer, VALUE_INSTRUCTIONS);
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

struct bytes lua_json_write_text(lua_State *lua, int index, struct json_text *first)
{
    struct json_writer writer;

    writer.lua = lua;
    writer.text = first->bytes;
    writer.size = 0;
    writer.capacity = sizeof first->bytes;
    writer.charge = 0;
    writer.depth = 0;
    index = lua_absindex(lua, index);
    luaL_checkstack(lua, 6, NULL);
    lua_pushnil(lua);
    writer.box = lua_gettop(lua);
    write_value(&writer, index);
    limits_charge(lua, writer.charge);
    return bytes_of(writer.text, writer.size);
}

void lua_json_write(lua_State *lua, int index)
{
    struct json_text first;
    struct bytes text = lua_json_write_text(lua, index, &first);

    lua_pushlstring(lua, (const char *)text.data, text.size);
    lua_replace(lua, -2);
}
