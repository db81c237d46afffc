/* Calls of a script to the coordinator: send an operation, wait for its answer, return what it says. */
#pragma once
#include "agent/script/lua_option.h"
#include "agent/shard/vu_api.h"

#include <lua.h>

/* Fills kind, room, name (from the string at `index`) and the worker's current step. */
void lua_call_prepare(lua_State *lua, struct vu *vu, struct operation *operation, enum operation_kind kind,
                      int index);
/* The same with a name that was checked before. */
void lua_call_fill(const struct vu *vu, struct operation *operation, enum operation_kind kind,
                   struct bytes name);
/* Sends it; where it is answered, `finish` is called with the reply once it is ok, else the outcome
 * is raised. */
int lua_call_send(lua_State *lua, struct vu *vu, const struct operation *operation,
                  int (*finish)(lua_State *lua, struct vu *vu, const struct reply *reply));
/* The seconds at `index` as milliseconds, at least 1; 0, the campaign's default, if there are none. */
uint64_t lua_call_timeout(lua_State *lua, int index, const char *function);
/* Raises if the options at `index` (a table or none) have other names than these, at most 32; `names` ends
 * with NULL. Gives which of them there are: bit i is names[i]. */
uint32_t lua_call_check_options(lua_State *lua, int index, const char *function, const char *const *names);
