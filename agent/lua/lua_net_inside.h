/* What the calls of tutti.net share. Private to lua_net*.c. */
#pragma once
#include "agent/shard/vu_api.h"

#include <lua.h>

#define LUA_NET_CONNECTION "tutti.net.connection"
#define LUA_NET_DATAGRAMS "tutti.net.datagrams"
#define LUA_NET_TEXT_BYTES 400

/* On the stack of a call that waits: the object, until when in nanoseconds, how long in milliseconds, and of
 * a reader how many bytes it wants, what ends them (or nil), whether it wants a line (nil: just any bytes),
 * and how many bytes it has looked through. */
enum net_index {
    NET_OBJECT = 1,
    NET_DUE,
    NET_TIMEOUT,
    NET_SIZE,
    NET_DELIMITER,
    NET_LINE,
    NET_SCANNED,
    NET_OPTIONS
};

/* Raises, of the object at NET_OBJECT; `why` NULL or empty: the name of the failure. */
int lua_net_raise(lua_State *lua, enum http_failure failure, const char *phase, const char *why);
/* Raises a timeout: "not all was sent within 5 s". */
int lua_net_raise_late(lua_State *lua, const char *what);
/* Raises why nothing more can be done with the socket at NET_OBJECT. */
int lua_net_raise_end(lua_State *lua, const struct vu_socket *socket);
/* The socket at NET_OBJECT, which is of this kind and the worker's own; raises if it is closed. */
struct vu_socket *lua_net_check(lua_State *lua, const struct vu *vu, const char *metatable,
                                const char *function);
/* Before a call waits: raises if the campaign stops, or if no call can wait here. */
void lua_net_begin_call(lua_State *lua, struct vu *vu, const char *function);
/* Fills NET_DUE and NET_TIMEOUT. */
void lua_net_set_due(lua_State *lua, uint64_t timeout_ms);
/* Whether the time is over, else the call waits. */
bool lua_net_is_late(lua_State *lua);
int lua_net_wait(lua_State *lua, struct vu *vu, struct vu_socket *socket, lua_KFunction go_on);

/* connection:send(bytes, [{ timeout = }]) */
int lua_net_connection_send(lua_State *lua);
/* connection:receive([options]) → bytes, or nil at the end */
int lua_net_connection_receive(lua_State *lua);
/* datagrams:send(bytes) */
int lua_net_datagrams_send(lua_State *lua);
/* datagrams:receive([{ timeout = }]) → the bytes of one */
int lua_net_datagrams_receive(lua_State *lua);
