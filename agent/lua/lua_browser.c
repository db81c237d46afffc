/* The module `tutti.browser`: runs the sources of agent/browser, which see each other and the agent's side.
 * Scripts get what `browser.lua` returns, and nothing else: neither a source nor the agent's side can be
 * required, and nothing that a script has replaced reaches them (library.h). */
#include "agent/lua/lua_browser.h"

#include "agent/browser/sources.h"
#include "agent/lua/lua_drivers.h"
#include "agent/lua/lua_tutti.h"
#include "agent/lua/lua_webdriver.h"
#include "agent/script/library.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"

#include <string.h>

#define MODULE "tutti.browser.module"

static const struct browser_source *find_source(const char *name, const char *ending)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < browser_source_count; i++) {
        const char *candidate = browser_sources[i].name;
        if (strncmp(candidate, name, size) == 0 && strcmp(candidate + size, ending) == 0) {
            return &browser_sources[i];
        }
    }
    return NULL;
}

/* Runs a source. Its arguments are import and the agent's side (`import` of the first upvalue, and the
 * second). */
static void run_source(lua_State *lua, const struct browser_source *source)
{
    const char *chunk = lua_pushfstring(lua, "=" LUA_WEBDRIVER_CHUNKS "%s", source->name);

    library_load(lua, source->text, source->size, chunk);
    lua_getfield(lua, lua_upvalueindex(1), "import");
    lua_pushvalue(lua, lua_upvalueindex(2));
    lua_call(lua, 2, 1);
}

/* import(name): what the source `name`.lua returns, run once, or the text of the file `name`. */
static int import(lua_State *lua)
{
    const char *name = luaL_checkstring(lua, 1);

    lua_settop(lua, 1);
    if (lua_getfield(lua, lua_upvalueindex(1), name) != LUA_TNIL) {
        return 1;
    }
    const struct browser_source *source = find_source(name, ".lua");
    if (source != NULL) {
        run_source(lua, source);
    } else {
        source = find_source(name, "");
        if (source == NULL) {
            return luaL_error(lua, "tutti.browser has no source '%s'", name);
        }
        lua_pushlstring(lua, (const char *)source->text, source->size);
    }
    lua_pushvalue(lua, -1);
    lua_setfield(lua, lua_upvalueindex(1), name);
    return 1;
}

/* Adds the modules that the sources use to the table on top, which is that of their imports: instances of
 * their own. */
static void add_modules(lua_State *lua)
{
    lua_pushcfunction(lua, luaopen_tutti);
    lua_call(lua, 0, 1);
    lua_setfield(lua, -2, "tutti");
    library_push_json(lua);
    lua_setfield(lua, -2, "json");
    lua_drivers_push(lua);
    lua_setfield(lua, -2, "drivers");
}

static void load_module(lua_State *lua)
{
    lua_newtable(lua);
    add_modules(lua);
    lua_webdriver_push(lua);
    lua_pushvalue(lua, -2);
    lua_insert(lua, -2);
    lua_pushcclosure(lua, import, 2);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -3, "import");
    lua_pushliteral(lua, "browser");
    lua_call(lua, 1, 1);
    lua_remove(lua, -2);
}

int luaopen_tutti_browser(lua_State *lua)
{
    if (lua_getfield(lua, LUA_REGISTRYINDEX, MODULE) != LUA_TNIL) {
        return 1;
    }
    lua_pop(lua, 1);
    load_module(lua);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, LUA_REGISTRYINDEX, MODULE);
    return 1;
}
