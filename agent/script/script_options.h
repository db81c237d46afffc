/* What `tutti.options` may set: options of the campaign, of the commands, and files. */
#pragma once
#include <lua.h>
#include <stdbool.h>

/* tutti.options { … } */
int script_set_options(lua_State *lua);
/* tutti.load(scenario, { … }) */
int script_add_load(lua_State *lua);
/* The list at index 1, alone on the stack, is added to what the script has given for this option before; it
 * is one that may be given several times. */
void script_options_add(lua_State *lua, const char *name);
/* Whether a script may set the option of this name, spelt as on the command line. */
bool script_option_exists(const char *name);
