/* The pairs of a query as tables of a script, and back. */
#include "agent/lua/lua_query.h"

#include "agent/http/message/url_coding.h"
#include "agent/lua/lua_http_parts.h"
#include "agent/script/limits.h"
#include "agent/script/lua_error.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_PER_INSTRUCTION 16u
#define PAIR_INSTRUCTIONS 8u

/* Pairs that are being written: gone through once to count the bytes, and once more to write them. */
struct query_writer {
    lua_State *lua;
    const struct lua_query_style *style;
    int table;
    bool is_listed;
    struct bytes *names; /* borrowed from the table, in their order; on the stack */
    size_t name_count;
    struct http_parts_text out;
};

static void query_put_encoded(struct query_writer *writer, struct bytes text)
{
    struct http_parts_text *out = &writer->out;
    const char *kept = writer->style->is_form ? " " : "";
    size_t size = url_encoded_size(text, kept);

    if (out->at != NULL) {
        char *at = out->at + out->size;
        url_encode_to(at, text, kept);
        for (size_t i = 0; writer->style->is_form && i < size; i++) {
            at[i] = at[i] == ' ' ? '+' : at[i];
        }
    } else {
        limits_charge(writer->lua, PAIR_INSTRUCTIONS / 2 + text.size / BYTES_PER_INSTRUCTION);
    }
    out->size += size;
}

/* The value on top, which is popped. */
static void query_put_pair(struct query_writer *writer, struct bytes name)
{
    lua_State *lua = writer->lua;
    struct bytes value = bytes_of(NULL, 0);
    size_t size;

    switch (lua_type(lua, -1)) {
    case LUA_TSTRING:
    case LUA_TNUMBER: {
        const char *text = lua_tolstring(lua, -1, &size);
        value = bytes_of(text, size);
        break;
    }
    case LUA_TBOOLEAN:
        value = bytes_of_string(lua_toboolean(lua, -1) ? "true" : "false");
        break;
    default:
        lua_misuse(lua, "%s%s%.60s is a string, a number or a boolean, not a %s", writer->style->subject,
                   writer->style->takes_lists ? ": " : ".", (const char *)name.data, luaL_typename(lua, -1));
    }
    if (writer->out.size > 0) {
        http_parts_put(&writer->out, "&", 1);
    }
    query_put_encoded(writer, name);
    http_parts_put(&writer->out, "=", 1);
    query_put_encoded(writer, value);
    lua_pop(lua, 1);
}

/* The value on top, which may be a list; it is popped. */
static void query_put_values(struct query_writer *writer, struct bytes name)
{
    lua_State *lua = writer->lua;
    int value = lua_gettop(lua);

    if (!lua_istable(lua, value)) {
        query_put_pair(writer, name);
        return;
    }
    lua_Integer length = (lua_Integer)lua_rawlen(lua, value);
    lua_Integer found = 0;
    for (lua_pushnil(lua); lua_next(lua, value); lua_pop(lua, 1)) {
        limits_charge(lua, 1);
        found++;
    }
    if (found != length) {
        lua_misuse(lua, "%s: the values of %.60s are a list", writer->style->subject,
                   (const char *)name.data);
    }
    for (lua_Integer i = 1; i <= length; i++) {
        lua_rawgeti(lua, value, i);
        query_put_pair(writer, name);
    }
    lua_pop(lua, 1);
}

static int query_compare_names(const void *left, const void *right)
{
    const struct bytes *a = left;
    const struct bytes *b = right;

    return bytes_compare(*a, *b);
}

static void query_refuse_name(const struct query_writer *writer, int type)
{
    const char *subject = writer->style->subject;

    if (writer->style->takes_lists) {
        lua_misuse(writer->lua, "%s: the name of a pair is a string, not a %s", subject,
                   lua_typename(writer->lua, type));
    }
    lua_misuse(writer->lua, "%s is a table of name = value", subject);
}

/* Pushes a block that holds the names. They stay where they are as long as the table has them. */
static void query_push_names(struct query_writer *writer)
{
    lua_State *lua = writer->lua;
    size_t count = 0;

    for (lua_pushnil(lua); lua_next(lua, writer->table); lua_pop(lua, 1)) {
        limits_charge(lua, 1);
        if (lua_type(lua, -2) != LUA_TSTRING) {
            query_refuse_name(writer, lua_type(lua, -2));
        }
        count++;
    }
    writer->names = lua_newuserdatauv(lua, (count + 1) * sizeof *writer->names, 0);
    for (lua_pushnil(lua); lua_next(lua, writer->table); lua_pop(lua, 1)) {
        size_t size;
        const char *text = lua_tolstring(lua, -2, &size);
        writer->names[writer->name_count++] = bytes_of(text, size);
    }
    limits_charge(lua, 4 * count);
    if (count > 1) {
        qsort(writer->names, count, sizeof *writer->names, query_compare_names);
    }
}

static void query_put_named(struct query_writer *writer)
{
    lua_State *lua = writer->lua;

    for (size_t i = 0; i < writer->name_count; i++) {
        struct bytes name = writer->names[i];
        lua_pushlstring(lua, (const char *)name.data, name.size);
        lua_rawget(lua, writer->table);
        query_put_values(writer, name);
    }
}

static void query_put_listed(struct query_writer *writer)
{
    lua_State *lua = writer->lua;
    int top = lua_gettop(lua);
    lua_Integer length = (lua_Integer)lua_rawlen(lua, writer->table);
    size_t size;

    for (lua_Integer i = 1; i <= length; i++) {
        if (lua_rawgeti(lua, writer->table, i) != LUA_TTABLE) {
            lua_misuse(lua, "%s: pair %d is { name, value }, not a %s", writer->style->subject, (int)i,
                       luaL_typename(lua, -1));
        }
        if (lua_rawgeti(lua, top + 1, 1) != LUA_TSTRING) {
            query_refuse_name(writer, lua_type(lua, -1));
        }
        const char *name = lua_tolstring(lua, -1, &size);
        lua_rawgeti(lua, top + 1, 2);
        query_put_pair(writer, bytes_of(name, size));
        lua_settop(lua, top);
    }
}

static void query_put_all(struct query_writer *writer)
{
    if (writer->is_listed) {
        query_put_listed(writer);
    } else {
        query_put_named(writer);
    }
}

void lua_query_push_text(lua_State *lua, int index, const struct lua_query_style *style)
{
    struct query_writer writer = {.lua = lua, .style = style, .table = lua_absindex(lua, index)};
    luaL_Buffer buffer;
    int top = lua_gettop(lua);

    luaL_checkstack(lua, 16, NULL);
    writer.is_listed = style->takes_lists && lua_rawgeti(lua, writer.table, 1) != LUA_TNIL;
    lua_settop(lua, top);
    if (!writer.is_listed) {
        query_push_names(&writer);
    }
    query_put_all(&writer);
    size_t size = writer.out.size;
    writer.out = (struct http_parts_text){.at = luaL_buffinitsize(lua, &buffer, size)};
    query_put_all(&writer);
    luaL_pushresultsize(&buffer, size);
    lua_insert(lua, top + 1);
    lua_settop(lua, top + 1);
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
