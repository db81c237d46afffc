/* Modules that are themselves written in Lua: their sources see each other, the modules that they import and
 * the agent's side. Scripts get what the first source returns, and nothing else: neither a source nor the
 * agent's side can be required, and nothing that a script has replaced reaches them (library.h). */
#pragma once
#include "common/embedded_source.h"

#include <lua.h>

struct lua_sources {
    const char *module; /* "tutti.browser": begins the chunk names, too, see LUA_SOURCES_CHUNKS */
    const char *first;  /* the source whose value is the module's: "browser" */
    const struct embedded_source *sources;
    const size_t *count;
    /* Adds what the sources import, beside tutti and json, to the table on top. */
    void (*add_imports)(lua_State *lua);
    /* Pushes the agent's side, a table of functions, to which these are added:
     *   fail(fields)       raises an error object with these fields
     *   misuse(text)       raises a text
     *   worker()           whose turn it is
     *   record(name, is_ok, began)  counts a timing of the report; `began` of tutti.now()
     *   has_defaults(options)  whether they have fields by a metatable */
    void (*push_native)(lua_State *lua);
};

/* Pushes the module, which is loaded once for each script. Returns 1. */
int lua_sources_open(lua_State *lua, const struct lua_sources *module);
