/* The function is called in the worker's own coroutine, whenever the last piece has left, so that it may wait
 * and make requests itself. */
#include "agent/lua/lua_http_upload.h"

#include "agent/lua/lua_http.h"
#include "agent/lua/lua_http_stream.h"
#include "agent/script/lua_error.h"

#include <lauxlib.h>

/* On the stack: method, URL, name, and then these. */
enum upload_index { UPLOAD_FUNCTION = 4, UPLOAD_STREAM, UPLOAD_PIECE, UPLOAD_SENT };

static int on_progress(lua_State *lua, int status, lua_KContext context);
static int on_piece(lua_State *lua, int status, lua_KContext context);

static int upload_finish(lua_State *lua, struct vu *vu, struct vu_stream *stream)
{
    bool is_response = lua_http_push_outcome(lua, vu, stream->response);

    vu_stream_close(stream);
    return is_response ? 1 : lua_error(lua);
}

/* Writes as much of the piece as there is room for. */
static void upload_write(lua_State *lua, struct vu_stream *stream, size_t room)
{
    size_t size;
    const char *piece = lua_tolstring(lua, UPLOAD_PIECE, &size);
    size_t sent = (size_t)lua_tointeger(lua, UPLOAD_SENT);
    size_t count = size - sent < room ? size - sent : room;

    http_write(stream->exchange, bytes_of(piece + sent, count));
    lua_pushinteger(lua, lua_tointeger(lua, UPLOAD_SENT) + (lua_Integer)count);
    lua_replace(lua, UPLOAD_SENT);
}

/* The function has returned what is on top of the stack. */
static void upload_take_piece(lua_State *lua, struct vu_stream *stream, int status)
{
    if (status != LUA_OK && status != LUA_YIELD) {
        vu_stream_close(stream);
        lua_error(lua);
    }
    if (lua_isnil(lua, -1)) {
        lua_pushboolean(lua, true); /* it is not called again */
        lua_replace(lua, UPLOAD_FUNCTION);
        lua_replace(lua, UPLOAD_PIECE);
        http_write(stream->exchange, bytes_of("", 0));
        return;
    }
    if (lua_type(lua, -1) != LUA_TSTRING) {
        vu_stream_close(stream);
        lua_misuse(lua, "http: the function of a body returns strings, and nil at the end, not a %s",
                   luaL_typename(lua, -1));
    }
    lua_replace(lua, UPLOAD_PIECE);
    lua_pushinteger(lua, 0);
    lua_replace(lua, UPLOAD_SENT);
}

static bool upload_has_piece(lua_State *lua)
{
    return lua_type(lua, UPLOAD_PIECE) == LUA_TSTRING &&
           (size_t)lua_tointeger(lua, UPLOAD_SENT) < lua_rawlen(lua, UPLOAD_PIECE);
}

static int upload_go_on(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "http");
    struct vu_stream *stream = lua_touserdata(lua, UPLOAD_STREAM);

    while (stream->vu != NULL && stream->end == NULL) {
        size_t room = lua_isfunction(lua, UPLOAD_FUNCTION) ? http_room(stream->exchange) : 0;
        if (room == 0) {
            vu_forget_exchange(vu);
            vu_stream_await(stream);
            return vu_yield(lua, vu, WAIT_RESPONSE, on_progress, 0);
        }
        if (upload_has_piece(lua)) {
            upload_write(lua, stream, room);
            continue;
        }
        lua_pushvalue(lua, UPLOAD_FUNCTION);
        upload_take_piece(lua, stream, lua_pcallk(lua, 0, 1, 0, 0, on_piece));
    }
    if (stream->vu == NULL) {
        return lua_misuse(lua, "http: the worker's connections were closed during an upload");
    }
    return upload_finish(lua, vu, stream);
}

static int on_progress(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    vu_resumed(lua, vu_current(lua, "http"), WAIT_RESPONSE);
    return upload_go_on(lua);
}

static int on_piece(lua_State *lua, int status, lua_KContext context)
{
    struct vu_stream *stream = lua_touserdata(lua, UPLOAD_STREAM);

    (void)context;
    if (stream->vu != NULL) {
        upload_take_piece(lua, stream, status);
    }
    return upload_go_on(lua);
}

int lua_http_upload(lua_State *lua, struct vu *vu, const struct lua_http_draft *draft)
{
    if (!http_can_stream(vu->http)) {
        return lua_misuse(lua, "http: this HTTP engine takes no function as a body (--http-engine native)");
    }
    vu_forget_exchange(vu);
    struct vu_stream *stream = lua_http_stream_push(lua);
    vu_stream_open(vu, stream, &draft->request, false);
    lua_pushvalue(lua, LUA_HTTP_NAME);
    lua_replace(lua, 3);
    lua_replace(lua, UPLOAD_STREAM);
    lua_settop(lua, UPLOAD_STREAM);
    lua_pushnil(lua);
    lua_pushinteger(lua, 0);
    return upload_go_on(lua);
}
