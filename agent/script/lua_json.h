/* JSON for scripts: Lua values are written and read within the script's limits. Not jansson, whose trees are
 * outside of them, refuse integers beyond 64 bits, and take two to five times as long to read. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#define JSON_MAX_DEPTH 200
#define JSON_MAX_BYTES (64u * 1024u * 1024u)

/* Where and why a text is not valid JSON; positions count from 1. */
struct json_problem {
    size_t line;
    size_t column; /* in bytes */
    char text[120];
};

/* Pushes the value. False, pushing nothing, if the text is not valid JSON. Raises when memory or budget run
 * out. */
MUST_CHECK bool lua_json_read(lua_State *lua, struct bytes text, struct json_problem *problem);
/* Pushes the text of the value at `index`; raises if it cannot be written, or is longer than
 * JSON_MAX_BYTES. */
void lua_json_write(lua_State *lua, int index);
/* Likewise the text alone, which is no string of the script. */
struct json_text {
    char bytes[4096];
};
/* Pushes one value, and gives the text: in `first` if it is short, else in what was pushed. Borrowed from
 * both. */
MUST_CHECK struct bytes lua_json_write_text(lua_State *lua, int index, struct json_text *first);

/* The metatable of lists that were read, which distinguishes an empty one from an object. Inaccessible to
 * scripts. */
void lua_json_push_list_type(lua_State *lua);
/* Whether the table at `index` has one of the two. */
MUST_CHECK bool lua_json_is_list(lua_State *lua, int index);
/* The metatable with which a script marks a table of its own the same way. */
#define JSON_ARRAY_TYPE "tutti.json.array_mt"
/* JSON's null, and an empty list, as addresses. */
void *lua_json_null(void);
void *lua_json_empty_list(void);
