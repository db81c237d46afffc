/* Notifiers and barriers as a script sees them. */
#pragma once
#include <lua.h>
#include <stdbool.h>

/* worker:notifier(name, options) */
int lua_notifier_new(lua_State *lua);
/* Whether the value is what worker:notifier gives. */
bool lua_notifier_is(lua_State *lua, int index);
/* worker:barrier(name, options) */
int lua_barrier(lua_State *lua);
