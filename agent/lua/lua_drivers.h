/* Drivers for the Lua sources of `tutti.browser` alone, never for a script: drivers.h says what they do. */
#pragma once
#include <lua.h>

struct lua_driver;
struct vu;

/* Pushes the table `drivers`. */
void lua_drivers_push(lua_State *lua);
/* The worker ends: so do its drivers. */
void lua_drivers_drop_all(struct vu *vu);
/* It does not wait for a driver any more. */
void lua_drivers_forget_wait(struct vu *vu);
