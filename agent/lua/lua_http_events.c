/* Events are taken off the stream one by one; where it ends, a reconnection makes the same request again. */
#include "agent/lua/lua_http_events.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_http.h"
#include "agent/lua/lua_http_draft.h"
#include "agent/lua/lua_http_stream.h"
#include "agent/lua/lua_tags.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "common/clock.h"

#include <lauxlib.h>
#include <stdio.h>
#include <strings.h>

#define LAST_EVENT_ID "Last-Event-ID"
#define TEXT_BYTES 100

/* On the stack of a call: the stream, how long to wait in milliseconds (0: the request's timeout), whether to
 * reconnect, and until when the wait goes on. */
enum event_index { EVENT_STREAM = 1, EVENT_TIMEOUT, EVENT_RECONNECTS, EVENT_DUE };

static int event_next(lua_State *lua);

/* count(method, url, name, is_first, microseconds) */
static int event_count(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "stream:event");
    char buffer[LIMIT_NAME_BYTES];
    char name[2 * LIMIT_NAME_BYTES];
    bool is_first = lua_toboolean(lua, 4);
    uint64_t latency_us = (uint64_t)lua_tointeger(lua, 5);

    struct bytes request = lua_http_name(lua, buffer);
    int size = snprintf(name, sizeof name, "%.*s %s", BYTES_FORMAT(request),
                        is_first ? "first event" : "next event");
    struct request_sample sample = {.name = bytes_of(name, (size_t)size),
                                    .is_timing = true,
                                    .is_ok = true,
                                    .latency_us = latency_us,
                                    .tags = lua_tags_label_tags(lua, 3)};
    vu_measure(vu, &sample);
    return 0;
}

static void event_meter(lua_State *lua, const struct vu_stream_event *event)
{
    lua_pushcfunction(lua, event_count);
    for (int i = STREAM_METHOD; i <= STREAM_NAME; i++) {
        lua_getiuservalue(lua, EVENT_STREAM, i);
    }
    lua_pushboolean(lua, event->is_first);
    lua_pushinteger(lua, (lua_Integer)event->latency_us);
    lua_call(lua, 5, 0);
}

static void event_push_text(lua_State *lua, struct bytes text, const char *field)
{
    lua_pushlstring(lua, text.size > 0 ? (const char *)text.data : "", text.size);
    lua_setfield(lua, -2, field);
}

static void event_push(lua_State *lua, const struct vu_stream *stream, const struct vu_stream_event *event)
{
    bool has_type = event->event.type.size > 0;

    lua_createtable(lua, 0, 5);
    event_push_text(lua, has_type ? event->event.type : bytes_of_string("message"), "event");
    event_push_text(lua, event->event.data, "data");
    if (event->event.id.size > 0) {
        event_push_text(lua, event->event.id, "id");
    }
    lua_pushnumber(lua, (double)vu_events_retry_ms(stream) / 1e3);
    lua_setfield(lua, -2, "retry");
    lua_pushnumber(lua, (double)event->came_ns / 1e9);
    lua_setfield(lua, -2, "at");
}

static void event_raise(lua_State *lua, enum http_failure failure, const char *text)
{
    const struct http_response response = {.failure = failure, .text = text};

    lua_http_stream_raise(lua, &response);
}

static void event_raise_late(lua_State *lua)
{
    char text[TEXT_BYTES];

    snprintf(text, sizeof text, "no event within %g s", (double)lua_tointeger(lua, EVENT_TIMEOUT) / 1e3);
    event_raise(lua, HTTP_TIMEOUT, text);
}

static void event_begin_wait(lua_State *lua)
{
    lua_Integer timeout_ms = lua_tointeger(lua, EVENT_TIMEOUT);
    uint64_t due_ns = timeout_ms > 0 ? clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS : 0;

    lua_pushinteger(lua, (lua_Integer)due_ns);
    lua_replace(lua, EVENT_DUE);
}

/* Pushes the options of the request with the id of the last event among their headers. */
static void event_push_options(lua_State *lua, const struct vu_stream *stream)
{
    struct bytes id = vu_events_last_id(stream);

    lua_newtable(lua);
    int options = lua_gettop(lua);
    lua_newtable(lua);
    int headers = lua_gettop(lua);
    lua_getiuservalue(lua, EVENT_STREAM, STREAM_OPTIONS);
    int given = lua_gettop(lua);
    for (lua_pushnil(lua); lua_istable(lua, given) && lua_next(lua, given) != 0;) {
        lua_pushvalue(lua, -2);
        lua_insert(lua, -2);
        lua_rawset(lua, options);
    }
    if (lua_istable(lua, given) && lua_option_get(lua, given, "headers") == LUA_TTABLE) {
        int before = lua_gettop(lua);
        for (lua_pushnil(lua); lua_next(lua, before) != 0;) {
            bool is_id =
                lua_type(lua, -2) == LUA_TSTRING && strcasecmp(lua_tostring(lua, -2), LAST_EVENT_ID) == 0;
            lua_pushvalue(lua, -2);
            lua_insert(lua, -2);
            if (is_id && id.size > 0) {
                lua_pop(lua, 2);
            } else {
                lua_rawset(lua, headers);
            }
        }
    }
    lua_settop(lua, headers);
    if (id.size > 0) {
        event_push_text(lua, id, LAST_EVENT_ID);
    }
    lua_setfield(lua, options, "headers");
}

/* Method, URL and name are at 1 to 3. */
static int on_reopened(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, "stream:event");
    struct vu_stream *stream = lua_touserdata(lua, lua_upvalueindex(1));

    (void)status, (void)context;
    vu_resumed(lua, vu, WAIT_RESPONSE);
    if (stream->vu != vu->shared->main || stream->response == NULL) {
        return lua_misuse(lua, "stream:event: a coroutine that waits was resumed without a response");
    }
    if (!lua_http_push_outcome(lua, vu, stream->response)) {
        vu_stream_close(stream);
        return lua_error(lua);
    }
    lua_setiuservalue(lua, lua_upvalueindex(1), STREAM_RESPONSE);
    vu_events_begin_again(stream);
    return 0;
}

/* reopen(method, url, options, body); the stream is the upvalue. */
static int reopen_raw(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "stream:event");
    struct vu_stream *stream = lua_touserdata(lua, lua_upvalueindex(1));
    struct lua_http_draft draft;

    lua_settop(lua, LUA_HTTP_BODY);
    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, reopen_raw);
    }
    lua_http_draft_read(lua, &draft);
    vu_check_stopped(lua, vu);
    lua_http_need_client(vu);
    vu_forget_exchange(vu);
    vu_stream_close(stream);
    vu_stream_open(vu, stream, &draft.request, true);
    vu_stream_await(vu, stream);
    lua_settop(lua, LUA_HTTP_NAME);
    lua_replace(lua, 3);
    lua_settop(lua, 3);
    return vu_yield(lua, vu, WAIT_RESPONSE, on_reopened, 0);
}

static int on_reconnected(lua_State *lua, int status, lua_KContext context)
{
    struct vu_stream *stream = lua_touserdata(lua, EVENT_STREAM);

    (void)status, (void)context;
    if (stream->response != NULL && stream->response->status != 200) {
        vu_stream_close(stream); /* the server wants no more of it */
        lua_pushnil(lua);
        return 1;
    }
    event_begin_wait(lua);
    return event_next(lua);
}

static int event_on_paused(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, "stream:event");

    (void)status, (void)context;
    vu_resumed(lua, vu, WAIT_SLEEP);
    struct vu_stream *stream = lua_http_stream_check(lua, vu, "stream:event");
    lua_pushvalue(lua, EVENT_STREAM);
    lua_pushcclosure(lua, reopen_raw, 1);
    lua_getiuservalue(lua, EVENT_STREAM, STREAM_METHOD);
    lua_getiuservalue(lua, EVENT_STREAM, STREAM_URL);
    event_push_options(lua, stream);
    lua_getiuservalue(lua, EVENT_STREAM, STREAM_BODY);
    lua_callk(lua, 4, 0, 0, on_reconnected);
    return on_reconnected(lua, LUA_OK, 0);
}

/* The response is over, by its end or because the connection broke. */
static int event_end(lua_State *lua, struct vu *vu, struct vu_stream *stream)
{
    enum http_failure failure = stream->end->failure;
    bool is_cut = failure == HTTP_OK || failure == HTTP_RESET || failure == HTTP_TIMEOUT;

    if (lua_toboolean(lua, EVENT_RECONNECTS) && is_cut && stream->response->status == 200) {
        return vu_sleep_until(lua, vu, clock_now_ns() + vu_events_retry_ms(stream) * NS_PER_MS,
                              event_on_paused);
    }
    if (failure != HTTP_OK) {
        lua_http_stream_raise(lua, stream->end);
    }
    lua_pushnil(lua);
    return 1;
}

static int on_event_ready(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    vu_resumed(lua, vu_current(lua, "stream:event"), WAIT_RESPONSE);
    return event_next(lua);
}

static int event_next(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "stream:event");
    struct vu_stream *stream = lua_http_stream_check(lua, vu, "stream:event");
    struct vu_stream_event event;

    switch (vu_events_next(stream, &event)) {
    case VU_EVENTS_EVENT:
        event_push(lua, stream, &event);
        event_meter(lua, &event);
        return 1;
    case VU_EVENTS_END:
        return event_end(lua, vu, stream);
    case VU_EVENTS_TOO_LARGE:
        vu_stream_close(stream);
        event_raise(lua, HTTP_TOO_LARGE, "a line or the data of an event is larger than 1 MiB");
        break;
    case VU_EVENTS_NO_MEMORY:
        vu_stream_close(stream);
        event_raise(lua, HTTP_NO_MEMORY, "there is no memory left for what this thread has received");
        break;
    case VU_EVENTS_NONE:
        break;
    }
    uint64_t due_ns = (uint64_t)lua_tointeger(lua, EVENT_DUE);
    if (due_ns > 0 && clock_now_ns() >= due_ns) {
        event_raise_late(lua);
    }
    vu_forget_exchange(vu);
    vu_stream_await_until(vu, stream, due_ns);
    return vu_yield(lua, vu, WAIT_RESPONSE, on_event_ready, 0);
}

/* Puts what the options at 2 say at the places of a call. */
static void event_read_options(lua_State *lua, const char *function)
{
    static const char *const names[] = {"timeout", "reconnect", NULL};
    uint64_t timeout_ms = 0;
    bool reconnects = false;

    lua_settop(lua, 2);
    lua_call_check_options(lua, 2, function, names);
    if (lua_istable(lua, 2)) {
        (void)lua_option_get(lua, 2, "timeout");
        timeout_ms = lua_call_timeout(lua, lua_gettop(lua), function);
        if (lua_option_get(lua, 2, "reconnect") != LUA_TNIL && !lua_isboolean(lua, -1)) {
            lua_misuse(lua, "%s: reconnect is true or false, not a %s", function, luaL_typename(lua, -1));
        }
        reconnects = lua_toboolean(lua, -1);
    }
    lua_settop(lua, 1);
    lua_pushinteger(lua, (lua_Integer)timeout_ms);
    lua_pushboolean(lua, reconnects);
    lua_pushinteger(lua, 0);
}

static int event_begin(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "stream:event");

    (void)lua_http_stream_check(lua, vu, "stream:event");
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        return lua_misuse(lua, "stream:event: a call that waits is not possible here");
    }
    event_begin_wait(lua);
    return event_next(lua);
}

int lua_http_event(lua_State *lua)
{
    event_read_options(lua, "stream:event");
    return event_begin(lua);
}

/* The stream, its timeout and whether it reconnects are the upvalues. */
static int event_iterate(lua_State *lua)
{
    lua_settop(lua, 0);
    for (int i = 1; i <= EVENT_RECONNECTS; i++) {
        lua_pushvalue(lua, lua_upvalueindex(i));
    }
    lua_pushinteger(lua, 0);
    return event_begin(lua);
}

int lua_http_events(lua_State *lua)
{
    (void)lua_http_stream_check(lua, vu_current(lua, "stream:events"), "stream:events");
    event_read_options(lua, "stream:events");
    lua_settop(lua, EVENT_RECONNECTS);
    lua_pushcclosure(lua, event_iterate, EVENT_RECONNECTS);
    return 1;
}
