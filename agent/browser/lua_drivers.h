/* The module `tutti.browser.drivers`, for `tutti.browser` alone: drivers.h says what it offers. */
#pragma once
#include <lua.h>

struct lua_driver;
struct player;

int luaopen_tutti_browser_drivers(lua_State *lua);
/* The worker ends: so do its drivers. */
void lua_drivers_drop_all(struct player *player);
/* What it waits for from its driver does not matter any more. */
void lua_drivers_forget_wait(struct player *player);
