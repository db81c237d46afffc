/* What `tutti.options` may set: options of the campaign, of the commands, and files. */
#pragma once
#include <lua.h>
#include <stdbool.h>

/* tutti.options { … } */
int script_set_options(lua_State *lua);
/* tutti.load(scenario, { … }) */
int script_add_load(lua_State *lua);
/* Whether a script may set the option of this name, spelt as on the command line. */
bool script_option_exists(const char *name);
