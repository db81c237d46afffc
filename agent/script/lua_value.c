/* Converts Lua tables to the sorted pairs of a canonical value, and canonical values to tables. */
#include "agent/script/lua_value.h"

#include "agent/script/lua_error.h"
#include "common/value.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A pair in the buffer before it is sorted into its place. */
struct pair {
    struct bytes key;
    size_t size; /* of key and value together */
};

static void lua_value_encode_item(lua_State *lua, int index, struct buffer *buffer, const char *what,
                                  unsigned depth);

static int compare_pairs(const void *left, const void *right)
{
    return bytes_compare(((const struct pair *)left)->key, ((const struct pair *)right)->key);
}

static void check_key(lua_State *lua, int index, const char *what)
{
    int type = lua_type(lua, index);

    if (type == LUA_TNUMBER && isnan(lua_tonumber(lua, index))) {
        lua_misuse(lua, "%s: a key that is not a number", what);
    }
    if (type != LUA_TBOOLEAN && type != LUA_TNUMBER && type != LUA_TSTRING) {
        lua_misuse(lua, "%s: a %s cannot be a key", what, lua_typename(lua, type));
    }
}

/* Sorts the pairs that begin at `start`. The copies are in a userdata, which is not leaked by an error. */
static void sort_pairs(lua_State *lua, struct buffer *buffer, size_t start, struct pair *pairs, size_t count)
{
    size_t size = buffer->size - start;
    uint8_t *copy = lua_newuserdatauv(lua, size, 0);
    size_t at = 0;

    memcpy(copy, buffer->data + start, size);
    for (size_t i = 0; i < count; i++) {
        pairs[i].key.data = copy + at;
        at += pairs[i].size;
    }
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    buffer->size = start;
    for (size_t i = 0; i < count; i++) {
        buffer_append(buffer, pairs[i].key.data, pairs[i].size);
    }
    lua_pop(lua, 1);
}

/* If the value does not fit, this and all its callers return at once, whatever is on the stack. */
static void encode_table(lua_State *lua, int index, struct buffer *buffer, const char *what, unsigned depth)
{
    uint32_t count = 0;

    if (depth >= VALUE_MAX_DEPTH) {
        lua_misuse(lua, "%s: tables nested deeper than %u, or one that contains itself", what,
                   VALUE_MAX_DEPTH);
    }
    luaL_checkstack(lua, 10, NULL);
    for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
        if (++count > VALUE_MAX_BYTES / 3) {
            lua_misuse(lua, "%s: larger than %u KiB", what, VALUE_MAX_BYTES / 1024);
        }
    }
    value_append_table_start(buffer, count);
    if (count == 0 || buffer->has_overflowed) {
        return;
    }
    struct pair *pairs = lua_newuserdatauv(lua, count * sizeof *pairs, 0);
    size_t start = buffer->size;
    size_t done = 0;
    for (lua_pushnil(lua); lua_next(lua, index) && done < count; lua_pop(lua, 1), done++) {
        size_t key_start = buffer->size;
        check_key(lua, lua_gettop(lua) - 1, what);
        lua_value_encode_item(lua, lua_gettop(lua) - 1, buffer, what, depth + 1);
        if (buffer->has_overflowed) {
            return;
        }
        pairs[done].key.size = buffer->size - key_start;
        lua_value_encode_item(lua, lua_gettop(lua), buffer, what, depth + 1);
        pairs[done].size = buffer->size - key_start;
        if (buffer->has_overflowed) {
            return;
        }
    }
    sort_pairs(lua, buffer, start, pairs, done);
    lua_pop(lua, 1);
}

static void lua_value_encode_item(lua_State *lua, int index, struct buffer *buffer, const char *what,
                                  unsigned depth)
{
    size_t size;
    const char *string;

    switch (lua_type(lua, index)) {
    case LUA_TNIL:
        value_append_nil(buffer);
        break;
    case LUA_TBOOLEAN:
        value_append_boolean(buffer, lua_toboolean(lua, index));
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(lua, index)) {
            value_append_integer(buffer, lua_tointeger(lua, index));
        } else {
            value_append_number(buffer, lua_tonumber(lua, index));
        }
        break;
    case LUA_TSTRING:
        string = lua_tolstring(lua, index, &size);
        value_append_string(buffer, bytes_of(string, size));
        break;
    case LUA_TTABLE:
        encode_table(lua, index, buffer, what, depth);
        break;
    default:
        lua_misuse(lua, "%s: a %s cannot be shared, only nil, booleans, numbers, strings and tables of them",
                   what, luaL_typename(lua, index));
    }
}

static bool encode_within(lua_State *lua, int index, struct buffer *buffer, const char *what)
{
    int top = lua_gettop(lua);

    lua_value_encode_item(lua, index, buffer, what, 0);
    lua_settop(lua, top);
    return !buffer->has_overflowed;
}

/* A larger buffer is tried if the previous one was too small, so that few calls need to allocate memory. */
struct bytes lua_value_encode(lua_State *lua, int index, struct lua_value_room *room, const char *what)
{
    static const size_t sizes[] = {LUA_VALUE_ROOM_BYTES, 8192, VALUE_MAX_BYTES + 1};
    struct buffer buffer;

    index = lua_absindex(lua, index);
    luaL_checkstack(lua, 4, NULL);
    lua_pushnil(lua);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *memory = room->small;
        if (i > 0) {
            memory = lua_newuserdatauv(lua, sizes[i], 0);
            lua_replace(lua, -2);
        }
        buffer_init_within(&buffer, memory, sizes[i]);
        if (encode_within(lua, index, &buffer, what)) {
            return buffer_bytes(&buffer);
        }
    }
    lua_misuse(lua, "%s: larger than %u KiB", what, VALUE_MAX_BYTES / 1024);
    return bytes_of(NULL, 0);
}

static void push(lua_State *lua, struct bytes *rest)
{
    struct value_item item;

    luaL_checkstack(lua, 4, NULL);
    if (!value_read(rest, &item)) {
        lua_pushnil(lua);
        return;
    }
    switch (item.kind) {
    case 't':
    case 'f':
        lua_pushboolean(lua, item.kind == 't');
        break;
    case 'i':
        lua_pushinteger(lua, item.integer);
        break;
    case 'd':
        lua_pushnumber(lua, item.number);
        break;
    case 's':
        lua_pushlstring(lua, (const char *)item.string.data, item.string.size);
        break;
    case '{':
        lua_createtable(lua, 0, (int)item.pairs);
        for (uint32_t i = 0; i < item.pairs; i++) {
            push(lua, rest);
            push(lua, rest);
            lua_rawset(lua, -3);
        }
        break;
    default:
        lua_pushnil(lua);
    }
}

void lua_value_push(lua_State *lua, struct bytes value)
{
    push(lua, &value);
}
