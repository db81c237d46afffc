/* A userdata with the socket, and its name in the report as its user value. */
#include "agent/lua/lua_net.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_net_target.h"
#include "agent/net/datagrams.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "common/clock.h"
#include "proto/message/limits.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define CONNECTION_METATABLE "tutti.net.connection"
#define DATAGRAMS_METATABLE "tutti.net.datagrams"
#define READ_MAX_BYTES (64u * 1024u)
#define PART_MAX_BYTES (1024u * 1024u)
#define NAME_VALUE 1
#define TEXT_BYTES 400

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

static int net_receive_next(lua_State *lua);
static int net_take_datagram(lua_State *lua);

static const char *net_name(lua_State *lua)
{
    lua_getiuservalue(lua, NET_OBJECT, NAME_VALUE);
    return lua_tostring(lua, -1);
}

/* Raises, of the object at NET_OBJECT. */
static int net_raise(lua_State *lua, enum http_failure failure, const char *phase, const char *why)
{
    const char *kind = http_failure_name(failure);
    const char *name = net_name(lua);
    char text[TEXT_BYTES];
    char group[2 * LIMIT_NAME_BYTES];

    snprintf(text, sizeof text, "%.140s: %.250s", name, why != NULL && *why != 0 ? why : kind);
    snprintf(group, sizeof group, "%.140s: %s", name, kind);
    struct lua_failure raised = {.kind = kind, .phase = phase, .group = group, .message = text};
    return lua_failure_raise(lua, &raised);
}

static int net_raise_late(lua_State *lua, const char *what)
{
    char text[TEXT_BYTES];

    snprintf(text, sizeof text, "%s within %g s", what, (double)lua_tointeger(lua, NET_TIMEOUT) / 1e3);
    return net_raise(lua, HTTP_TIMEOUT, NULL, text);
}

/* The socket at NET_OBJECT, which is of this kind and the worker's own; raises if it is closed. */
static struct vu_socket *net_check(lua_State *lua, const struct vu *vu, const char *metatable,
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

static void net_begin_call(lua_State *lua, struct vu *vu, const char *function)
{
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        lua_misuse(lua, "%s: a call that waits is not possible here", function);
    }
}

static void net_set_due(lua_State *lua, uint64_t timeout_ms)
{
    uint64_t due_ns = clock_now_ns() + timeout_ms * NS_PER_MS;

    lua_pushinteger(lua, (lua_Integer)due_ns);
    lua_replace(lua, NET_DUE);
    lua_pushinteger(lua, (lua_Integer)timeout_ms);
    lua_replace(lua, NET_TIMEOUT);
}

/* Whether the time is over, else the call waits. */
static bool net_is_late(lua_State *lua)
{
    return clock_now_ns() >= (uint64_t)lua_tointeger(lua, NET_DUE);
}

static int net_wait(lua_State *lua, struct vu *vu, struct vu_socket *socket, lua_KFunction go_on)
{
    vu_socket_await(vu, socket, (uint64_t)lua_tointeger(lua, NET_DUE));
    return vu_yield(lua, vu, WAIT_SOCKET, go_on, 0);
}

/* Why nothing more can be done with it. */
static int net_raise_end(lua_State *lua, const struct vu_socket *socket)
{
    if (socket->state == VU_SOCKET_FAILED) {
        return net_raise(lua, socket->failure, NULL, socket->text);
    }
    return net_raise(lua, HTTP_RESET, NULL, "the other side has closed the connection");
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
    meter_request(vu_meter(vu), &sample);
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
        char text[TEXT_BYTES];
        snprintf(text, sizeof text, "no connection within %g s",
                 (double)lua_tointeger(lua, NET_TIMEOUT) / 1e3);
        vu_socket_fail(socket, HTTP_TIMEOUT, text);
    }
    net_count_opening(lua, vu, socket);
    if (socket->state == VU_SOCKET_FAILED) {
        char why[TEXT_BYTES];
        enum http_failure failure = socket->failure;
        bytes_to_text(bytes_of_string(socket->text), why, sizeof why);
        vu_socket_close(socket);
        return net_raise(lua, failure, "connect", why);
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
    luaL_setmetatable(lua, target->socket.is_datagrams ? DATAGRAMS_METATABLE : CONNECTION_METATABLE);
    lua_pushstring(lua, target->name);
    lua_setiuservalue(lua, -2, NAME_VALUE);
    vu_socket_open(vu, socket, &target->socket);
    lua_replace(lua, NET_OBJECT);
    lua_settop(lua, NET_TIMEOUT);
    net_set_due(lua, timeout_ms);
    return net_wait(lua, vu, socket, on_net_opened);
}

/* net.connect(address, [options]), net.connect(options) → connection */
static int net_connect(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "net.connect");
    struct lua_net_target target;

    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, net_connect);
    }
    net_begin_call(lua, vu, "net.connect");
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
    net_begin_call(lua, vu, "net.udp");
    lua_net_read_udp(lua, &target);
    return net_open(lua, vu, &target);
}

static int on_net_sent(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, "connection:send");

    (void)status, (void)context;
    vu_resumed(lua, vu, WAIT_SOCKET);
    struct vu_socket *socket = net_check(lua, vu, CONNECTION_METATABLE, "connection:send");
    if (socket->state != VU_SOCKET_OPEN) {
        return net_raise_end(lua, socket);
    }
    if (!vu_socket_is_sending(socket)) {
        return 0;
    }
    if (net_is_late(lua)) {
        return net_raise_late(lua, "not all was sent");
    }
    return net_wait(lua, vu, socket, on_net_sent);
}

/* connection:send(bytes, [{ timeout = }]) */
static int net_send(lua_State *lua)
{
    static const char *const names[] = {"timeout", NULL};
    struct vu *vu = vu_current(lua, "connection:send");
    struct vu_socket *socket = net_check(lua, vu, CONNECTION_METATABLE, "connection:send");
    size_t size = 0;

    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, net_send);
    }
    lua_settop(lua, 3);
    const char *data = luaL_checklstring(lua, 2, &size);
    lua_call_check_options(lua, 3, "connection:send", names);
    uint64_t timeout_ms = lua_net_timeout(lua, 3, "connection:send");
    net_begin_call(lua, vu, "connection:send");
    if (socket->state != VU_SOCKET_OPEN) {
        return net_raise_end(lua, socket);
    }
    if (!vu_socket_send(socket, bytes_of(data, size))) {
        return net_raise(lua, HTTP_NO_MEMORY, NULL, "there is no memory left for what is to be sent");
    }
    if (!vu_socket_is_sending(socket)) {
        return 0;
    }
    lua_settop(lua, NET_TIMEOUT);
    net_set_due(lua, timeout_ms);
    return net_wait(lua, vu, socket, on_net_sent);
}

/* Pushes the first bytes, and takes off the end that is not wanted with them. */
static int net_give(lua_State *lua, struct vu_socket *socket, size_t size, size_t end)
{
    struct bytes unread = vu_socket_unread(socket);
    bool has_return = lua_toboolean(lua, NET_LINE) && size > 0 && unread.data[size - 1] == '\r';

    lua_pushlstring(lua, size > 0 ? (const char *)unread.data : "", size - has_return);
    vu_socket_take(socket, size + end);
    return 1;
}

/* What is asked for, where all of it has come: 1 with it on the stack, else 0. */
static int net_receive_now(lua_State *lua, struct vu_socket *socket)
{
    struct bytes unread = vu_socket_unread(socket);
    size_t wanted = (size_t)lua_tointeger(lua, NET_SIZE);
    size_t scanned = (size_t)lua_tointeger(lua, NET_SCANNED);
    size_t end = 0;
    const char *delimiter = lua_tolstring(lua, NET_DELIMITER, &end);

    if (delimiter == NULL) {
        bool is_any = lua_isnil(lua, NET_LINE);
        size_t size = unread.size < wanted ? unread.size : wanted;
        return size == wanted || (is_any && size > 0) ? net_give(lua, socket, size, 0) : 0;
    }
    const uint8_t *found =
        unread.size > scanned ? memmem(unread.data + scanned, unread.size - scanned, delimiter, end) : NULL;
    if (found != NULL && (size_t)(found - unread.data) <= wanted) {
        return net_give(lua, socket, (size_t)(found - unread.data), end);
    }
    if (found != NULL || unread.size > wanted + end) {
        net_raise(lua, HTTP_TOO_LARGE, NULL, "what is awaited does not end within max bytes");
    }
    lua_pushinteger(lua, (lua_Integer)(unread.size >= end ? unread.size - end + 1 : 0));
    lua_replace(lua, NET_SCANNED);
    return 0;
}

static int on_net_received(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    vu_resumed(lua, vu_current(lua, "connection:receive"), WAIT_SOCKET);
    return net_receive_next(lua);
}

static int net_receive_next(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "connection:receive");
    struct vu_socket *socket = net_check(lua, vu, CONNECTION_METATABLE, "connection:receive");
    char text[TEXT_BYTES];

    if (net_receive_now(lua, socket) > 0) {
        return 1;
    }
    size_t held = vu_socket_unread(socket).size;
    if (socket->state == VU_SOCKET_FAILED) {
        return net_raise_end(lua, socket);
    }
    if (socket->state == VU_SOCKET_ENDED && held == 0) {
        lua_pushnil(lua);
        return 1;
    }
    if (socket->state == VU_SOCKET_ENDED) {
        snprintf(text, sizeof text, "the other side has closed the connection after %zu bytes of it", held);
        return net_raise(lua, HTTP_RESET, NULL, text);
    }
    if (net_is_late(lua)) {
        return net_raise_late(lua, "not all has come that is awaited");
    }
    vu_socket_want(socket, (size_t)lua_tointeger(lua, NET_SIZE) + lua_rawlen(lua, NET_DELIMITER) + 1);
    return net_wait(lua, vu, socket, on_net_received);
}

static lua_Integer net_size_option(lua_State *lua, const char *name, lua_Integer fallback)
{
    int is_integer = 0;

    if (lua_option_get(lua, NET_OPTIONS, name) == LUA_TNIL) {
        return fallback;
    }
    lua_Integer size = lua_tointegerx(lua, -1, &is_integer);
    if (!is_integer || size < 1 || size > (lua_Integer)VU_SOCKET_MAX_BYTES) {
        lua_misuse(lua, "connection:receive: %s is a number of bytes from 1 to %d", name,
                   (int)VU_SOCKET_MAX_BYTES);
    }
    return size;
}

/* Puts what the options say at NET_SIZE, NET_DELIMITER and NET_LINE. */
static void net_read_wish(lua_State *lua)
{
    static const char *const names[] = {"bytes", "line", "delimiter", "max", "timeout", NULL};

    lua_call_check_options(lua, NET_OPTIONS, "connection:receive", names);
    lua_pushinteger(lua, READ_MAX_BYTES);
    lua_replace(lua, NET_SIZE);
    if (!lua_istable(lua, NET_OPTIONS)) {
        return;
    }
    lua_Integer bytes = net_size_option(lua, "bytes", 0);
    bool is_line = lua_option_get(lua, NET_OPTIONS, "line") != LUA_TNIL && lua_toboolean(lua, -1);
    bool has_delimiter = lua_option_get(lua, NET_OPTIONS, "delimiter") != LUA_TNIL;
    if (has_delimiter && (lua_type(lua, -1) != LUA_TSTRING || lua_rawlen(lua, -1) == 0)) {
        lua_misuse(lua, "connection:receive: delimiter is a string that is not empty");
    }
    if ((bytes > 0) + is_line + has_delimiter > 1) {
        lua_misuse(lua, "connection:receive: bytes, line and delimiter exclude each other");
    }
    lua_replace(lua, NET_DELIMITER);
    if (is_line) {
        lua_pushliteral(lua, "\n");
        lua_replace(lua, NET_DELIMITER);
    }
    bool is_any = bytes == 0 && !is_line && !has_delimiter;
    lua_Integer most = net_size_option(lua, "max", is_any ? READ_MAX_BYTES : PART_MAX_BYTES);
    lua_pushinteger(lua, bytes > 0 ? bytes : most);
    lua_replace(lua, NET_SIZE);
    if (!is_any) {
        lua_pushboolean(lua, is_line);
        lua_replace(lua, NET_LINE);
    }
}

/* connection:receive([options]) → bytes, or nil at the end */
static int net_receive(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "connection:receive");

    (void)net_check(lua, vu, CONNECTION_METATABLE, "connection:receive");
    lua_settop(lua, 2);
    lua_settop(lua, NET_OPTIONS);
    lua_copy(lua, 2, NET_OPTIONS);
    net_read_wish(lua);
    uint64_t timeout_ms = lua_net_timeout(lua, NET_OPTIONS, "connection:receive");
    net_begin_call(lua, vu, "connection:receive");
    lua_settop(lua, NET_SCANNED);
    net_set_due(lua, timeout_ms);
    return net_receive_next(lua);
}

/* datagrams:send(bytes) */
static int datagrams_send_one(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "datagrams:send");
    struct vu_socket *socket = net_check(lua, vu, DATAGRAMS_METATABLE, "datagrams:send");
    char text[TEXT_BYTES];
    size_t size = 0;

    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, datagrams_send_one);
    }
    const char *data = luaL_checklstring(lua, 2, &size);
    if (size > DATAGRAM_MAX_BYTES) {
        return lua_misuse(lua, "datagrams:send: a datagram has at most %d bytes", (int)DATAGRAM_MAX_BYTES);
    }
    vu_check_stopped(lua, vu);
    if (socket->state != VU_SOCKET_OPEN) {
        return net_raise_end(lua, socket);
    }
    enum http_failure failure = vu_socket_send_datagram(socket, bytes_of(data, size), text, sizeof text);
    return failure == HTTP_OK ? 0 : net_raise(lua, failure, NULL, text);
}

static int on_datagram_received(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    vu_resumed(lua, vu_current(lua, "datagrams:receive"), WAIT_SOCKET);
    return net_take_datagram(lua);
}

static int net_take_datagram(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "datagrams:receive");
    struct vu_socket *socket = net_check(lua, vu, DATAGRAMS_METATABLE, "datagrams:receive");
    struct bytes datagram;

    if (vu_socket_take_datagram(socket, &datagram)) {
        lua_pushlstring(lua, datagram.size > 0 ? (const char *)datagram.data : "", datagram.size);
        return 1;
    }
    if (socket->state != VU_SOCKET_OPEN) {
        return net_raise_end(lua, socket);
    }
    if (net_is_late(lua)) {
        return net_raise_late(lua, "no datagram has come");
    }
    return net_wait(lua, vu, socket, on_datagram_received);
}

/* datagrams:receive([{ timeout = }]) → the bytes of one */
static int datagrams_receive(lua_State *lua)
{
    static const char *const names[] = {"timeout", NULL};
    struct vu *vu = vu_current(lua, "datagrams:receive");

    (void)net_check(lua, vu, DATAGRAMS_METATABLE, "datagrams:receive");
    lua_settop(lua, 2);
    lua_call_check_options(lua, 2, "datagrams:receive", names);
    uint64_t timeout_ms = lua_net_timeout(lua, 2, "datagrams:receive");
    net_begin_call(lua, vu, "datagrams:receive");
    lua_settop(lua, NET_TIMEOUT);
    net_set_due(lua, timeout_ms);
    return net_take_datagram(lua);
}

static int net_close_object(lua_State *lua)
{
    vu_socket_close(lua_touserdata(lua, 1));
    return 0;
}

static int connection_close(lua_State *lua)
{
    luaL_checkudata(lua, 1, CONNECTION_METATABLE);
    return net_close_object(lua);
}

static int datagrams_close_object(lua_State *lua)
{
    luaL_checkudata(lua, 1, DATAGRAMS_METATABLE);
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
    static const luaL_Reg of_connections[] = {
        {"send", net_send}, {"receive", net_receive}, {"close", connection_close}, {NULL, NULL}};
    static const luaL_Reg of_datagrams[] = {{"send", datagrams_send_one},
                                            {"receive", datagrams_receive},
                                            {"close", datagrams_close_object},
                                            {NULL, NULL}};

    net_new_metatable(lua, CONNECTION_METATABLE, of_connections);
    net_new_metatable(lua, DATAGRAMS_METATABLE, of_datagrams);
    luaL_newlib(lua, functions);
    return 1;
}
