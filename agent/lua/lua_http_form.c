/* Pairs of names and values as text. Each text is gone through twice: to count it, and to write it. */
#include "agent/lua/lua_http_form.h"

#include "agent/lua/lua_http_parts.h"
#include "agent/script/limits.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_option.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that cost about as much as an instruction. */
#define BYTES_PER_CHARGE 16u

struct form_name {
    const char *text; /* borrowed from the table */
    size_t size;
};

/* A table whose pairs are written. */
struct form_pairs {
    int table;
    const char *option;
    struct form_name *names; /* in their order; on the stack */
    size_t count;
    bool is_query; /* a space is "%20", not "+" */
};

static bool form_is_unreserved(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           (byte != 0 && strchr("-._~", byte) != NULL);
}

static void form_put_encoded(struct http_parts_text *out, struct form_name text, bool is_query)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.text[i];
        if (form_is_unreserved(byte)) {
            http_parts_put(out, &text.text[i], 1);
        } else if (byte == ' ' && !is_query) {
            http_parts_put(out, "+", 1);
        } else {
            const char coded[] = {'%', digits[byte >> 4], digits[byte & 15]};
            http_parts_put(out, coded, sizeof coded);
        }
    }
}

static int form_compare_names(const void *left_pointer, const void *right_pointer)
{
    const struct form_name *left = left_pointer;
    const struct form_name *right = right_pointer;
    size_t common = left->size < right->size ? left->size : right->size;
    int order = memcmp(left->text, right->text, common);

    return order != 0 ? order : (left->size > right->size) - (left->size < right->size);
}

/* Pushes a block that holds the names. */
static void form_push_names(lua_State *lua, struct form_pairs *pairs)
{
    size_t count = 0;

    for (lua_pushnil(lua); lua_next(lua, pairs->table); lua_pop(lua, 1)) {
        if (lua_type(lua, -2) != LUA_TSTRING) {
            lua_misuse(lua, "http: %s is a table of name = value", pairs->option);
        }
        count++;
    }
    limits_charge(lua, count);
    pairs->names = lua_newuserdatauv(lua, (count + 1) * sizeof *pairs->names, 0);
    for (lua_pushnil(lua); lua_next(lua, pairs->table); lua_pop(lua, 1)) {
        struct form_name *name = &pairs->names[pairs->count++];
        name->text = lua_tolstring(lua, -2, &name->size);
    }
    if (count > 1) {
        qsort(pairs->names, count, sizeof *pairs->names, form_compare_names);
    }
}

/* The value on top, which is popped. */
static void form_put_pair(lua_State *lua, const struct form_pairs *pairs, const struct form_name *name,
                          struct http_parts_text *out)
{
    struct form_name value;

    switch (lua_type(lua, -1)) {
    case LUA_TSTRING:
    case LUA_TNUMBER:
        value.text = lua_tolstring(lua, -1, &value.size);
        break;
    case LUA_TBOOLEAN:
        value.text = lua_toboolean(lua, -1) ? "true" : "false";
        value.size = strlen(value.text);
        break;
    default:
        lua_misuse(lua, "http: %s.%s is a string, a number, a boolean or a list of those, not a %s",
                   pairs->option, name->text, luaL_typename(lua, -1));
        return;
    }
    if (out->size > 0) {
        http_parts_put(out, "&", 1);
    }
    form_put_encoded(out, *name, pairs->is_query);
    http_parts_put(out, "=", 1);
    form_put_encoded(out, value, pairs->is_query);
    lua_pop(lua, 1);
}

static void form_put_pairs(lua_State *lua, const struct form_pairs *pairs, struct http_parts_text *out)
{
    for (size_t i = 0; i < pairs->count; i++) {
        const struct form_name *name = &pairs->names[i];
        lua_pushlstring(lua, name->text, name->size);
        if (lua_rawget(lua, pairs->table) != LUA_TTABLE) {
            form_put_pair(lua, pairs, name, out);
            continue;
        }
        int list = lua_gettop(lua);
        lua_Integer length = (lua_Integer)lua_rawlen(lua, list);
        limits_charge(lua, (uint64_t)length);
        for (lua_Integer at = 1; at <= length; at++) {
            lua_rawgeti(lua, list, at);
            form_put_pair(lua, pairs, name, out);
        }
        lua_pop(lua, 1);
    }
    limits_charge(lua, out->size / BYTES_PER_CHARGE);
}

static void form_push(lua_State *lua, struct form_pairs *pairs)
{
    struct http_parts_text counted = {0};
    struct http_parts_text written = {0};
    luaL_Buffer buffer;

    luaL_checkstack(lua, 12, NULL);
    if (!lua_istable(lua, pairs->table)) {
        lua_misuse(lua, "http: %s is a table, not a %s", pairs->option, luaL_typename(lua, pairs->table));
    }
    lua_option_check_plain(lua, pairs->table, "http");
    form_push_names(lua, pairs);
    form_put_pairs(lua, pairs, &counted);
    written.at = luaL_buffinitsize(lua, &buffer, counted.size);
    form_put_pairs(lua, pairs, &written);
    luaL_pushresultsize(&buffer, written.size);
    lua_remove(lua, -2);
}

void lua_http_push_query(lua_State *lua, int index, const char *option)
{
    struct form_pairs pairs = {.table = lua_absindex(lua, index), .option = option, .is_query = true};

    form_push(lua, &pairs);
}

void lua_http_push_form(lua_State *lua, int index, const char *option)
{
    struct form_pairs pairs = {.table = lua_absindex(lua, index), .option = option};

    form_push(lua, &pairs);
}
