/* The module `tutti.browser`: its sources are those of agent/browser. */
#include "agent/lua/lua_browser.h"

#include "agent/browser/sources.h"
#include "agent/lua/lua_drivers.h"
#include "agent/lua/lua_sources.h"
#include "agent/lua/lua_webdriver.h"

static void browser_add_imports(lua_State *lua)
{
    lua_drivers_push(lua);
    lua_setfield(lua, -2, "drivers");
}

int luaopen_tutti_browser(lua_State *lua)
{
    static const struct lua_sources module = {.module = "tutti.browser",
                                              .first = "browser",
                                              .sources = browser_sources,
                                              .count = &browser_source_count,
                                              .add_imports = browser_add_imports,
                                              .push_native = lua_webdriver_push};

    return lua_sources_open(lua, &module);
}
