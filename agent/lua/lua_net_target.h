/* Where `net.connect` and `net.udp` lead, as a script says it. */
#pragma once
#include "agent/shard/vu_api.h"

#include <lua.h>

/* Everything in it is borrowed from the stack. */
struct lua_net_target {
    struct vu_socket_target socket;
    const char *name; /* what it is counted by */
    uint64_t timeout_ms;
};

/* connect(address, [options]) or connect(options): the arguments are at 1 and 2. Leaves what the target
 * borrows above them, with the name on top. Raises what is wrong. */
void lua_net_read_connect(lua_State *lua, struct lua_net_target *target);
/* udp(host, port, [options]), likewise. */
void lua_net_read_udp(lua_State *lua, struct lua_net_target *target);
/* The option `timeout` of the table at `index`, or of none, in milliseconds. */
uint64_t lua_net_timeout(lua_State *lua, int index, const char *function);
