/* The shared variables: get_var, set_var, cas, incr, delete, wait_var. */
#pragma once
#include <lua.h>

/* Adds those of the campaign to the table on top. */
void lua_variables_open_campaign(lua_State *lua);
/* Adds those of the room, which are methods of the worker. */
void lua_variables_open_room(lua_State *lua);
