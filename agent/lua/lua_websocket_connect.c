/* `websocket.connect`: the handshake is a request of `tutti.http`, with its options. */
#include "agent/http/message/fields.h"
#include "agent/lua/lua_call.h"
#include "agent/lua/lua_http.h"
#include "agent/lua/lua_http_defaults.h"
#include "agent/lua/lua_http_draft.h"
#include "agent/lua/lua_tags.h"
#include "agent/lua/lua_websocket.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/websocket/websocket.h"
#include "proto/message/limits.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CONNECT "websocket.connect"
#define QUEUE_MAX 1000000
#define PROTOCOLS_MAX_BYTES 1000u
#define PING_LEAST_S 0.01
#define PING_MOST_S 86400.0
/* Of an answer that is no upgrade. */
#define ANSWER_MAX_BYTES (1024u * 1024u)

/* On the stack while the handshake is awaited. */
enum connect_index { CONNECT_OBJECT = 1, CONNECT_URL };

/* What a request of HTTP has as well. */
static const char *const http_names[] = {"headers", "timeout", "tls",   "auth", "query",
                                         "base",    "name",    "proxy", "tags", NULL};

static void connect_check_options(lua_State *lua)
{
    static const char *const names[] = {
        "headers",   "timeout",  "tls",         "auth",  "query",   "base",          "name", "proxy",
        "protocols", "compress", "max_message", "queue", "on_full", "ping_interval", "tags", NULL};

    if (lua_isnil(lua, 2)) {
        lua_newtable(lua);
        lua_replace(lua, 2);
    }
    lua_call_check_options(lua, 2, CONNECT, names);
}

/* "ws://host/" becomes "http://host/"; a relative URL stays. */
static void connect_push_url(lua_State *lua)
{
    if (lua_type(lua, 1) != LUA_TSTRING) {
        lua_misuse(lua, CONNECT ": the URL is a string, not a %s", luaL_typename(lua, 1));
    }
    const char *url = lua_tostring(lua, 1);
    if (strncasecmp(url, "ws://", 5) == 0) {
        lua_pushfstring(lua, "http%s", url + 2);
    } else if (strncasecmp(url, "wss://", 6) == 0) {
        lua_pushfstring(lua, "https%s", url + 3);
    } else if (strstr(url, "://") != NULL) {
        lua_misuse(lua, CONNECT ": \"%s\" is no URL of a WebSocket: these begin with ws:// or wss://", url);
    } else {
        lua_pushvalue(lua, 1);
    }
}

/* Pushes a table of those options that are of HTTP. */
static void connect_push_http_options(lua_State *lua)
{
    lua_newtable(lua);
    for (const char *const *name = http_names; *name != NULL; name++) {
        lua_option_get(lua, 2, *name);
        lua_setfield(lua, -2, *name);
    }
}

static bool connect_read_flag(lua_State *lua, const char *name)
{
    int type = lua_option_get(lua, lua_upvalueindex(1), name);

    if (type != LUA_TNIL && type != LUA_TBOOLEAN) {
        lua_misuse(lua, CONNECT ": %s is true or false, not a %s", name, luaL_typename(lua, -1));
    }
    bool is_set = lua_toboolean(lua, -1);
    lua_pop(lua, 1);
    return is_set;
}

static lua_Integer connect_read_number(lua_State *lua, const char *name, lua_Integer fallback,
                                       lua_Integer maximum)
{
    lua_Integer number = fallback;

    if (lua_option_get(lua, lua_upvalueindex(1), name) != LUA_TNIL) {
        number = lua_isinteger(lua, -1) ? lua_tointeger(lua, -1) : 0;
        if (number < 1 || number > maximum) {
            lua_misuse(lua, CONNECT ": %s is a whole number from 1 to %d", name, (int)maximum);
        }
    }
    lua_pop(lua, 1);
    return number;
}

static enum queue_policy connect_read_policy(lua_State *lua)
{
    static const char *const names[] = {
        [QUEUE_DROP_OLDEST] = "drop_oldest", [QUEUE_DROP_NEWEST] = "drop_newest", [QUEUE_CLOSE] = "close"};
    enum queue_policy policy = QUEUE_DROP_OLDEST;

    if (lua_option_get(lua, lua_upvalueindex(1), "on_full") != LUA_TNIL) {
        const char *name = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
        while (policy <= QUEUE_CLOSE && strcmp(name, names[policy]) != 0) {
            policy++;
        }
        if (policy > QUEUE_CLOSE) {
            lua_misuse(lua, CONNECT ": on_full is \"drop_oldest\", \"drop_newest\" or \"close\"");
        }
    }
    lua_pop(lua, 1);
    return policy;
}

/* Milliseconds; 0: none. */
static uint64_t connect_read_interval(lua_State *lua)
{
    uint64_t interval_ms = 0;

    if (lua_option_get(lua, lua_upvalueindex(1), "ping_interval") != LUA_TNIL) {
        double seconds = lua_type(lua, -1) == LUA_TNUMBER ? lua_tonumber(lua, -1) : 0;
        if (!(seconds >= PING_LEAST_S && seconds <= PING_MOST_S)) {
            lua_misuse(lua, CONNECT ": ping_interval is a number of seconds from 0.01 to 86400");
        }
        interval_ms = (uint64_t)(seconds * 1000);
    }
    lua_pop(lua, 1);
    return interval_ms;
}

/* Leaves "chat, superchat" on the stack, or nil. */
static const char *connect_push_protocols(lua_State *lua)
{
    luaL_Buffer text;

    if (lua_option_get(lua, lua_upvalueindex(1), "protocols") == LUA_TNIL) {
        return NULL;
    }
    if (lua_type(lua, -1) == LUA_TSTRING) {
        lua_createtable(lua, 1, 0);
        lua_insert(lua, -2);
        lua_rawseti(lua, -2, 1);
    }
    if (!lua_istable(lua, -1)) {
        lua_misuse(lua, CONNECT ": protocols is a list of names, not a %s", luaL_typename(lua, -1));
    }
    int list = lua_gettop(lua);
    luaL_buffinit(lua, &text);
    for (lua_Integer i = 1; lua_rawgeti(lua, list, i) != LUA_TNIL; i++) {
        size_t size = 0;
        const char *name = lua_type(lua, -1) == LUA_TSTRING ? lua_tolstring(lua, -1, &size) : "";
        if (size == 0 || !field_is_token(bytes_of(name, size)) || luaL_bufflen(&text) > PROTOCOLS_MAX_BYTES) {
            lua_misuse(lua, CONNECT ": protocols is a list of names (letters, digits and some punctuation)");
        }
        luaL_addlstring(&text, ", ", i > 1 ? 2 : 0);
        luaL_addvalue(&text);
    }
    lua_pop(lua, 1);
    luaL_pushresult(&text);
    return luaL_len(lua, -1) > 0 ? lua_tostring(lua, -1) : NULL;
}

/* The name that the script has given, or "WS /path" without the query. */
static const char *connect_push_name(lua_State *lua)
{
    char name[LIMIT_NAME_BYTES];

    struct bytes given = lua_tags_label_name(lua, LUA_HTTP_NAME);
    if (given.size > 0) {
        return lua_pushlstring(lua, (const char *)given.data, given.size);
    }
    const char *path = strstr(lua_tostring(lua, LUA_HTTP_URL), "://") + 3;
    path += strcspn(path, "/?#");
    size_t length = *path == '/' ? strcspn(path, "?#") : 0;
    snprintf(name, sizeof name, "WS %.*s", length > 0 ? (int)length : 1, length > 0 ? path : "/");
    for (char *at = name; *at != '\0'; at++) {
        *at = *at >= ' ' && *at < 127 ? *at : '?';
    }
    return lua_pushstring(lua, name);
}

static void connect_check_headers(lua_State *lua, const struct http_request *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        const char *name = request->headers[i].name;
        if (strcasecmp(name, "connection") == 0 || strcasecmp(name, "upgrade") == 0 ||
            strncasecmp(name, "sec-websocket-", 14) == 0) {
            lua_misuse(lua, CONNECT ": the header %s is the connection's own", name);
        }
    }
}

static int connect_raise(lua_State *lua, const struct vu_websocket *websocket)
{
    char group[2 * LIMIT_NAME_BYTES];
    char text[700];

    snprintf(text, sizeof text, "websocket %.300s: %.300s", lua_tostring(lua, CONNECT_URL),
             websocket->failure_text);
    snprintf(group, sizeof group, "websocket %.*s: %s", LIMIT_NAME_BYTES, websocket->name,
             websocket->failure);
    struct lua_failure failure = {.kind = websocket->failure,
                                  .phase = websocket->phase,
                                  .status = websocket->status,
                                  .group = group,
                                  .message = text};
    return lua_failure_raise(lua, &failure);
}

static int connect_finish(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, CONNECT);
    const struct lua_websocket *object = lua_touserdata(lua, CONNECT_OBJECT);

    (void)status, (void)context;
    vu_websocket_end_wait(vu);
    vu_resumed(lua, vu, WAIT_WEBSOCKET);
    if (vu_websocket_is_connecting(object->websocket)) {
        return lua_misuse(lua, CONNECT ": a coroutine that waits was resumed without a connection");
    }
    if (object->websocket->failure != NULL) {
        return connect_raise(lua, object->websocket);
    }
    lua_settop(lua, CONNECT_OBJECT);
    return 1;
}

/* raw(method, url, options); the options of the script are the upvalue. */
static int connect_raw(lua_State *lua)
{
    struct vu *vu = vu_current(lua, CONNECT);
    struct lua_http_draft draft;

    lua_settop(lua, LUA_HTTP_BODY);
    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, connect_raw);
    }
    lua_http_draft_read(lua, &draft);
    connect_check_headers(lua, &draft.request);
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        return lua_misuse(lua, CONNECT ": a call that waits is not possible here");
    }
    if (vu_options(vu)->http_engine != HTTP_ENGINE_NATIVE) {
        return lua_misuse(lua, CONNECT ": this HTTP engine has no WebSocket (--http-engine native)");
    }
    draft.request.max_body_bytes = ANSWER_MAX_BYTES;
    lua_http_need_client(vu);
    struct vu_websocket_options options = {
        .is_compressed = connect_read_flag(lua, "compress"),
        .max_message = (size_t)connect_read_number(lua, "max_message", WEBSOCKET_DEFAULT_MAX_MESSAGE_BYTES,
                                                   WEBSOCKET_MAX_MESSAGE_BYTES),
        .queue = (uint32_t)connect_read_number(lua, "queue", WEBSOCKET_DEFAULT_QUEUE, QUEUE_MAX),
        .policy = connect_read_policy(lua),
        .ping_ms = connect_read_interval(lua),
        .tags = lua_tags_label_tags(lua, LUA_HTTP_NAME)};
    lua_http_draft_trace(vu, &draft);
    options.protocols = connect_push_protocols(lua);
    options.name = connect_push_name(lua);
    struct lua_websocket *object = lua_websocket_push(lua);
    object->timeout_ms = draft.request.timeout_ms;
    object->websocket = vu_websocket_open(vu, &draft.request, &options);
    vu_websocket_await(vu, object->websocket, 0);
    lua_replace(lua, CONNECT_OBJECT);
    lua_settop(lua, CONNECT_URL);
    return vu_yield(lua, vu, WAIT_WEBSOCKET, connect_finish, 0);
}

static int connect_on_return(lua_State *lua, int status, lua_KContext context)
{
    (void)lua, (void)status, (void)context;
    return 1;
}

int lua_websocket_connect(lua_State *lua)
{
    vu_current(lua, CONNECT);
    lua_settop(lua, 2);
    connect_check_options(lua);
    lua_pushliteral(lua, "GET");
    connect_push_url(lua);
    connect_push_http_options(lua);
    lua_pushnil(lua);
    lua_http_push_defaults(lua, false);
    lua_pushvalue(lua, 2);
    lua_remove(lua, 1);
    lua_remove(lua, 1);
    lua_http_complete(lua, LUA_HTTP_NAME);
    lua_pushcclosure(lua, connect_raw, 1);
    lua_insert(lua, 1);
    lua_settop(lua, 1 + LUA_HTTP_BODY);
    lua_callk(lua, LUA_HTTP_BODY, 1, 0, connect_on_return);
    return 1;
}
