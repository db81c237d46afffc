/* The module `tutti.browser`: runs the sources of agent/browser, which see each other and the agent's side
 * but are not to be required one by one. */
#include "agent/browser/sources.h"
#include "agent/lua_webdriver.h"
#include "agent/script_state.h"

#include <string.h>

static const struct browser_source *find_source(const char *name, const char *ending)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < browser_source_count; i++) {
        const char *candidate = browser_sources[i].name;
        if (strncmp(candidate, name, size) == 0 && strcmp(candidate + size, ending) == 0)
            return &browser_sources[i];
    }
    return NULL;
}

/* Runs a source with import and the agent's side (the upvalues' `import` and 2) as its arguments. */
static void run_source(lua_State *lua, const struct browser_source *source)
{
    const char *chunk = lua_pushfstring(lua, "=" LUA_WEBDRIVER_CHUNKS "%s", source->name);

    if (luaL_loadbufferx(lua, (const char *)source->text, source->size, chunk, "t") != LUA_OK)
        lua_error(lua);
    lua_getfield(lua, lua_upvalueindex(1), "import");
    lua_pushvalue(lua, lua_upvalueindex(2));
    lua_call(lua, 2, 1);
}

/* import(name): what the source `name`.lua gives, run once, or the text of `name` itself. */
static int import(lua_State *lua)
{
    const char *name = luaL_checkstring(lua, 1);

    lua_settop(lua, 1);
    if (lua_getfield(lua, lua_upvalueindex(1), name) != LUA_TNIL)
        return 1;
    const struct browser_source *source = find_source(name, ".lua");
    if (source) {
        run_source(lua, source);
    } else {
        source = find_source(name, "");
        if (!source)
            return luaL_error(lua, "tutti.browser has no source '%s'", name);
        lua_pushlstring(lua, (const char *)source->text, source->size);
    }
    lua_pushvalue(lua, -1);
    lua_setfield(lua, lua_upvalueindex(1), name);
    return 1;
}

int luaopen_tutti_browser(lua_State *lua)
{
    lua_newtable(lua);
    lua_webdriver_push(lua);
    lua_pushvalue(lua, -2);
    lua_insert(lua, -2);
    lua_pushcclosure(lua, import, 2);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -3, "import");
    lua_pushliteral(lua, "browser");
    lua_call(lua, 1, 1);
    return 1;
}
