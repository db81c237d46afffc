/* tutti.check and tutti.thresholds. */
#pragma once
#include "common/bytes.h"
#include "proto/message/tags.h"

#include <lua.h>
#include <stdbool.h>

struct vu;

/* tutti.check(value, name, [predicate], [{ fail = }]) → whether it passed */
int lua_check(lua_State *lua);
/* tutti.thresholds { "http.p95 < 200ms", … } */
int lua_check_set_thresholds(lua_State *lua);

/* Counts a check of the worker, with these tags over its own; `text` is why it failed, NULL if it passed. */
void lua_check_count(struct vu *vu, struct bytes name, const struct tag_set *tags, const char *text);
/* What a person sees of the value at `index`: `"text"`, 7, nil, a table. */
#define LUA_CHECK_VALUE_BYTES 100
void lua_check_describe(lua_State *lua, int index, char text[LUA_CHECK_VALUE_BYTES]);
/* Raises that this check has failed: the step fails, and its error is grouped by the name. */
int lua_check_raise(lua_State *lua, struct bytes name, const char *text);
/* After a protected call has failed, with its error on top: raises it again if the end of the turn or of the
 * campaign is what it is. */
void lua_check_let_pass(lua_State *lua);
