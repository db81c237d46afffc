/* Sockets of scripts: opening them, and what their calls share. A userdata with the socket, and its name in
 * the report as its user value. */
#include "agent/lua/lua_net.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_net_inside.h"
#include "agent/lua/lua_net_target.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "common/clock.h"
#include "proto/message/limits.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define NAME_VALUE 1

static const char *net_name(lua_State *lua)
{
    lua_getiuservalue(lua, NET_OBJECT, NAME_VALUE);
    return lua_tostring(lua, -1);
}

/* Raises, of the object at NET_OBJECT. */
int lua_net_raise(lua_State *lua, enum http_failure failure, const char *phase, const char *why)
{
    const char *kind = http_failure_name(failure);
    const char *name = net_name(lua);
    char text[LUA_NET_TEXT_BYTES];
    char group[2 * LIMIT_NAME_BYTES];

    snprintf(text, sizeof text, "%.140s: %.250s", name, why != NULL && *why != 0 ? why : kind);
    snprintf(group, sizeof group, "%.140s: %s", name, kind);
    struct lua_failure raised = {.kind = kind, .phase = phase, .group = group, .message = text};
    return lua_failure_raise(lua, &raised);
}

int lua_net_raise_late(lua_State *lua, const char *what)
{
    char text[LUA_NET_TEXT_BYTES];

    snprintf(text, sizeof text, "%s within %g s", what, (double)lua_tointeger(lua, NET_TIMEOUT) / 1e3);
    return lua_net_raise(lua, HTTP_TIMEOUT, NULL, text);
}

/* The socket at NET_OBJECT, which is of this kind and the worker's own; raises if it is closed. */
struct vu_socket *lua_net_check(lua_State *lua, const struct vu *vu, const char *metatable,
                                const char *function)
{
    struct vu_socket *socket = luaL_checkudata(lua, NET_OBJECT, metatable);

    if (socket->vu == NULL) {
        lua_misuse(lua, "%s: it is closed", function);
    }
    if (socket->vu != vu->shared->main) {
        lua_misuse(lua, "%s: it is another worker's", function);
    }
    return socket;
}

void lua_net_begin_call(lua_State *lua, struct vu *vu, const char *function)
{
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        lua_misuse(lua, "%s: a call that waits is not possible here", function);
    }
}

void lua_net_set_due(lua_State *lua, uint64_t timeout_ms)
{
    uint64_t due_ns = clock_now_ns() + timeout_ms * NS_PER_MS;

    lua_pushinteger(lua, (lua_Integer)due_ns);
    lua_replace(lua, NET_DUE);
    lua_pushinteger(lua, (lua_Integer)timeout_ms);
    lua_replace(lua, NET_TIMEOUT);
}

/* Whether the time is over, else the call waits. */
bool lua_net_is_late(lua_State *lua)
{
    return clock_now_ns() >= (uint64_t)lua_tointeger(lua, NET_DUE);
}

int lua_net_wait(lua_State *lua, struct vu *vu, struct vu_socket *socket, lua_KFunction go_on)
{
    vu_socket_await(vu, socket, (uint64_t)lua_tointeger(lua, NET_DUE));
    return vu_yield(lua, vu, WAIT_SOCKET, go_on, 0);
}

/* Why nothing more can be done with it. */
int lua_net_raise_end(lua_State *lua, const struct vu_socket *socket)
{
    if (socket->state == VU_SOCKET_FAILED) {
        return lua_net_raise(lua, socket->failure, NULL, socket->text);
    }
    return lua_net_raise(lua, HTTP_RESET, NULL, "the other side has closed the connection");
}

static void net_count_opening(lua_State *lua, struct vu *vu, const struct vu_socket *socket)
{
    uint64_t phase_us[REQUEST_PHASE_COUNT];
    bool is_open = socket->state == VU_SOCKET_OPEN;

    vu_socket_phases(socket, phase_us);
    struct request_sample sample = {.name = bytes_of_string(net_name(lua)),
                                    .is_ok = is_open,
                                    .is_unsent = !is_open,
                                    .latency_us = (clock_now_ns() - socket->began_ns) / 1000,
                                    .phase_us = vu_options(vu)->has_phases ? phase_us : NULL};
    vu_note_plan(vu, &sample);
    vu_measure(vu, &sample);
}

static int on_net_opened(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, "net");
    struct vu_socket *socket = lua_touserdata(lua, NET_OBJECT);

    (void)status, (void)context;
    vu_resumed(lua, vu, WAIT_SOCKET);
    if (socket->vu == NULL) {
        return lua_misuse(lua, "net: a coroutine that waits was resumed by someone else");
    }
    if (socket->state == VU_SOCKET_CONNECTING) {
        char text[LUA_NET_TEXT_BYTES];
        snprintf(text, sizeof text, "no connection within %g s",
                 (double)lua_tointeger(lua, NET_TIMEOUT) / 1e3);
        vu_socket_fail(socket, HTTP_TIMEOUT, text);
    }
    net_count_opening(lua, vu, socket);
    if (socket->state == VU_SOCKET_FAILED) {
        char why[LUA_NET_TEXT_BYTES];
        enum http_failure failure = socket->failure;
        bytes_to_text(bytes_of_string(socket->text), why, sizeof why);
        vu_socket_close(socket);
        return lua_net_raise(lua, failure, "connect", why);
    }
    lua_settop(lua, NET_OBJECT);
    return 1;
}

static int net_open(lua_State *lua, struct vu *vu, const struct lua_net_target *target)
{
    uint64_t timeout_ms = target->timeout_ms;

    if (vu_sockets_count(vu) >= VU_SOCKETS_MAX) {
        return lua_misuse(lua, "net: a worker has at most %d connections and datagrams at the same time",
                          (int)VU_SOCKETS_MAX);
    }
    struct vu_socket *socket = lua_newuserdatauv(lua, sizeof *socket, NAME_VALUE);

    *socket = (struct vu_socket){0};
    luaL_setmetatable(lua, target->socket.is_datagrams ? LUA_NET_DATAGRAMS : LUA_NET_CONNECTION);
    lua_pushstring(lua, target->name);
    lua_setiuservalue(lua, -2, NAME_VALUE);
    vu_socket_open(vu, socket, &target->socket);
    lua_replace(lua, NET_OBJECT);
    lua_settop(lua, NET_TIMEOUT);
    lua_net_set_due(lua, timeout_ms);
    return lua_net_wait(lua, vu, socket, on_net_opened);
}

/* net.connect(address, [options]), net.connect(options) → connection */
static int net_connect(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "net.connect");
    struct lua_net_target target;

    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, net_connect);
    }
    lua_net_begin_call(lua, vu, "net.connect");
    lua_net_read_connect(lua, &target);
    return net_open(lua, vu, &target);
}

/* net.udp(host, port, [options]) → datagrams */
static int net_udp(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "net.udp");
    struct lua_net_target target;

    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, net_udp);
    }
    lua_net_begin_call(lua, vu, "net.udp");
    lua_net_read_udp(lua, &target);
    return net_open(lua, vu, &target);
}

static int net_close_object(lua_State *lua)
{
    vu_socket_close(lua_touserdata(lua, 1));
    return 0;
}

static int connection_close(lua_State *lua)
{
    luaL_checkudata(lua, 1, LUA_NET_CONNECTION);
    return net_close_object(lua);
}

static int datagrams_close_object(lua_State *lua)
{
    luaL_checkudata(lua, 1, LUA_NET_DATAGRAMS);
    return net_close_object(lua);
}

static void net_push_state(lua_State *lua, const struct vu_socket *socket)
{
    static const char *const states[] = {[VU_SOCKET_CLOSED] = "closed",
                                         [VU_SOCKET_CONNECTING] = "connecting",
                                         [VU_SOCKET_OPEN] = "open",
                                         [VU_SOCKET_ENDED] = "ended",
                                         [VU_SOCKET_FAILED] = "failed"};

    lua_pushstring(lua, states[socket->state]);
}

/* The methods are the upvalue. */
static int net_get_field(lua_State *lua)
{
    const struct vu_socket *socket = lua_touserdata(lua, 1);
    const char *name = luaL_checkstring(lua, 2);

    if (strcmp(name, "state") == 0) {
        net_push_state(lua, socket);
    } else if (strcmp(name, "address") == 0) {
        lua_pushstring(lua, vu_socket_address(socket));
    } else if (strcmp(name, "bytes_sent") == 0) {
        lua_pushinteger(lua, (lua_Integer)socket->sent_bytes);
    } else if (strcmp(name, "bytes_received") == 0) {
        lua_pushinteger(lua, (lua_Integer)socket->received_bytes);
    } else {
        lua_getfield(lua, lua_upvalueindex(1), name);
    }
    return 1;
}

static int net_to_string(lua_State *lua)
{
    lua_pushfstring(lua, "%s", net_name(lua));
    return 1;
}

static void net_new_metatable(lua_State *lua, const char *name, const luaL_Reg *methods)
{
    static const luaL_Reg functions[] = {{"__tostring", net_to_string},
                                         {"__close", net_close_object},
                                         {"__gc", net_close_object},
                                         {NULL, NULL}};

    (void)luaL_newmetatable(lua, name);
    luaL_setfuncs(lua, functions, 0);
    lua_newtable(lua);
    luaL_setfuncs(lua, methods, 0);
    lua_pushcclosure(lua, net_get_field, 1);
    lua_setfield(lua, -2, "__index");
    lua_pushstring(lua, name);
    lua_setfield(lua, -2, "__metatable");
    lua_pop(lua, 1);
}

int luaopen_tutti_net(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"connect", net_connect}, {"udp", net_udp}, {NULL, NULL}};
    static const luaL_Reg of_connections[] = {{"send", lua_net_connection_send},
                                              {"receive", lua_net_connection_receive},
                                              {"close", connection_close},
                                              {NULL, NULL}};
    static const luaL_Reg of_datagrams[] = {{"send", lua_net_datagrams_send},
                                            {"receive", lua_net_datagrams_receive},
                                            {"close", datagrams_close_object},
                                            {NULL, NULL}};

    net_new_metatable(lua, LUA_NET_CONNECTION, of_connections);
    net_new_metatable(lua, LUA_NET_DATAGRAMS, of_datagrams);
    luaL_newlib(lua, functions);
    return 1;
}
