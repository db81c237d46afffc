/* Reads the strings and numbers of JSON, and says what is wrong with a text. */
#include "agent/script/json_reader.h"

#include <endian.h>
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A longer number has no more meaning. */
#define LONGEST_NUMBER 1000u
#define SURE_DIGITS 18u
/* How many words of a string are looked at one by one. */
#define WORDS_LOOKED_AT 4
#define JSON_ONES (UINT64_MAX / 255)

bool json_reader_complain(struct json_reader *reader, const char *at, const char *text)
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
bool json_reader_expected(struct json_reader *reader, const char *what)
{
    char text[100];

    if (reader->at == reader->end) {
        snprintf(text, sizeof text, "Expected %s, found the end", what);
    } else if (*reader->at > ' ' && *reader->at < 127) {
        snprintf(text, sizeof text, "Expected %s, found '%c'", what, *reader->at);
    } else {
        snprintf(text, sizeof text, "Expected %s, found byte %u", what, (unsigned char)*reader->at);
    }
    return json_reader_complain(reader, reader->at, text);
}

static bool skip_digits(struct json_reader *reader)
{
    const char *begin = reader->at;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
        reader->at++;
    }
    return reader->at > begin || json_reader_expected(reader, "a digit");
}

/* A number of few digits is certainly an integer. -0 is not: it is a float. */
static bool is_short_integer(const char *text, size_t size)
{
    return size <= SURE_DIGITS && !(text[0] == '-' && text[1] == '0');
}

static void push_short_integer(lua_State *lua, const char *text, size_t size)
{
    bool is_negative = *text == '-';
    lua_Integer number = 0;

    for (size_t i = is_negative; i < size; i++) {
        number = number * 10 + (text[i] - '0');
    }
    lua_pushinteger(lua, is_negative ? -number : number);
}

/* Lua decides whether a long integer is one, or only fits a float. */
static void push_long_number(lua_State *lua, const char *begin, size_t size, bool is_integer)
{
    char text[LONGEST_NUMBER + 1];

    memcpy(text, begin, size);
    text[size] = 0;
    if (!is_integer || text[*text == '-'] == '0' || lua_stringtonumber(lua, text) == 0) {
        lua_pushnumber(lua, strtod(text, NULL));
    }
}

static bool read_fraction(struct json_reader *reader, bool *is_integer)
{
    if (json_reader_take(reader, '.')) {
        *is_integer = false;
        if (!skip_digits(reader)) {
            return false;
        }
    }
    if (json_reader_take(reader, 'e') || json_reader_take(reader, 'E')) {
        *is_integer = false;
        if (!json_reader_take(reader, '+')) {
            (void)json_reader_take(reader, '-');
        }
        return skip_digits(reader);
    }
    return true;
}

bool json_reader_number(struct json_reader *reader)
{
    const char *begin = reader->at;
    bool is_integer = true;

    (void)json_reader_take(reader, '-');
    if ((!json_reader_take(reader, '0') && !skip_digits(reader)) || !read_fraction(reader, &is_integer)) {
        return false;
    }
    size_t size = (size_t)(reader->at - begin);
    if (is_integer && is_short_integer(begin, size)) {
        push_short_integer(reader->lua, begin, size);
        return true;
    }
    if (size > LONGEST_NUMBER) {
        return json_reader_complain(reader, begin, "Expected a number of at most 1000 digits");
    }
    push_long_number(reader->lua, begin, size, is_integer);
    /* Infinity could not be written again. */
    if (isinf(lua_tonumber(reader->lua, -1))) {
        return json_reader_complain(reader, begin, "Expected a number of at most 1.8e308");
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
            return json_reader_expected(reader, "four hexadecimal digits");
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
    if (code >= 0xd800 && code < 0xdc00 && json_reader_take(reader, '\\')) {
        if (!json_reader_take(reader, 'u')) {
            return json_reader_expected(reader, "the second half of a surrogate pair");
        }
        if (!read_hex(reader, &low)) {
            return false;
        }
    }
    if (code >= 0xd800 && code < 0xe000) {
        if (code >= 0xdc00 || low < 0xdc00 || low >= 0xe000) {
            return json_reader_complain(reader, begin, "Expected a surrogate pair, found half of one");
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

    if (json_reader_take(reader, 'u')) {
        return read_code(reader, into);
    }
    const char *name = reader->at < reader->end && *reader->at != 0 ? strchr(names, *reader->at) : NULL;
    if (name == NULL) {
        return json_reader_expected(reader, "an escape like \\n");
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

/* The '"' that ends a string, in which an escape is at `at`. NULL: there is none. */
static const char *json_reader_find_end(const char *at, const char *end)
{
    while (at < end && *at != '"') {
        at += *at == '\\' ? 2 : 1;
    }
    return at < end ? at : NULL;
}

/* Not 0 if one of the eight bytes is 0: the lowest bit that is set belongs to the first of them, in the order
 * of the bits. */
static uint64_t json_zero_bytes(uint64_t word)
{
    return (word - JSON_ONES) & ~word & (JSON_ONES * 128);
}

/* The first '"' or '\\' from `at` on; `end` if there is none. Most strings are short. */
static const char *json_reader_find_stop(const char *at, const char *end)
{
    for (int i = 0; i < WORDS_LOOKED_AT && end - at >= (ptrdiff_t)sizeof(uint64_t); i++) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        word = le64toh(word);
        uint64_t found = json_zero_bytes(word ^ JSON_ONES * '"') | json_zero_bytes(word ^ JSON_ONES * '\\');
        if (found != 0) {
            return at + __builtin_ctzll(found) / 8;
        }
        at += sizeof word;
    }
    const char *quote = memchr(at, '"', (size_t)(end - at));
    quote = quote != NULL ? quote : end;
    const char *escape = memchr(at, '\\', (size_t)(quote - at));
    return escape != NULL ? escape : quote;
}

/* After the first '"'. */
bool json_reader_string(struct json_reader *reader)
{
    const char *begin = reader->at;
    const char *end = json_reader_find_stop(begin, reader->end);
    const char *escape = end < reader->end && *end == '\\' ? end : NULL;

    if (escape != NULL) {
        end = json_reader_find_end(escape, reader->end);
    } else if (end == reader->end) {
        end = NULL;
    }
    if (end == NULL) {
        reader->at = reader->end;
        return json_reader_expected(reader, "a '\"' that ends the string");
    }
    json_reader_charge(reader, JSON_VALUE_INSTRUCTIONS + (size_t)(end - begin) / JSON_BYTES_PER_INSTRUCTION);
    if (escape == NULL) {
        lua_pushlstring(reader->lua, begin, (size_t)(end - begin));
    } else {
        reader->at = escape;
        if (!read_escaped(reader, begin, end)) {
            return false;
        }
    }
    reader->at = end + 1;
    return true;
}
