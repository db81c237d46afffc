/* What the modules of tutti share with each other and with the table of all modules. */
#pragma once
#include <lua.h>

struct vu;

/* The script's `print`. */
int lua_print(lua_State *lua);
int luaopen_tutti(lua_State *lua);
int luaopen_tutti_http(lua_State *lua);
int luaopen_tutti_browser(lua_State *lua);
/* Pushes the script's `worker`. */
void lua_worker_push(lua_State *lua, struct vu *vu);
