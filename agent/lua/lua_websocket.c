/* What scripts do with a connection: functions that wait look, and look again after each change. */
#include "agent/lua/lua_websocket.h"

#include "agent/lua/lua_call.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/websocket/websocket.h"
#include "common/clock.h"
#include "proto/message/limits.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define WEBSOCKET_METATABLE "tutti.websocket"

/* On the stack of each function that waits: until when, and since when, by the monotonic clock (0: without a
 * limit); then what it needs itself. */
enum wait_index { WAIT_OBJECT = 1, WAIT_DUE, WAIT_BEGAN, WAIT_OWN };

/* The connection of the object at index 1; raises if it is another worker's. */
static struct vu_websocket *websocket_of(lua_State *lua, const struct vu *vu, const char *function)
{
    const struct lua_websocket *object = luaL_checkudata(lua, WAIT_OBJECT, WEBSOCKET_METATABLE);

    if (!vu_websocket_is_of(object->websocket, vu)) {
        lua_misuse(lua, "%s: the connection is another worker's", function);
    }
    return object->websocket;
}

/* Nothing more will come: it is closed, or its worker's session is over. */
static bool is_over(const struct vu_websocket *websocket)
{
    return websocket->vu == NULL || websocket_state(websocket->socket) == WEBSOCKET_CLOSED;
}

/* Puts the instants at their places, with the function's own arguments, which are at 2 to `top`, behind. */
static void wait_prepare(lua_State *lua, uint64_t timeout_ms, int top)
{
    uint64_t now_ns = clock_now_ns();

    lua_settop(lua, top);
    lua_pushinteger(lua, timeout_ms > 0 ? (lua_Integer)(now_ns + timeout_ms * NS_PER_MS) : 0);
    lua_insert(lua, WAIT_DUE);
    lua_pushinteger(lua, (lua_Integer)now_ns);
    lua_insert(lua, WAIT_BEGAN);
}

/* Milliseconds of the option `timeout` of the table at `index`; without one, those of the connection. */
static uint64_t wait_timeout(lua_State *lua, int index, const char *function)
{
    static const char *const names[] = {"timeout", NULL};
    const struct lua_websocket *object = luaL_checkudata(lua, WAIT_OBJECT, WEBSOCKET_METATABLE);
    uint64_t timeout_ms = 0;

    if (!lua_isnoneornil(lua, index)) {
        lua_call_check_options(lua, index, function, names);
        lua_option_get(lua, index, "timeout");
        timeout_ms = lua_call_timeout(lua, -1, function);
        lua_pop(lua, 1);
    }
    return timeout_ms > 0 ? timeout_ms : object->timeout_ms;
}

static double wait_waited_s(lua_State *lua)
{
    return (double)(clock_now_ns() - (uint64_t)lua_tointeger(lua, WAIT_BEGAN)) / 1e9;
}

static int wait_raise(lua_State *lua, const struct vu_websocket *websocket, const char *kind,
                      const char *text)
{
    char group[2 * LIMIT_NAME_BYTES];

    snprintf(group, sizeof group, "websocket %.*s: %s", LIMIT_NAME_BYTES, websocket->name, kind);
    struct lua_failure failure = {.kind = kind, .group = group, .message = text};
    if (strcmp(kind, "timeout") == 0) {
        failure.outcome = kind;
        failure.waited_s = wait_waited_s(lua);
    }
    return lua_failure_raise(lua, &failure);
}

static int raise_closed(lua_State *lua, const struct vu_websocket *websocket, const char *function)
{
    char text[400];

    if (websocket_state(websocket->socket) == WEBSOCKET_CLOSING) {
        snprintf(text, sizeof text, "%s: the connection %.100s is being closed", function, websocket->name);
    } else {
        const char *why = websocket_close_text(websocket->socket);
        snprintf(text, sizeof text, "%s: the connection %.100s is closed: %u%s%s", function, websocket->name,
                 websocket_close_code(websocket->socket), why[0] != '\0' ? " " : "", why);
    }
    return wait_raise(lua, websocket, "closed", text);
}

/* Ends the turn until something changes, or it is time. Raises where it is. */
static int wait_for_change(lua_State *lua, struct vu *vu, const char *function, lua_KFunction go_on)
{
    struct vu_websocket *websocket = websocket_of(lua, vu, function);
    uint64_t due_ns = (uint64_t)lua_tointeger(lua, WAIT_DUE);
    char text[300];

    if (due_ns > 0 && clock_now_ns() >= due_ns) {
        snprintf(text, sizeof text, "%s: timed out after %.3g s (%.100s)", function, wait_waited_s(lua),
                 websocket->name);
        return wait_raise(lua, websocket, "timeout", text);
    }
    vu_websocket_await(vu, websocket, due_ns);
    return vu_yield(lua, vu, WAIT_WEBSOCKET, go_on, 0);
}

static struct vu *wait_is_over(lua_State *lua, const char *function)
{
    struct vu *vu = vu_current(lua, function);

    vu_websocket_end_wait(vu);
    vu_resumed(lua, vu, WAIT_WEBSOCKET);
    return vu;
}

static void wait_check(lua_State *lua, struct vu *vu, const char *function)
{
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        lua_misuse(lua, "%s: a call that waits is not possible here", function);
    }
}

/* Pushes the oldest message, its kind, and when it came; 0 where there is none. */
static int push_message(lua_State *lua, struct vu_websocket *websocket)
{
    const struct websocket_message *message = websocket_first(websocket->socket);

    if (message == NULL) {
        return 0;
    }
    lua_pushlstring(lua, message->size > 0 ? (const char *)message->data : "", message->size);
    lua_pushstring(lua, message->is_binary ? "binary" : "text");
    lua_pushnumber(lua, (double)message->at_ns / 1e9);
    websocket_drop_first(websocket->socket);
    return 3;
}

static int receive_go_on(lua_State *lua, int status, lua_KContext context);

static int receive_now(lua_State *lua, struct vu *vu)
{
    struct vu_websocket *websocket = websocket_of(lua, vu, "ws:receive");
    int count = push_message(lua, websocket);

    if (count > 0) {
        return count;
    }
    if (is_over(websocket)) {
        return raise_closed(lua, websocket, "ws:receive");
    }
    return wait_for_change(lua, vu, "ws:receive", receive_go_on);
}

static int receive_go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return receive_now(lua, wait_is_over(lua, "ws:receive"));
}

/* ws:receive { timeout = } → message, kind, at */
static int websocket_receive(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "ws:receive");

    lua_settop(lua, 2);
    (void)websocket_of(lua, vu, "ws:receive");
    wait_check(lua, vu, "ws:receive");
    wait_prepare(lua, wait_timeout(lua, 2, "ws:receive"), 1);
    return receive_now(lua, vu);
}

static int until_go_on(lua_State *lua, int status, lua_KContext context);
static int until_on_judged(lua_State *lua, int status, lua_KContext context);

/* Whether the script's function, which has judged the message, wants it. */
static bool is_wanted(lua_State *lua)
{
    bool is_so = lua_toboolean(lua, -1);

    lua_settop(lua, is_so ? WAIT_OWN + 3 : WAIT_OWN);
    return is_so;
}

/* The function is at WAIT_OWN; the message, its kind and its time come behind it. */
static int until_now(lua_State *lua, struct vu *vu)
{
    struct vu_websocket *websocket = websocket_of(lua, vu, "ws:receive_until");

    while (push_message(lua, websocket) > 0) {
        lua_pushvalue(lua, WAIT_OWN);
        for (int i = 1; i <= 3; i++) {
            lua_pushvalue(lua, WAIT_OWN + i);
        }
        lua_callk(lua, 3, 1, 0, until_on_judged);
        if (is_wanted(lua)) {
            return 3;
        }
    }
    if (is_over(websocket)) {
        return raise_closed(lua, websocket, "ws:receive_until");
    }
    return wait_for_change(lua, vu, "ws:receive_until", until_go_on);
}

static int until_on_judged(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return is_wanted(lua) ? 3 : until_now(lua, vu_current(lua, "ws:receive_until"));
}

static int until_go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return until_now(lua, wait_is_over(lua, "ws:receive_until"));
}

/* ws:receive_until(function, { timeout = }) → the first message that it says true to, kind, at */
static int websocket_receive_until(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "ws:receive_until");

    lua_settop(lua, 3);
    (void)websocket_of(lua, vu, "ws:receive_until");
    if (lua_type(lua, 2) != LUA_TFUNCTION) {
        return lua_misuse(lua, "ws:receive_until: expected a function, got a %s", luaL_typename(lua, 2));
    }
    wait_check(lua, vu, "ws:receive_until");
    wait_prepare(lua, wait_timeout(lua, 3, "ws:receive_until"), 2);
    return until_now(lua, vu);
}

static int next_go_on(lua_State *lua, int status, lua_KContext context);

static int next_now(lua_State *lua, struct vu *vu)
{
    struct vu_websocket *websocket = websocket_of(lua, vu, "ws:messages");
    int count = push_message(lua, websocket);

    if (count > 0) {
        return count;
    }
    if (is_over(websocket)) {
        lua_pushnil(lua);
        return 1;
    }
    return wait_for_change(lua, vu, "ws:messages", next_go_on);
}

static int next_go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return next_now(lua, wait_is_over(lua, "ws:messages"));
}

/* The timeout in milliseconds is the upvalue; 0: none. */
static int websocket_next_message(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "ws:messages");

    lua_settop(lua, 1);
    (void)websocket_of(lua, vu, "ws:messages");
    wait_check(lua, vu, "ws:messages");
    wait_prepare(lua, (uint64_t)lua_tointeger(lua, lua_upvalueindex(1)), 1);
    return next_now(lua, vu);
}

/* for message, kind, at in ws:messages { timeout = } do … end: until the connection is closed */
static int websocket_messages(lua_State *lua)
{
    lua_settop(lua, 2);
    uint64_t timeout_ms = wait_timeout(lua, 2, "ws:messages");
    lua_pushinteger(lua, lua_isnil(lua, 2) ? 0 : (lua_Integer)timeout_ms);
    lua_pushcclosure(lua, websocket_next_message, 1);
    lua_pushvalue(lua, 1);
    return 2;
}

static int send_go_on(lua_State *lua, int status, lua_KContext context);

/* What was sent is on its way; who has much under way waits until it has left. When it was sent is at
 * WAIT_OWN. */
static int send_await_room(lua_State *lua, struct vu *vu)
{
    struct vu_websocket *websocket = websocket_of(lua, vu, "ws:send");

    if (websocket_unsent(websocket->socket) <= WEBSOCKET_UNSENT_BYTES || !script_may_wait(lua)) {
        lua_settop(lua, WAIT_OWN);
        return 1;
    }
    if (is_over(websocket)) {
        return raise_closed(lua, websocket, "ws:send");
    }
    return wait_for_change(lua, vu, "ws:send", send_go_on);
}

static int send_go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return send_await_room(lua, wait_is_over(lua, "ws:send"));
}

static struct bytes send_check_data(lua_State *lua, int index, bool is_binary)
{
    size_t size;

    if (lua_type(lua, index) != LUA_TSTRING) {
        lua_misuse(lua, "ws:send: expected a string, got a %s", luaL_typename(lua, index));
    }
    const char *data = lua_tolstring(lua, index, &size);
    if (size > WEBSOCKET_MAX_MESSAGE_BYTES) {
        lua_misuse(lua, "ws:send: a message has at most %d MiB", WEBSOCKET_MAX_MESSAGE_BYTES >> 20);
    }
    if (!is_binary && !text_is_utf8(bytes_of(data, size))) {
        lua_misuse(lua, "ws:send: the text is not UTF-8 (send_binary sends any bytes)");
    }
    return bytes_of(data, size);
}

/* Raises where nothing can be sent. */
static void send_check_state(lua_State *lua, struct vu *vu, const struct vu_websocket *websocket)
{
    vu_check_stopped(lua, vu);
    if (websocket_state(websocket->socket) != WEBSOCKET_OPEN) {
        raise_closed(lua, websocket, "ws:send");
    }
    if (websocket_unsent(websocket->socket) > WEBSOCKET_UNSENT_BYTES) {
        wait_check(lua, vu, "ws:send");
    }
}

/* After websocket_send: returns when it was sent. */
static int send_finish(lua_State *lua, struct vu *vu, struct vu_websocket *websocket, uint64_t now_ns)
{
    const struct lua_websocket *object = luaL_checkudata(lua, WAIT_OBJECT, WEBSOCKET_METATABLE);

    vu_websocket_changed(websocket);
    wait_prepare(lua, object->timeout_ms, 1);
    lua_pushnumber(lua, (double)now_ns / 1e9);
    return send_await_room(lua, vu);
}

static int websocket_send_kind(lua_State *lua, bool is_binary, lua_CFunction again)
{
    struct vu *vu = vu_current(lua, "ws:send");

    lua_settop(lua, 2);
    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, again);
    }
    struct vu_websocket *websocket = websocket_of(lua, vu, "ws:send");
    struct bytes data = send_check_data(lua, 2, is_binary);
    send_check_state(lua, vu, websocket);
    uint64_t now_ns = clock_now_ns();
    websocket_send(websocket->socket, is_binary, data);
    return send_finish(lua, vu, websocket, now_ns);
}

int lua_websocket_send_row(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "ws:send");
    int count = lua_gettop(lua);

    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, lua_websocket_send_row);
    }
    struct vu_websocket *websocket = websocket_of(lua, vu, "ws:send");
    for (int index = 2; index <= count; index++) {
        (void)send_check_data(lua, index, index > 2);
    }
    send_check_state(lua, vu, websocket);
    uint64_t now_ns = clock_now_ns();
    for (int index = 2; index <= count; index++) {
        websocket_send(websocket->socket, index > 2, send_check_data(lua, index, true));
    }
    return send_finish(lua, vu, websocket, now_ns);
}

/* ws:send(text) → when it was sent */
static int websocket_send_text(lua_State *lua)
{
    return websocket_send_kind(lua, false, websocket_send_text);
}

/* ws:send_binary(bytes) → when it was sent */
static int websocket_send_binary(lua_State *lua)
{
    return websocket_send_kind(lua, true, websocket_send_binary);
}

static int ping_go_on(lua_State *lua, int status, lua_KContext context);

/* How many pongs have come before is at WAIT_OWN. */
static int ping_now(lua_State *lua, struct vu *vu)
{
    struct vu_websocket *websocket = websocket_of(lua, vu, "ws:ping");

    if (websocket_pongs(websocket->socket) > (uint64_t)lua_tointeger(lua, WAIT_OWN)) {
        lua_pushnumber(lua, (double)websocket_round_trip_us(websocket->socket) / 1e6);
        return 1;
    }
    if (is_over(websocket)) {
        return raise_closed(lua, websocket, "ws:ping");
    }
    return wait_for_change(lua, vu, "ws:ping", ping_go_on);
}

static int ping_go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return ping_now(lua, wait_is_over(lua, "ws:ping"));
}

/* ws:ping { timeout = } → seconds until the pong */
static int websocket_ping_once(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "ws:ping");

    lua_settop(lua, 2);
    struct vu_websocket *websocket = websocket_of(lua, vu, "ws:ping");
    uint64_t timeout_ms = wait_timeout(lua, 2, "ws:ping");
    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, websocket_ping_once);
    }
    wait_check(lua, vu, "ws:ping");
    if (websocket_state(websocket->socket) != WEBSOCKET_OPEN) {
        return raise_closed(lua, websocket, "ws:ping");
    }
    websocket_ping(websocket->socket);
    wait_prepare(lua, timeout_ms, 1);
    lua_pushinteger(lua, (lua_Integer)websocket_pongs(websocket->socket));
    return ping_now(lua, vu);
}

static int close_go_on(lua_State *lua, int status, lua_KContext context);

/* The server answers, or the connection is given up after a while. */
static int close_now(lua_State *lua, struct vu *vu)
{
    struct vu_websocket *websocket = websocket_of(lua, vu, "ws:close");

    if (!is_over(websocket) && script_may_wait(lua)) {
        return wait_for_change(lua, vu, "ws:close", close_go_on);
    }
    return 0;
}

static int close_go_on(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    return close_now(lua, wait_is_over(lua, "ws:close"));
}

/* ws:close(code, reason); nothing happens to one that is closed */
static int websocket_close_object(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "ws:close");
    size_t size;

    lua_settop(lua, 3);
    struct vu_websocket *websocket = websocket_of(lua, vu, "ws:close");
    lua_Integer code = luaL_optinteger(lua, 2, CLOSE_NORMAL);
    const char *reason = luaL_optlstring(lua, 3, "", &size);
    if (code < 0 || code > UINT16_MAX || !close_code_is_valid((uint32_t)code)) {
        return lua_misuse(lua, "ws:close: %d is no code of a close frame (1000 to 1014, 3000 to 4999)",
                          (int)code);
    }
    if (size > WEBSOCKET_REASON_MAX_BYTES || !text_is_utf8(bytes_of(reason, size))) {
        return lua_misuse(lua, "ws:close: a reason is UTF-8 of at most %d bytes", WEBSOCKET_REASON_MAX_BYTES);
    }
    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, websocket_close_object);
    }
    if (websocket_state(websocket->socket) == WEBSOCKET_OPEN) {
        vu_websocket_close(websocket, (uint16_t)code, bytes_of(reason, size));
    }
    wait_prepare(lua, 0, 1);
    return close_now(lua, vu);
}

/* Of a variable that is <close>; behind the object is an error, if that ends the block. */
static int websocket_close_block(lua_State *lua)
{
    lua_settop(lua, WAIT_OBJECT);
    return websocket_close_object(lua);
}

static const luaL_Reg methods[] = {
    {"send", websocket_send_text},     {"send_binary", websocket_send_binary},
    {"receive", websocket_receive},    {"receive_until", websocket_receive_until},
    {"messages", websocket_messages},  {"ping", websocket_ping_once},
    {"close", websocket_close_object},
};

static void push_text_or_nil(lua_State *lua, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        lua_pushstring(lua, text);
    } else {
        lua_pushnil(lua);
    }
}

static int websocket_get_field(lua_State *lua)
{
    static const char *const states[] = {
        [WEBSOCKET_OPEN] = "open", [WEBSOCKET_CLOSING] = "closing", [WEBSOCKET_CLOSED] = "closed"};
    const struct lua_websocket *object = luaL_checkudata(lua, WAIT_OBJECT, WEBSOCKET_METATABLE);
    const struct vu_websocket *websocket = object->websocket;
    const char *name = luaL_checkstring(lua, 2);
    bool is_closed = websocket_state(websocket->socket) == WEBSOCKET_CLOSED;

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(name, methods[i].name) == 0) {
            lua_pushcfunction(lua, methods[i].func);
            return 1;
        }
    }
    if (strcmp(name, "state") == 0) {
        lua_pushstring(lua, states[websocket_state(websocket->socket)]);
    } else if (strcmp(name, "close_code") == 0 && is_closed) {
        lua_pushinteger(lua, websocket_close_code(websocket->socket));
    } else if (strcmp(name, "close_reason") == 0 && is_closed) {
        push_text_or_nil(lua, websocket_close_text(websocket->socket));
    } else if (strcmp(name, "protocol") == 0) {
        push_text_or_nil(lua, websocket->protocol);
    } else if (strcmp(name, "dropped") == 0) {
        lua_pushinteger(lua, (lua_Integer)websocket_counts(websocket->socket)->dropped);
    } else {
        lua_pushnil(lua);
    }
    return 1;
}

static int websocket_to_string(lua_State *lua)
{
    const struct lua_websocket *object = luaL_checkudata(lua, WAIT_OBJECT, WEBSOCKET_METATABLE);

    lua_pushfstring(lua, "websocket %s", object->websocket->name);
    return 1;
}

static int websocket_forget(lua_State *lua)
{
    struct lua_websocket *object = luaL_checkudata(lua, WAIT_OBJECT, WEBSOCKET_METATABLE);

    vu_websocket_release(&object->websocket);
    return 0;
}

struct lua_websocket *lua_websocket_push(lua_State *lua)
{
    struct lua_websocket *object = lua_newuserdatauv(lua, sizeof *object, 0);

    *object = (struct lua_websocket){0};
    if (luaL_newmetatable(lua, WEBSOCKET_METATABLE)) {
        static const luaL_Reg functions[] = {{"__index", websocket_get_field},
                                             {"__tostring", websocket_to_string},
                                             {"__close", websocket_close_block},
                                             {"__gc", websocket_forget},
                                             {NULL, NULL}};
        luaL_setfuncs(lua, functions, 0);
        lua_pushliteral(lua, "websocket");
        lua_setfield(lua, -2, "__metatable");
    }
    lua_setmetatable(lua, -2);
    return object;
}

int luaopen_tutti_websocket(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"connect", lua_websocket_connect}, {NULL, NULL}};

    luaL_newlib(lua, functions);
    return 1;
}
