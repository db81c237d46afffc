/* The pairs of a query as tables of a script: { name = value }, where a value may be a list, or a list of
 * { name, value }, which keeps an order. */
#pragma once
#include "common/bytes.h"

#include <lua.h>
#include <stdbool.h>

/* How pairs are written, and what errors begin with. */
struct lua_query_style {
    const char *subject; /* "url.query" */
    bool is_form;        /* a space is "+", not "%20" */
    bool takes_lists;    /* of { name, value } too */
};

/* Pushes the pairs of the table at `index`, encoded, names in their order by bytes. A value is a string, a
 * number, a boolean, or a list of those. Raises what cannot be written as misuse. Calls no metamethods. */
void lua_query_push_text(lua_State *lua, int index, const struct lua_query_style *style);
/* Pushes { name = value }; a name that occurs more than once has a list. A '?' in front is left out. Raises
 * where a percent sign stands alone. */
void lua_query_push_pairs(lua_State *lua, struct bytes query);
