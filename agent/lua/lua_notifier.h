/* Notifiers and barriers as a script sees them. */
#pragma once
#include <lua.h>

/* worker:notifier(name, options) */
int lua_notifier_new(lua_State *lua);
/* worker:barrier(name, options) */
int lua_barrier(lua_State *lua);
