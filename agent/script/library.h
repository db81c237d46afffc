/* The environment of the agent's own Lua. It holds copies of the base functions and libraries that were taken
 * before anything of the script ran: whatever a script replaces (pcall, string.format, a metatable's field),
 * our chunks go on as they are written. They call no methods on strings, whose metatable scripts share. */
#pragma once
#include <lua.h>
#include <stddef.h>

/* Takes the copies; part of sandbox_open, once the limits' guards stand in their places. */
void library_open(lua_State *lua);
/* Pushes a chunk of ours as a function with that environment; raises what is wrong with it. `name` is Lua's
 * name of a chunk: "=tutti". */
void library_load(lua_State *lua, const void *source, size_t size, const char *name);
/* Gives the environment's `io` the function on top of the stack, as `open`; pops it. */
void library_set_open(lua_State *lua);
/* Pushes a tutti.json that no script has a hold of, or one of its functions. */
void library_push_json(lua_State *lua);
void library_push_json_function(lua_State *lua, const char *name);
