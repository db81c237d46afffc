/* What a script sets for many requests at once: `tutti.http_defaults`, and sessions. */
#pragma once
#include <lua.h>
#include <stdbool.h>

/* tutti.http_defaults { … } */
int lua_http_set_defaults(lua_State *lua);
/* In place of the function on top of the stack, a setup: one that calls it, and keeps what it returns for the
 * requests of its worker. */
void lua_http_wrap_setup(lua_State *lua);
/* Adds `http.session` to the table on top of the stack; sessions have the functions of the table below it. */
void lua_http_session_register(lua_State *lua);
/* Pushes the options that stand under those of a request, or nil. `is_of_session`: the session at index 1 is
 * taken from under its arguments; raises if it is none. */
void lua_http_push_defaults(lua_State *lua, bool is_of_session);

/* Completes URL and options at the indices of lua_http_draft.h: the options at `defaults`, or nil, stand
 * under those of the request, a relative URL is resolved, and the query is appended. */
void lua_http_complete(lua_State *lua, int defaults);
