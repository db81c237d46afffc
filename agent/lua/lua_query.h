/* The pairs of a query as tables of a script: { name = value }, where a value may be a list, or a list of
 * { name, value }, which keeps an order. */
#pragma once
#include "common/bytes.h"

#include <lua.h>

/* Pushes the query of the table at `index`, encoded, names in their order by bytes. Raises what cannot be
 * written as misuse of `function`. Calls no metamethods. */
void lua_query_push_text(lua_State *lua, int index, const char *function);
/* Pushes { name = value }; a name that occurs more than once has a list. A '?' in front is left out. Raises
 * where a percent sign stands alone. */
void lua_query_push_pairs(lua_State *lua, struct bytes query);
