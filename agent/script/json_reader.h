/* What the files that read JSON have in common. */
#pragma once
#include "agent/script/limits.h"
#include "agent/script/lua_json.h"

/* Charged for a value, in instructions, and bytes of a string per instruction. */
#define JSON_VALUE_INSTRUCTIONS 4u
#define JSON_BYTES_PER_INSTRUCTION 16u
#define JSON_CHARGED_AT_ONCE 1000u

struct json_reader {
    lua_State *lua;
    const char *text;
    const char *at;
    const char *end;
    int list_type;   /* index of the metatable */
    int checked_top; /* up to here the stack has room */
    int depth;
    size_t charge; /* instructions that the script's budget does not know of yet */
    struct json_problem *problem;
};

/* Of the script's budget; raises if that is used up. */
static inline void json_reader_charge(struct json_reader *reader, size_t instructions)
{
    reader->charge += instructions;
    if (reader->charge >= JSON_CHARGED_AT_ONCE) {
        limits_charge(reader->lua, reader->charge);
        reader->charge = 0;
    }
}
/* Fills the problem, at this place; false. */
bool json_reader_complain(struct json_reader *reader, const char *at, const char *text);
/* Likewise where it stands: "Expected …, found …". */
bool json_reader_expected(struct json_reader *reader, const char *what);
/* After the first '"' of a string, and at the first byte of a number: pushes it. */
MUST_CHECK bool json_reader_string(struct json_reader *reader);
MUST_CHECK bool json_reader_number(struct json_reader *reader);

/* Passes the byte, if it comes next. */
static inline bool json_reader_take(struct json_reader *reader, char byte)
{
    if (reader->at < reader->end && *reader->at == byte) {
        reader->at++;
        return true;
    }
    return false;
}
