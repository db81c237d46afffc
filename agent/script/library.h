/* The environment of the agent's own Lua. It contains copies of the base functions and libraries, taken
 * before any code of the script ran: whatever a script replaces (pcall, string.format, a field of a
 * metatable), our chunks are unaffected. They call no methods on strings, whose metatable is shared with
 * scripts. */
#pragma once
#include <lua.h>
#include <stddef.h>

/* Takes the copies; part of sandbox_open, after the wrappers of the limits are in place. */
void library_open(lua_State *lua);
/* Pushes a chunk of ours as a function with that environment; raises on errors in it. `name` is the Lua chunk
 * name: "=tutti". */
void library_load(lua_State *lua, const void *source, size_t size, const char *name);
/* Sets `open` of the environment's `io` to the function on top of the stack; pops it. */
void library_set_open(lua_State *lua);
/* Pushes a tutti.json that no script can modify. */
void library_push_json(lua_State *lua);
