/* Reads JSON (RFC 8259) into Lua values. It also accepts what servers send in practice: a byte order mark,
 * and raw control characters and invalid UTF-8 within strings. */
#include "agent/script/lua_json.h"

#include "agent/script/limits.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A longer number has no more meaning. */
#define LONGEST_NUMBER 1000u
#define SURE_DIGITS 18u
/* Charged for a value, in instructions, and bytes of a string per instruction. */
#define VALUE_INSTRUCTIONS 4u
#define BYTES_PER_INSTRUCTION 16u

struct json_reader {
    lua_State *lua;
    const char *text;
    const char *at;
    const char *end;
    int list_type; /* index of the metatable */
    int depth;
    struct json_problem *problem;
};

static bool read_value(struct json_reader *reader);

static bool lua_json_read_complain(struct json_reader *reader, const char *at, const char *text)
{
    struct json_problem *problem = reader->problem;
    const char *line = reader->text;

    problem->line = 1;
    for (const char *end; (end = memchr(line, '\n', (size_t)(at - line))) != NULL; line = end + 1) {
        problem->line++;
    }
    problem->column = (size_t)(at - line) + 1;
    snprintf(problem->text, sizeof problem->text, "%s", text);
    return false;
}

/* "Expected …, found …" */
static bool expected(struct json_reader *reader, const char *what)
{
    char text[100];

    if (reader->at == reader->end) {
        snprintf(text, sizeof text, "Expected %s, found the end", what);
    } else if (*reader->at > ' ' && *reader->at < 127) {
        snprintf(text, sizeof text, "Expected %s, found '%c'", what, *reader->at);
    } else {
        snprintf(text, sizeof text, "Expected %s, found byte %u", what, (unsigned char)*reader->at);
    }
    return lua_json_read_complain(reader, reader->at, text);
}

static void skip_space(struct json_reader *reader)
{
    const char *begin = reader->at;

    while (reader->at < reader->end &&
           (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' || *reader->at == '\r')) {
        reader->at++;
    }
    if (reader->at - begin > (ptrdiff_t)BYTES_PER_INSTRUCTION) {
        limits_charge(reader->lua, (size_t)(reader->at - begin) / BYTES_PER_INSTRUCTION);
    }
}

static bool take(struct json_reader *reader, char byte)
{
    if (reader->at < reader->end && *reader->at == byte) {
        reader->at++;
        return true;
    }
    return false;
}

static bool read_word(struct json_reader *reader, const char *word)
{
    size_t size = strlen(word);

    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0) {
        return expected(reader, "a value");
    }
    reader->at += size;
    return true;
}

static bool skip_digits(struct json_reader *reader)
{
    const char *begin = reader->at;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
        reader->at++;
    }
    return reader->at > begin || expected(reader, "a digit");
}

/* A number of few digits is certainly an integer; for others Lua decides whether they are, or only fit a
 * float. */
static void push_integer(lua_State *lua, const char *text, size_t size)
{
    bool is_negative = *text == '-';
    lua_Integer number = 0;

    if (size > SURE_DIGITS || (is_negative && text[1] == '0')) {
        if (text[is_negative] == '0' || lua_stringtonumber(lua, text) == 0) {
            lua_pushnumber(lua, strtod(text, NULL)); /* -0 too */
        }
        return;
    }
    for (size_t i = is_negative; i < size; i++) {
        number = number * 10 + (text[i] - '0');
    }
    lua_pushinteger(lua, is_negative ? -number : number);
}

static bool read_number(struct json_reader *reader)
{
    char text[LONGEST_NUMBER + 1];
    const char *begin = reader->at;
    bool is_integer = true;

    (void)take(reader, '-');
    if (!take(reader, '0') && !skip_digits(reader)) {
        return false;
    }
    if (take(reader, '.')) {
        is_integer = false;
        if (!skip_digits(reader)) {
            return false;
        }
    }
    if (take(reader, 'e') || take(reader, 'E')) {
        is_integer = false;
        if (!take(reader, '+')) {
            (void)take(reader, '-');
        }
        if (!skip_digits(reader)) {
            return false;
        }
    }
    size_t size = (size_t)(reader->at - begin);
    if (size > LONGEST_NUMBER) {
        return lua_json_read_complain(reader, begin, "Expected a number of at most 1000 digits");
    }
    memcpy(text, begin, size);
    text[size] = 0;
    if (is_integer) {
        push_integer(reader->lua, text, size);
    } else {
        lua_pushnumber(reader->lua, strtod(text, NULL));
    }
    /* Infinity could not be written again. */
    if (isinf(lua_tonumber(reader->lua, -1))) {
        return lua_json_read_complain(reader, begin, "Expected a number of at most 1.8e308");
    }
    return true;
}

static bool read_hex(struct json_reader *reader, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++, reader->at++) {
        char byte = reader->at < reader->end ? *reader->at : 0;
        char lower = (char)(byte | 32);
        if (byte >= '0' && byte <= '9') {
            *code = *code * 16 + (unsigned)(byte - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            *code = *code * 16 + (unsigned)(lower - 'a') + 10;
        } else {
            return expected(reader, "four hexadecimal digits");
        }
    }
    return true;
}

/* After "\u"; two of them form one character above U+FFFF. */
static bool read_code(struct json_reader *reader, char **into)
{
    const char *begin = reader->at - 2;
    unsigned code;
    unsigned low = 0;

    if (!read_hex(reader, &code)) {
        return false;
    }
    if (code >= 0xd800 && code < 0xdc00 && take(reader, '\\')) {
        if (!take(reader, 'u')) {
            return expected(reader, "the second half of a surrogate pair");
        }
        if (!read_hex(reader, &low)) {
            return false;
        }
    }
    if (code >= 0xd800 && code < 0xe000) {
        if (code >= 0xdc00 || low < 0xdc00 || low >= 0xe000) {
            return lua_json_read_complain(reader, begin, "Expected a surrogate pair, found half of one");
        }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    char *to = *into;
    if (code < 0x80) {
        *to++ = (char)code;
    } else {
        if (code < 0x800) {
            *to++ = (char)(0xc0 | code >> 6);
        } else {
            if (code < 0x10000) {
                *to++ = (char)(0xe0 | code >> 12);
            } else {
                *to++ = (char)(0xf0 | code >> 18);
                *to++ = (char)(0x80 | (code >> 12 & 63));
            }
            *to++ = (char)(0x80 | (code >> 6 & 63));
        }
        *to++ = (char)(0x80 | (code & 63));
    }
    *into = to;
    return true;
}

static bool read_escape(struct json_reader *reader, char **into)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";

    if (take(reader, 'u')) {
        return read_code(reader, into);
    }
    const char *name = reader->at < reader->end && *reader->at != 0 ? strchr(names, *reader->at) : NULL;
    if (name == NULL) {
        return expected(reader, "an escape like \\n");
    }
    *(*into)++ = meanings[name - names];
    reader->at++;
    return true;
}

/* From the first escape on; an escape is never shorter than the character it stands for. */
static bool read_escaped(struct json_reader *reader, const char *begin, const char *end)
{
    luaL_Buffer buffer;
    char *text = luaL_buffinitsize(reader->lua, &buffer, (size_t)(end - begin));
    char *into = text + (reader->at - begin);

    memcpy(text, begin, (size_t)(reader->at - begin));
    while (reader->at < end) {
        const char *escape = memchr(reader->at, '\\', (size_t)(end - reader->at));
        size_t plain = (size_t)((escape != NULL ? escape : end) - reader->at);
        memcpy(into, reader->at, plain);
        into += plain;
        reader->at += plain;
        if (escape != NULL) {
            reader->at++;
            if (!read_escape(reader, &into)) {
                return false;
            }
        }
    }
    luaL_pushresultsize(&buffer, (size_t)(into - text));
    return true;
}

/* After the first '"'. */
static bool read_string(struct json_reader *reader)
{
    const char *begin = reader->at;
    const char *first_escape = NULL;
    const char *at = begin;

    for (; at < reader->end && *at != '"'; at++) {
        if (*at == '\\') {
            first_escape = first_escape != NULL ? first_escape : at;
            at++;
        }
    }
    if (at >= reader->end) {
        reader->at = reader->end;
        return expected(reader, "a '\"' that ends the string");
    }
    limits_charge(reader->lua, VALUE_INSTRUCTIONS + (size_t)(at - begin) / BYTES_PER_INSTRUCTION);
    if (first_escape == NULL) {
        lua_pushlstring(reader->lua, begin, (size_t)(at - begin));
    } else {
        reader->at = first_escape;
        if (!read_escaped(reader, begin, at)) {
            return false;
        }
    }
    reader->at = at + 1;
    return true;
}

static bool go_deeper(struct json_reader *reader)
{
    if (++reader->depth > JSON_MAX_DEPTH) {
        return lua_json_read_complain(reader, reader->at - 1, "Nested deeper than 200 levels");
    }
    luaL_checkstack(reader->lua, 6, NULL);
    return true;
}

static bool read_object(struct json_reader *reader)
{
    if (!go_deeper(reader)) {
        return false;
    }
    lua_newtable(reader->lua);
    skip_space(reader);
    if (!take(reader, '}')) {
        do {
            skip_space(reader);
            if (!take(reader, '"')) {
                return expected(reader, "a name in quotes");
            }
            if (!read_string(reader)) {
                return false;
            }
            skip_space(reader);
            if (!take(reader, ':')) {
                return expected(reader, "':'");
            }
            if (!read_value(reader)) {
                return false;
            }
            lua_rawset(reader->lua, -3);
            skip_space(reader);
        } while (take(reader, ','));
        if (!take(reader, '}')) {
            return expected(reader, "',' or '}'");
        }
    }
    reader->depth--;
    return true;
}

static bool read_list(struct json_reader *reader)
{
    lua_Integer count = 0;

    if (!go_deeper(reader)) {
        return false;
    }
    lua_newtable(reader->lua);
    lua_pushvalue(reader->lua, reader->list_type);
    lua_setmetatable(reader->lua, -2);
    skip_space(reader);
    if (!take(reader, ']')) {
        do {
            if (!read_value(reader)) {
                return false;
            }
            lua_rawseti(reader->lua, -2, ++count);
            skip_space(reader);
        } while (take(reader, ','));
        if (!take(reader, ']')) {
            return expected(reader, "',' or ']'");
        }
    }
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
    limits_charge(reader->lua, VALUE_INSTRUCTIONS);
    switch (reader->at < reader->end ? *reader->at : 0) {
    case '{':
        reader->at++;
        return read_object(reader);
    case '[':
        reader->at++;
        return read_list(reader);
    case '"':
        reader->at++;
        return read_string(reader);
    case 't':
        return read_constant(reader, "true");
    case 'f':
        return read_constant(reader, "false");
    case 'n':
        return read_constant(reader, "null");
    default:
        if (reader->at < reader->end && (*reader->at == '-' || (*reader->at >= '0' && *reader->at <= '9'))) {
            return read_number(reader);
        }
        return expected(reader, "a value");
    }
}

bool lua_json_read(lua_State *lua, struct bytes text, struct json_problem *problem)
{
    static const char mark[] = "\xef\xbb\xbf";
    int top = lua_gettop(lua);
    const char *begin = (const char *)text.data;
    struct json_reader reader = {
        .lua = lua, .text = begin, .at = begin, .end = begin + text.size, .problem = problem};

    luaL_checkstack(lua, 6, NULL);
    lua_json_push_list_type(lua);
    reader.list_type = lua_gettop(lua);
    if (text.size >= sizeof mark - 1 && memcmp(begin, mark, sizeof mark - 1) == 0) {
        reader.at += sizeof mark - 1;
    }
    bool is_read = read_value(&reader);
    if (is_read) {
        skip_space(&reader);
        is_read = reader.at == reader.end || expected(&reader, "the end");
    }
    if (!is_read) {
        lua_settop(lua, top);
        return false;
    }
    lua_remove(lua, reader.list_type);
    return true;
}
