/* The module `tutti.net`: connections over TCP, TLS and local sockets, and datagrams, as a script speaks over
 * them itself. */
#pragma once
#include <lua.h>

int luaopen_tutti_net(lua_State *lua);
