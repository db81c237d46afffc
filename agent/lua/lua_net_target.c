/* An address is "tcp://host:port", "tls://host:port", "unix:/path", or the same as options. */
#include "agent/lua/lua_net_target.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_http_tls.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "proto/message/limits.h"

#include <lauxlib.h>
#include <string.h>

#define HOST_MAX_BYTES 253u
/* As the kernel has it, with its zero. */
#define PATH_MAX_BYTES 107u
#define PORT_MAX 65535

uint64_t lua_net_timeout(lua_State *lua, int index, const char *function)
{
    uint64_t timeout_ms = 0;

    if (lua_istable(lua, index) && lua_option_get(lua, index, "timeout") != LUA_TNIL) {
        timeout_ms = lua_call_timeout(lua, lua_gettop(lua), function);
    }
    return timeout_ms > 0 ? timeout_ms : HTTP_DEFAULT_TIMEOUT_MS;
}

/* The text at `index`, of printable characters without spaces. */
static const char *net_check_text(lua_State *lua, int index, const char *what, size_t maximum)
{
    size_t size = 0;
    const char *text = lua_type(lua, index) == LUA_TSTRING ? lua_tolstring(lua, index, &size) : NULL;

    if (text == NULL || size == 0 || size > maximum || strlen(text) != size ||
        strpbrk(text, " \t\r\n") != NULL) {
        lua_misuse(lua, "net: %s is a text of 1 to %d bytes without spaces", what, (int)maximum);
    }
    return text;
}

static uint16_t net_check_port(lua_State *lua, int index)
{
    int is_integer = 0;
    lua_Integer port = lua_tointegerx(lua, index, &is_integer);

    if (!is_integer || port < 1 || port > PORT_MAX) {
        lua_misuse(lua, "net: a port is a number from 1 to %d", PORT_MAX);
    }
    return (uint16_t)port;
}

/* Leaves host and port on the stack. An address of IPv6 is in brackets. */
static void net_split_authority(lua_State *lua, const char *text, struct vu_socket_target *socket)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
    const char *colon = end != NULL ? end + 1 : strrchr(text, ':');
    size_t size = colon == NULL ? 0 : (size_t)(colon - text);

    if (colon == NULL || *colon != ':' || (end == NULL && memchr(text, ':', size) != NULL) ||
        lua_stringtonumber(lua, colon + 1) == 0) {
        lua_misuse(lua, "net: an address is tcp://HOST:PORT, tls://HOST:PORT or unix:/PATH, got \"%s\"",
                   lua_tostring(lua, 1));
    }
    socket->port = net_check_port(lua, -1);
    if (end != NULL) {
        lua_pushlstring(lua, text + 1, size - 2);
    } else {
        lua_pushlstring(lua, text, size);
    }
    socket->host = net_check_text(lua, -1, "a host", HOST_MAX_BYTES);
}

static void net_read_address(lua_State *lua, struct vu_socket_target *socket)
{
    const char *address = net_check_text(lua, 1, "an address", HOST_MAX_BYTES + 20);

    if (strncmp(address, "unix:", 5) == 0) {
        lua_pushstring(lua, address + 5);
        socket->path = net_check_text(lua, -1, "a path", PATH_MAX_BYTES);
    } else if (strncmp(address, "tcp://", 6) == 0) {
        net_split_authority(lua, address + 6, socket);
    } else if (strncmp(address, "tls://", 6) == 0) {
        socket->is_tls = true;
        net_split_authority(lua, address + 6, socket);
    } else {
        lua_misuse(lua, "net: an address is tcp://HOST:PORT, tls://HOST:PORT or unix:/PATH, got \"%s\"",
                   address);
    }
}

static void net_read_tls(lua_State *lua, int options, struct vu_socket_target *socket)
{
    int type = lua_option_get(lua, options, "tls");

    if (type == LUA_TBOOLEAN) {
        socket->is_tls = lua_toboolean(lua, -1);
    } else if (type != LUA_TNIL) {
        socket->is_tls = true;
        lua_http_read_tls(lua, lua_gettop(lua), &socket->tls);
    }
}

static void net_read_place(lua_State *lua, int options, struct vu_socket_target *socket)
{
    if (lua_option_get(lua, options, "unix") != LUA_TNIL) {
        socket->path = net_check_text(lua, -1, "unix", PATH_MAX_BYTES);
        return;
    }
    (void)lua_option_get(lua, options, "host");
    socket->host = net_check_text(lua, -1, "host", HOST_MAX_BYTES);
    (void)lua_option_get(lua, options, "port");
    socket->port = net_check_port(lua, -1);
}

/* Leaves it on top. */
static void net_read_name(lua_State *lua, int options, struct lua_net_target *target)
{
    const struct vu_socket_target *socket = &target->socket;
    const char *kind = socket->is_datagrams ? "udp" : socket->is_tls ? "tls" : "tcp";

    if (lua_istable(lua, options) && lua_option_get(lua, options, "name") != LUA_TNIL) {
        size_t size = 0;
        const char *name = lua_type(lua, -1) == LUA_TSTRING ? lua_tolstring(lua, -1, &size) : NULL;
        if (size == 0 || size > LIMIT_NAME_BYTES || !bytes_is_printable(bytes_of(name, size))) {
            lua_misuse(lua, "net: name is printable text of 1 to %u bytes", LIMIT_NAME_BYTES);
        }
    } else if (socket->path != NULL) {
        lua_pushfstring(lua, "unix %s", socket->path);
    } else if (strchr(socket->host, ':') != NULL) {
        lua_pushfstring(lua, "%s [%s]:%d", kind, socket->host, (int)socket->port);
    } else {
        lua_pushfstring(lua, "%s %s:%d", kind, socket->host, (int)socket->port);
    }
    target->name = lua_tostring(lua, -1);
}

void lua_net_read_connect(lua_State *lua, struct lua_net_target *target)
{
    static const char *const names[] = {"host", "port", "unix", "tls", "timeout", "name", NULL};
    const struct http_tls *tls = vu_current_tls(lua);
    bool has_address = lua_type(lua, 1) == LUA_TSTRING;
    int options = has_address ? 2 : 1;

    *target = (struct lua_net_target){0};
    if (tls != NULL) {
        target->socket.tls = *tls;
    }
    lua_settop(lua, options);
    luaL_checkstack(lua, 30, NULL);
    if (!has_address && !lua_istable(lua, 1)) {
        lua_misuse(lua, "net.connect: expected an address or a table of options, got a %s",
                   luaL_typename(lua, 1));
    }
    lua_call_check_options(lua, options, "net.connect", has_address ? names + 3 : names);
    if (has_address) {
        net_read_address(lua, &target->socket);
    } else {
        net_read_place(lua, options, &target->socket);
    }
    if (lua_istable(lua, options)) {
        net_read_tls(lua, options, &target->socket);
    }
    target->timeout_ms = lua_net_timeout(lua, options, "net.connect");
    net_read_name(lua, options, target);
    if (target->socket.path != NULL && target->socket.is_tls) {
        lua_misuse(lua, "net.connect: there is no TLS over a local socket");
    }
    if (target->socket.path != NULL && !script_of(lua)->is_system_allowed) {
        lua_misuse(lua, "net.connect: local sockets are not allowed here (they need an agent started with "
                        "--allow-system)");
    }
}

void lua_net_read_udp(lua_State *lua, struct lua_net_target *target)
{
    static const char *const names[] = {"timeout", "name", NULL};

    *target = (struct lua_net_target){.socket.is_datagrams = true};
    lua_settop(lua, 3);
    luaL_checkstack(lua, 30, NULL);
    lua_call_check_options(lua, 3, "net.udp", names);
    target->socket.host = net_check_text(lua, 1, "a host", HOST_MAX_BYTES);
    target->socket.port = net_check_port(lua, 2);
    target->timeout_ms = lua_net_timeout(lua, 3, "net.udp");
    net_read_name(lua, 3, target);
}
