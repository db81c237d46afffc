/* The pairs of a query as tables of a script, and back. */
#include "agent/lua/lua_query.h"

#include "agent/http/message/url_coding.h"
#include "agent/script/limits.h"
#include "agent/script/lua_error.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_PER_INSTRUCTION 16u
#define PAIR_INSTRUCTIONS 8u

/* What is written; the pieces are a list of Lua, joined at the end. */
struct query_writer {
    lua_State *lua;
    const char *function;
    int pieces; /* index of the list */
    lua_Integer count;
};

static void add_piece(struct query_writer *writer)
{
    lua_rawseti(writer->lua, writer->pieces, ++writer->count);
}

/* Pushes the value at `index`, encoded. */
static void push_encoded(struct query_writer *writer, int index, const char *what)
{
    lua_State *lua = writer->lua;
    luaL_Buffer buffer;
    size_t size;

    index = lua_absindex(lua, index);
    if (lua_isboolean(lua, index)) {
        lua_pushstring(lua, lua_toboolean(lua, index) ? "true" : "false");
        return;
    }
    if (lua_type(lua, index) != LUA_TSTRING && lua_type(lua, index) != LUA_TNUMBER) {
        lua_misuse(lua, "%s: %s is a string, a number or a boolean, not a %s", writer->function, what,
                   luaL_typename(lua, index));
    }
    lua_pushvalue(lua, index); /* a number becomes text in the copy */
    const char *text = lua_tolstring(lua, -1, &size);
    limits_charge(lua, PAIR_INSTRUCTIONS + size / BYTES_PER_INSTRUCTION);
    size_t encoded = url_encoded_size(bytes_of(text, size), "");
    url_encode_to(luaL_buffinitsize(lua, &buffer, encoded), bytes_of(text, size), "");
    luaL_pushresultsize(&buffer, encoded);
    lua_remove(lua, -2);
}

/* The name is at `name`, the value on top. */
static void write_pair(struct query_writer *writer, int name)
{
    lua_State *lua = writer->lua;
    int value = lua_gettop(lua);

    if (lua_type(lua, name) != LUA_TSTRING) {
        lua_misuse(lua, "%s: the name of a pair is a string, not a %s", writer->function,
                   luaL_typename(lua, name));
    }
    lua_pushstring(lua, writer->count > 0 ? "&" : "");
    push_encoded(writer, name, "a name");
    lua_pushliteral(lua, "=");
    push_encoded(writer, value, lua_tostring(lua, name));
    lua_concat(lua, 4);
    add_piece(writer);
}

/* The value on top, which may be a list. */
static void write_values(struct query_writer *writer, int name)
{
    lua_State *lua = writer->lua;
    int value = lua_gettop(lua);

    if (!lua_istable(lua, value)) {
        write_pair(writer, name);
        return;
    }
    lua_Integer length = (lua_Integer)lua_rawlen(lua, value);
    lua_Integer found = 0;
    for (lua_pushnil(lua); lua_next(lua, value); lua_pop(lua, 1)) {
        limits_charge(lua, 1);
        found++;
    }
    if (found != length) {
        lua_misuse(lua, "%s: the values of %.60s are a list", writer->function, lua_tostring(lua, name));
    }
    for (lua_Integer i = 1; i <= length; i++) {
        lua_rawgeti(lua, value, i);
        write_pair(writer, name);
        lua_pop(lua, 1);
    }
}

struct query_name {
    const char *text;
    size_t size;
};

static int compare_names(const void *left, const void *right)
{
    const struct query_name *a = left;
    const struct query_name *b = right;

    return bytes_compare(bytes_of(a->text, a->size), bytes_of(b->text, b->size));
}

/* Pushes the names of the table at `table` as memory of Lua, sorted, and returns how many. They stay where
 * they are as long as the table has them. */
static size_t push_names(struct query_writer *writer, int table)
{
    lua_State *lua = writer->lua;
    size_t count = 0;
    size_t taken = 0;

    for (lua_pushnil(lua); lua_next(lua, table); lua_pop(lua, 1)) {
        limits_charge(lua, 1);
        if (lua_type(lua, -2) != LUA_TSTRING) {
            lua_misuse(lua, "%s: the name of a pair is a string, not a %s", writer->function,
                       luaL_typename(lua, -2));
        }
        count++;
    }
    struct query_name *names = lua_newuserdatauv(lua, (count + 1) * sizeof *names, 0);
    for (lua_pushnil(lua); lua_next(lua, table); lua_pop(lua, 1)) {
        names[taken].text = lua_tolstring(lua, -2, &names[taken].size);
        taken++;
    }
    limits_charge(lua, 4 * count);
    qsort(names, count, sizeof *names, compare_names);
    return count;
}

static void write_named(struct query_writer *writer, int table)
{
    lua_State *lua = writer->lua;
    size_t count = push_names(writer, table);
    int memory = lua_gettop(lua);

    for (size_t i = 0; i < count; i++) {
        const struct query_name *names = lua_touserdata(lua, memory);
        lua_pushlstring(lua, names[i].text, names[i].size);
        lua_pushvalue(lua, -1);
        lua_rawget(lua, table);
        write_values(writer, memory + 1);
        lua_settop(lua, memory);
    }
    lua_pop(lua, 1);
}

static void write_listed(struct query_writer *writer, int table)
{
    lua_State *lua = writer->lua;
    int top = lua_gettop(lua);
    lua_Integer length = (lua_Integer)lua_rawlen(lua, table);

    for (lua_Integer i = 1; i <= length; i++) {
        if (lua_rawgeti(lua, table, i) != LUA_TTABLE) {
            lua_misuse(lua, "%s: pair %d is { name, value }, not a %s", writer->function, (int)i,
                       luaL_typename(lua, -1));
        }
        lua_rawgeti(lua, top + 1, 1);
        lua_rawgeti(lua, top + 1, 2);
        write_pair(writer, top + 2);
        lua_settop(lua, top);
    }
}

/* The pieces at `list` become one string, in its place. */
static void join_pieces(struct query_writer *writer)
{
    lua_State *lua = writer->lua;
    luaL_Buffer buffer;

    luaL_buffinit(lua, &buffer);
    for (lua_Integer i = 1; i <= writer->count; i++) {
        lua_rawgeti(lua, writer->pieces, i);
        luaL_addvalue(&buffer);
    }
    luaL_pushresult(&buffer);
    lua_replace(lua, writer->pieces);
}

void lua_query_push_text(lua_State *lua, int index, const char *function)
{
    struct query_writer writer = {.lua = lua, .function = function};

    index = lua_absindex(lua, index);
    luaL_checkstack(lua, 16, NULL);
    lua_newtable(lua);
    writer.pieces = lua_gettop(lua);
    bool is_listed = lua_rawgeti(lua, index, 1) != LUA_TNIL;
    lua_pop(lua, 1);
    if (is_listed) {
        write_listed(&writer, index);
    } else {
        write_named(&writer, index);
    }
    join_pieces(&writer);
}

static void push_decoded(lua_State *lua, struct bytes text)
{
    luaL_Buffer buffer;
    size_t size;
    char *into = luaL_buffinitsize(lua, &buffer, text.size);

    if (!url_decode_to(into, text, true, &size)) {
        lua_misuse(lua, "url.query: a %% that two hexadecimal digits do not follow");
    }
    luaL_pushresultsize(&buffer, size);
}

/* The name is at `name`, the value on top: adds it to the table at `pairs`, and pops both. */
static void add_pair(lua_State *lua, int pairs, int name)
{
    lua_pushvalue(lua, name);
    int type = lua_rawget(lua, pairs);
    if (type == LUA_TNIL) {
        lua_pop(lua, 1);
        lua_rawset(lua, pairs);
        return;
    }
    if (type == LUA_TSTRING) { /* the second of that name */
        lua_createtable(lua, 2, 0);
        lua_insert(lua, -2);
        lua_rawseti(lua, -2, 1);
        lua_pushvalue(lua, name);
        lua_pushvalue(lua, -2);
        lua_rawset(lua, pairs);
    }
    lua_pushvalue(lua, name + 1);
    lua_rawseti(lua, -2, (lua_Integer)lua_rawlen(lua, -2) + 1);
    lua_settop(lua, name - 1);
}

void lua_query_push_pairs(lua_State *lua, struct bytes query)
{
    struct bytes name;
    struct bytes value;

    luaL_checkstack(lua, 12, NULL);
    if (query.size > 0 && query.data[0] == '?') {
        query = bytes_of(query.data + 1, query.size - 1);
    }
    lua_newtable(lua);
    int pairs = lua_gettop(lua);
    while (url_query_next(&query, &name, &value)) {
        limits_charge(lua, PAIR_INSTRUCTIONS + (name.size + value.size) / BYTES_PER_INSTRUCTION);
        push_decoded(lua, name);
        push_decoded(lua, value);
        add_pair(lua, pairs, pairs + 1);
    }
}
