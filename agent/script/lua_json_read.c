/* Reads JSON (RFC 8259) into Lua values. It also accepts what servers send in practice: a byte order mark,
 * and raw control characters and invalid UTF-8 within strings. */
#include "agent/script/json_reader.h"

#include "agent/script/limits.h"

#include <lauxlib.h>
#include <string.h>

/* For the tables and texts that are made of one value. */
#define STACK_SLOTS 6
/* The values of a table wait on the stack until so many have come, or all: then its size is known. */
#define VALUES_AT_ONCE 16

static bool read_value(struct json_reader *reader);

static void skip_space(struct json_reader *reader)
{
    const char *begin = reader->at;

    if (begin == reader->end || *begin > ' ') {
        return;
    }
    if (*begin == ' ' && begin + 1 < reader->end && begin[1] > ' ') {
        reader->at++;
        return;
    }
    while (reader->at < reader->end &&
           (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' || *reader->at == '\r')) {
        reader->at++;
    }
    if (reader->at - begin > (ptrdiff_t)JSON_BYTES_PER_INSTRUCTION) {
        json_reader_charge(reader, (size_t)(reader->at - begin) / JSON_BYTES_PER_INSTRUCTION);
    }
}

static bool read_word(struct json_reader *reader, const char *word)
{
    size_t size = strlen(word);

    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0) {
        return json_reader_expected(reader, "a value");
    }
    reader->at += size;
    return true;
}

/* Room on the stack, whose top is given, for STACK_SLOTS more; for some further ones at the same time. */
static void json_need_slots(struct json_reader *reader, int top)
{
    if (top + STACK_SLOTS > reader->checked_top) {
        luaL_checkstack(reader->lua, 2 * STACK_SLOTS, NULL);
        reader->checked_top = top + 2 * STACK_SLOTS;
    }
}

/* Pushes nil, for a table, and gives its place. */
static bool go_deeper(struct json_reader *reader, int *place)
{
    if (++reader->depth > JSON_MAX_DEPTH) {
        return json_reader_complain(reader, reader->at - 1, "Nested deeper than 200 levels");
    }
    int top = lua_gettop(reader->lua);
    json_need_slots(reader, top);
    lua_pushnil(reader->lua);
    *place = top + 1;
    return true;
}

/* "name": value */
static bool read_object_field(struct json_reader *reader)
{
    skip_space(reader);
    if (!json_reader_take(reader, '"')) {
        return json_reader_expected(reader, "a name in quotes");
    }
    if (!json_reader_string(reader)) {
        return false;
    }
    skip_space(reader);
    return json_reader_take(reader, ':') ? read_value(reader) : json_reader_expected(reader, "':'");
}

/* The fields above `place` on the stack go into the table there, which is nil before the first of them. */
static void put_fields(struct json_reader *reader, int place, int count)
{
    lua_State *lua = reader->lua;

    if (lua_isnil(lua, place)) {
        lua_createtable(lua, 0, count);
        lua_replace(lua, place);
    }
    /* In their order: of two with the same name the last one stays. */
    for (int field = place + 1; field < place + 2 * count; field += 2) {
        lua_pushvalue(lua, field);
        lua_pushvalue(lua, field + 1);
        lua_rawset(lua, place);
    }
    lua_settop(lua, place);
}

static bool read_object(struct json_reader *reader)
{
    int place;
    int held = 0;

    if (!go_deeper(reader, &place)) {
        return false;
    }
    skip_space(reader);
    if (!json_reader_take(reader, '}')) {
        do {
            if (held == VALUES_AT_ONCE) {
                put_fields(reader, place, held);
                held = 0;
            }
            json_need_slots(reader, place + 2 * held);
            if (!read_object_field(reader)) {
                return false;
            }
            held++;
            skip_space(reader);
        } while (json_reader_take(reader, ','));
        if (!json_reader_take(reader, '}')) {
            return json_reader_expected(reader, "',' or '}'");
        }
    }
    put_fields(reader, place, held);
    reader->depth--;
    return true;
}

/* As put_fields does; `before` is how many the list has already. */
static void put_items(struct json_reader *reader, int place, int count, lua_Integer before)
{
    lua_State *lua = reader->lua;

    if (lua_isnil(lua, place)) {
        lua_createtable(lua, count, 0);
        lua_pushvalue(lua, reader->list_type);
        lua_setmetatable(lua, -2);
        lua_replace(lua, place);
    }
    for (int item = 1; item <= count; item++) {
        lua_pushvalue(lua, place + item);
        lua_rawseti(lua, place, before + item);
    }
    lua_settop(lua, place);
}

static bool read_list(struct json_reader *reader)
{
    lua_Integer before = 0;
    int place;
    int held = 0;

    if (!go_deeper(reader, &place)) {
        return false;
    }
    skip_space(reader);
    if (!json_reader_take(reader, ']')) {
        do {
            if (held == VALUES_AT_ONCE) {
                put_items(reader, place, held, before);
                before += held;
                held = 0;
            }
            json_need_slots(reader, place + held);
            if (!read_value(reader)) {
                return false;
            }
            held++;
            skip_space(reader);
        } while (json_reader_take(reader, ','));
        if (!json_reader_take(reader, ']')) {
            return json_reader_expected(reader, "',' or ']'");
        }
    }
    put_items(reader, place, held, before);
    reader->depth--;
    return true;
}

static bool read_constant(struct json_reader *reader, const char *word)
{
    if (!read_word(reader, word)) {
        return false;
    }
    if (word[0] == 'n') {
        lua_pushlightuserdata(reader->lua, lua_json_null());
    } else {
        lua_pushboolean(reader->lua, word[0] == 't');
    }
    return true;
}

static bool read_value(struct json_reader *reader)
{
    skip_space(reader);
    json_reader_charge(reader, JSON_VALUE_INSTRUCTIONS);
    switch (reader->at < reader->end ? *reader->at : 0) {
    case '{':
        reader->at++;
        return read_object(reader);
    case '[':
        reader->at++;
        return read_list(reader);
    case '"':
        reader->at++;
        return json_reader_string(reader);
    case 't':
        return read_constant(reader, "true");
    case 'f':
        return read_constant(reader, "false");
    case 'n':
        return read_constant(reader, "null");
    default:
        if (reader->at < reader->end && (*reader->at == '-' || (*reader->at >= '0' && *reader->at <= '9'))) {
            return json_reader_number(reader);
        }
        return json_reader_expected(reader, "a value");
    }
}

bool lua_json_read(lua_State *lua, struct bytes text, struct json_problem *problem)
{
    static const char mark[] = "\xef\xbb\xbf";
    int top = lua_gettop(lua);
    const char *begin = (const char *)text.data;
    struct json_reader reader = {
        .lua = lua, .text = begin, .at = begin, .end = begin + text.size, .problem = problem};

    json_need_slots(&reader, lua_gettop(lua));
    lua_json_push_list_type(lua);
    reader.list_type = lua_gettop(lua);
    if (text.size >= sizeof mark - 1 && memcmp(begin, mark, sizeof mark - 1) == 0) {
        reader.at += sizeof mark - 1;
    }
    bool is_read = read_value(&reader);
    if (is_read) {
        skip_space(&reader);
        is_read = reader.at == reader.end || json_reader_expected(&reader, "the end");
    }
    limits_charge(lua, reader.charge);
    if (!is_read) {
        lua_settop(lua, top);
        return false;
    }
    lua_remove(lua, reader.list_type);
    return true;
}
