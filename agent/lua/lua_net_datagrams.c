/* Datagrams of tutti.net. */
#include "agent/lua/lua_call.h"
#include "agent/lua/lua_net_inside.h"
#include "agent/lua/lua_net_target.h"
#include "agent/net/datagrams.h"
#include "agent/script/lua_error.h"

#include <lauxlib.h>

/* datagrams:send(bytes) */
int lua_net_datagrams_send(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "datagrams:send");
    struct vu_socket *socket = lua_net_check(lua, vu, LUA_NET_DATAGRAMS, "datagrams:send");
    char text[LUA_NET_TEXT_BYTES];
    size_t size = 0;

    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, lua_net_datagrams_send);
    }
    const char *data = luaL_checklstring(lua, 2, &size);
    if (size > DATAGRAM_MAX_BYTES) {
        return lua_misuse(lua, "datagrams:send: a datagram has at most %d bytes", (int)DATAGRAM_MAX_BYTES);
    }
    vu_check_stopped(lua, vu);
    if (socket->state != VU_SOCKET_OPEN) {
        return lua_net_raise_end(lua, socket);
    }
    enum http_failure failure = vu_socket_send_datagram(socket, bytes_of(data, size), text, sizeof text);
    return failure == HTTP_OK ? 0 : lua_net_raise(lua, failure, NULL, text);
}

static int net_take_datagram(lua_State *lua);

static int on_datagram_received(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    vu_resumed(lua, vu_current(lua, "datagrams:receive"), WAIT_SOCKET);
    return net_take_datagram(lua);
}

static int net_take_datagram(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "datagrams:receive");
    struct vu_socket *socket = lua_net_check(lua, vu, LUA_NET_DATAGRAMS, "datagrams:receive");
    struct bytes datagram;

    if (vu_socket_take_datagram(socket, &datagram)) {
        lua_pushlstring(lua, datagram.size > 0 ? (const char *)datagram.data : "", datagram.size);
        return 1;
    }
    if (socket->state != VU_SOCKET_OPEN) {
        return lua_net_raise_end(lua, socket);
    }
    if (lua_net_is_late(lua)) {
        return lua_net_raise_late(lua, "no datagram has come");
    }
    return lua_net_wait(lua, vu, socket, on_datagram_received);
}

/* datagrams:receive([{ timeout = }]) → the bytes of one */
int lua_net_datagrams_receive(lua_State *lua)
{
    static const char *const names[] = {"timeout", NULL};
    struct vu *vu = vu_current(lua, "datagrams:receive");

    (void)lua_net_check(lua, vu, LUA_NET_DATAGRAMS, "datagrams:receive");
    lua_settop(lua, 2);
    lua_call_check_options(lua, 2, "datagrams:receive", names);
    uint64_t timeout_ms = lua_net_timeout(lua, 2, "datagrams:receive");
    lua_net_begin_call(lua, vu, "datagrams:receive");
    lua_settop(lua, NET_TIMEOUT);
    lua_net_set_due(lua, timeout_ms);
    return net_take_datagram(lua);
}
