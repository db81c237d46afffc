/* The `worker` of a script. */
#pragma once
#include <lua.h>

struct vu;

/* Pushes the script's `worker`. */
void lua_worker_push(lua_State *lua, struct vu *vu);
/* The worker at index 1 of a method. Raises unless it is the one whose turn it is. */
struct vu *lua_worker_check(lua_State *lua, const char *function);
