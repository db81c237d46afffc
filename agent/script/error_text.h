/* What a report shows of an error, whatever the script has raised. */
#pragma once
#include <lua.h>

/* A function of Lua: takes the error and gives its text. Of a table that does not say itself how it is shown
 * (`__tostring`) that is its `message`, or else its fields: { code = 7, name = "x" }. */
int error_text_push(lua_State *lua);
