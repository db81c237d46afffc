/* JSON of scripts: values of Lua written and read within the script's limits. Not jansson, whose trees stand
 * outside of them, refuse integers past 64 bits, and take two to five times as long to read. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#define JSON_MAX_DEPTH 200
#define JSON_MAX_BYTES (64u * 1024u * 1024u)

/* Where a text is not valid JSON, counted from 1, and why. */
struct json_problem {
    size_t line;
    size_t column; /* in bytes */
    char text[120];
};

/* Pushes the value. False, and nothing, where the text is not valid JSON. Raises when memory or budget run
 * out. */
MUST_CHECK bool lua_json_read(lua_State *lua, struct bytes text, struct json_problem *problem);
/* Pushes the text of the value at `index`; raises where it has none, or one longer than JSON_MAX_BYTES. */
void lua_json_write(lua_State *lua, int index);

/* The metatable of lists that were read, which keeps an empty one apart from an object. Closed: no script
 * reaches it. */
void lua_json_push_list_type(lua_State *lua);
/* Whether the table at `index` has one of the two. */
MUST_CHECK bool lua_json_is_list(lua_State *lua, int index);
/* The metatable with which a script says the same of a table of its own. */
#define JSON_ARRAY_TYPE "tutti.json.array_mt"
/* JSON's null, and a list with nothing in it, as addresses. */
void *lua_json_null(void);
void *lua_json_empty_list(void);
