/* A userdata with the stream, the response without its body, and what errors name. */
#include "agent/lua/lua_http_stream.h"

#include "agent/lua/lua_http.h"
#include "agent/lua/lua_http_defaults.h"
#include "agent/lua/lua_http_draft.h"
#include "agent/lua/lua_http_events.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/shard/vu_api.h"

#include <lauxlib.h>
#include <string.h>

#define STREAM_METATABLE "tutti.http.stream"
#define READ_MAX_BYTES (64u * 1024u)

/* On the stack while the head is awaited: method, URL and name, then the object. */
#define STREAM_OBJECT 4

static int on_read(lua_State *lua, int status, lua_KContext context);

struct vu_stream *lua_http_stream_check(lua_State *lua, const struct vu *vu, const char *function)
{
    struct vu_stream *stream = luaL_checkudata(lua, 1, STREAM_METATABLE);

    if (stream->vu == NULL) {
        lua_misuse(lua, "%s: the stream is closed", function);
    }
    if (stream->vu != vu->shared->main) {
        lua_misuse(lua, "%s: the stream is another worker's", function);
    }
    return stream;
}

/* fail(method, url, name, response): raises why the body is not complete. */
static int stream_fail(lua_State *lua)
{
    const struct http_response *response = lua_touserdata(lua, 4);

    lua_settop(lua, 3);
    lua_http_push_failure(lua, response);
    return lua_error(lua);
}

void lua_http_stream_raise(lua_State *lua, const struct http_response *response)
{
    lua_pushcfunction(lua, stream_fail);
    for (int i = STREAM_METHOD; i <= STREAM_NAME; i++) {
        lua_getiuservalue(lua, 1, i);
    }
    lua_pushlightuserdata(lua, (void *)response);
    lua_call(lua, 4, 0);
}

/* What has come, or nil at the end, or a wait for more; how much may be read is at index 2. */
static int stream_read_now(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "stream:read");
    struct vu_stream *stream = lua_http_stream_check(lua, vu, "stream:read");
    struct bytes piece = http_read(stream->exchange, (size_t)lua_tointeger(lua, 2));

    if (piece.size > 0) {
        lua_pushlstring(lua, (const char *)piece.data, piece.size);
        return 1;
    }
    if (stream->end == NULL) {
        vu_forget_exchange(vu);
        vu_stream_await(vu, stream);
        return vu_yield(lua, vu, WAIT_RESPONSE, on_read, 0);
    }
    if (stream->end->failure != HTTP_OK) {
        lua_http_stream_raise(lua, stream->end);
    }
    lua_pushnil(lua);
    return 1;
}

static int on_read(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    vu_resumed(lua, vu_current(lua, "stream:read"), WAIT_RESPONSE);
    return stream_read_now(lua);
}

/* stream:read([size]) → some bytes, at most `size`; nil at the end */
static int stream_read(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "stream:read");

    lua_settop(lua, 2);
    (void)lua_http_stream_check(lua, vu, "stream:read");
    if (lua_isnil(lua, 2)) {
        lua_pushinteger(lua, READ_MAX_BYTES);
        lua_replace(lua, 2);
    }
    if (!lua_isinteger(lua, 2) || lua_tointeger(lua, 2) < 1) {
        return lua_misuse(lua, "stream:read: expected how many bytes at most, from 1");
    }
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        return lua_misuse(lua, "stream:read: a call that waits is not possible here");
    }
    return stream_read_now(lua);
}

static int stream_next(lua_State *lua)
{
    lua_settop(lua, 1);
    return stream_read(lua);
}

/* for piece in stream:pieces() do … end */
static int stream_pieces(lua_State *lua)
{
    luaL_checkudata(lua, 1, STREAM_METATABLE);
    lua_settop(lua, 1);
    lua_pushcfunction(lua, stream_next);
    lua_insert(lua, 1);
    return 2;
}

static int stream_close_object(lua_State *lua)
{
    vu_stream_close(luaL_checkudata(lua, 1, STREAM_METATABLE));
    return 0;
}

static int stream_collect(lua_State *lua)
{
    struct vu_stream *stream = luaL_checkudata(lua, 1, STREAM_METATABLE);

    vu_stream_close(stream);
    vu_events_free(&stream->events);
    return 0;
}

static int stream_get_field(lua_State *lua)
{
    static const luaL_Reg methods[] = {{"read", stream_read},          {"pieces", stream_pieces},
                                       {"event", lua_http_event},      {"events", lua_http_events},
                                       {"close", stream_close_object}, {NULL, NULL}};

    luaL_checkudata(lua, 1, STREAM_METATABLE);
    const char *name = luaL_checkstring(lua, 2);

    for (const luaL_Reg *method = methods; method->name != NULL; method++) {
        if (strcmp(name, method->name) == 0) {
            lua_pushcfunction(lua, method->func);
            return 1;
        }
    }
    if (strcmp(name, "body") == 0 || strcmp(name, "json") == 0) {
        lua_pushnil(lua);
    } else {
        lua_getiuservalue(lua, 1, STREAM_RESPONSE);
        lua_getfield(lua, -1, name);
    }
    return 1;
}

static int stream_to_string(lua_State *lua)
{
    luaL_checkudata(lua, 1, STREAM_METATABLE);
    lua_pushliteral(lua, "http stream");
    return 1;
}

struct vu_stream *lua_http_stream_push(lua_State *lua)
{
    struct vu_stream *stream = lua_newuserdatauv(lua, sizeof *stream, STREAM_VALUES);

    *stream = (struct vu_stream){0};
    if (luaL_newmetatable(lua, STREAM_METATABLE)) {
        static const luaL_Reg functions[] = {{"__index", stream_get_field},
                                             {"__tostring", stream_to_string},
                                             {"__close", stream_close_object},
                                             {"__gc", stream_collect},
                                             {NULL, NULL}};
        luaL_setfuncs(lua, functions, 0);
        lua_pushliteral(lua, "stream");
        lua_setfield(lua, -2, "__metatable");
    }
    lua_setmetatable(lua, -2);
    return stream;
}

static int on_head(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, "http.stream");
    struct vu_stream *stream = lua_touserdata(lua, STREAM_OBJECT);

    (void)status, (void)context;
    vu_resumed(lua, vu, WAIT_RESPONSE);
    if (stream->response == NULL) {
        return lua_misuse(lua, "http.stream: a coroutine that waits was resumed without a response");
    }
    if (!lua_http_push_outcome(lua, vu, stream->response)) {
        vu_stream_close(stream);
        return lua_error(lua);
    }
    lua_setiuservalue(lua, STREAM_OBJECT, STREAM_RESPONSE);
    for (int i = 0; i < 3; i++) {
        lua_pushvalue(lua, 1 + i);
        lua_setiuservalue(lua, STREAM_OBJECT, STREAM_METHOD + i);
    }
    return 1;
}

/* raw(method, url, options, body) */
static int stream_raw(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "http.stream");
    struct lua_http_draft draft;

    lua_settop(lua, LUA_HTTP_BODY);
    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, stream_raw);
    }
    lua_http_draft_read(lua, &draft);
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        return lua_misuse(lua, "http.stream: a call that waits is not possible here");
    }
    lua_http_need_client(vu);
    if (!http_can_stream(vu->shared->http)) {
        return lua_misuse(lua,
                          "http.stream: this HTTP engine gives bodies as a whole (--http-engine native)");
    }
    if (draft.request.is_chunked) {
        return lua_misuse(lua, "http.stream: the body is a string, not a function");
    }
    vu_forget_exchange(vu);
    lua_http_draft_trace(vu, &draft);
    struct vu_stream *stream = lua_http_stream_push(lua);
    vu_stream_open(vu, stream, &draft.request, true);
    vu_stream_await(vu, stream);
    lua_pushvalue(lua, LUA_HTTP_OPTIONS);
    lua_setiuservalue(lua, -2, STREAM_OPTIONS);
    lua_pushvalue(lua, LUA_HTTP_BODY);
    lua_setiuservalue(lua, -2, STREAM_BODY);
    lua_replace(lua, LUA_HTTP_BODY);
    lua_settop(lua, LUA_HTTP_NAME);
    lua_replace(lua, 3);
    return vu_yield(lua, vu, WAIT_RESPONSE, on_head, 0);
}

int lua_http_stream(lua_State *lua)
{
    bool is_of_session = lua_toboolean(lua, lua_upvalueindex(1));

    lua_settop(lua, 4 + is_of_session);
    lua_http_push_defaults(lua, is_of_session);
    if (lua_type(lua, 2) != LUA_TSTRING) {
        lua_pushliteral(lua, "GET");
        lua_insert(lua, 1);
        lua_remove(lua, LUA_HTTP_NAME);
    }
    lua_http_draft_check_method(lua);
    return lua_http_send(lua, stream_raw);
}
