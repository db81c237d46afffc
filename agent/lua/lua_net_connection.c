/* What a script sends and receives over a connection of tutti.net. */
#include "agent/lua/lua_call.h"
#include "agent/lua/lua_net_inside.h"
#include "agent/lua/lua_net_target.h"
#include "agent/script/lua_error.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define READ_MAX_BYTES (64u * 1024u)
#define PART_MAX_BYTES (1024u * 1024u)

static int on_net_sent(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, "connection:send");

    (void)status, (void)context;
    vu_resumed(lua, vu, WAIT_SOCKET);
    struct vu_socket *socket = lua_net_check(lua, vu, LUA_NET_CONNECTION, "connection:send");
    if (socket->state != VU_SOCKET_OPEN) {
        return lua_net_raise_end(lua, socket);
    }
    if (!vu_socket_is_sending(socket)) {
        return 0;
    }
    if (lua_net_is_late(lua)) {
        return lua_net_raise_late(lua, "not all was sent");
    }
    return lua_net_wait(lua, vu, socket, on_net_sent);
}

/* connection:send(bytes, [{ timeout = }]) */
int lua_net_connection_send(lua_State *lua)
{
    static const char *const names[] = {"timeout", NULL};
    struct vu *vu = vu_current(lua, "connection:send");
    struct vu_socket *socket = lua_net_check(lua, vu, LUA_NET_CONNECTION, "connection:send");
    size_t size = 0;

    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, lua_net_connection_send);
    }
    lua_settop(lua, 3);
    const char *data = luaL_checklstring(lua, 2, &size);
    lua_call_check_options(lua, 3, "connection:send", names);
    uint64_t timeout_ms = lua_net_timeout(lua, 3, "connection:send");
    lua_net_begin_call(lua, vu, "connection:send");
    if (socket->state != VU_SOCKET_OPEN) {
        return lua_net_raise_end(lua, socket);
    }
    if (!vu_socket_send(socket, bytes_of(data, size))) {
        return lua_net_raise(lua, HTTP_NO_MEMORY, NULL, "there is no memory left for what is to be sent");
    }
    if (!vu_socket_is_sending(socket)) {
        return 0;
    }
    lua_settop(lua, NET_TIMEOUT);
    lua_net_set_due(lua, timeout_ms);
    return lua_net_wait(lua, vu, socket, on_net_sent);
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
        lua_net_raise(lua, HTTP_TOO_LARGE, NULL, "what is awaited does not end within max bytes");
    }
    lua_pushinteger(lua, (lua_Integer)(unread.size >= end ? unread.size - end + 1 : 0));
    lua_replace(lua, NET_SCANNED);
    return 0;
}

static int net_receive_next(lua_State *lua);

static int on_net_received(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    vu_resumed(lua, vu_current(lua, "connection:receive"), WAIT_SOCKET);
    return net_receive_next(lua);
}

static int net_receive_next(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "connection:receive");
    struct vu_socket *socket = lua_net_check(lua, vu, LUA_NET_CONNECTION, "connection:receive");
    char text[LUA_NET_TEXT_BYTES];

    if (net_receive_now(lua, socket) > 0) {
        return 1;
    }
    size_t held = vu_socket_unread(socket).size;
    if (socket->state == VU_SOCKET_FAILED) {
        return lua_net_raise_end(lua, socket);
    }
    if (socket->state == VU_SOCKET_ENDED && held == 0) {
        lua_pushnil(lua);
        return 1;
    }
    if (socket->state == VU_SOCKET_ENDED) {
        snprintf(text, sizeof text, "the other side has closed the connection after %zu bytes of it", held);
        return lua_net_raise(lua, HTTP_RESET, NULL, text);
    }
    if (lua_net_is_late(lua)) {
        return lua_net_raise_late(lua, "not all has come that is awaited");
    }
    vu_socket_want(socket, (size_t)lua_tointeger(lua, NET_SIZE) + lua_rawlen(lua, NET_DELIMITER) + 1);
    return lua_net_wait(lua, vu, socket, on_net_received);
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
int lua_net_connection_receive(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "connection:receive");

    (void)lua_net_check(lua, vu, LUA_NET_CONNECTION, "connection:receive");
    lua_settop(lua, 2);
    lua_settop(lua, NET_OPTIONS);
    lua_copy(lua, 2, NET_OPTIONS);
    net_read_wish(lua);
    uint64_t timeout_ms = lua_net_timeout(lua, NET_OPTIONS, "connection:receive");
    lua_net_begin_call(lua, vu, "connection:receive");
    lua_settop(lua, NET_SCANNED);
    lua_net_set_due(lua, timeout_ms);
    return net_receive_next(lua);
}
