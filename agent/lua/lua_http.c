/* The module `tutti.http`: requests of the worker whose turn it is. */
#include "agent/lua/lua_http.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_response.h"
#include "agent/lua/lua_worker.h"
#include "agent/script/library.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/shard/step_wrapper.h"
#include "common/clock.h"
#include "proto/message/limits.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define MAX_HEADERS 100
#define LONGEST_TIMEOUT_S 86400.0
/* Where the name of the options is kept while they are read: it is read once, since a metamethod could change
 * it. */
#define NAME_INDEX 5

/* A request on its way through the options: everything in it is borrowed from the stack. */
struct draft {
    struct http_request request;
    struct http_header headers[MAX_HEADERS];
};

/* A report shows text; a URL may hold any bytes. */
static void mend_name(char *name, size_t size)
{
    if (bytes_is_printable(bytes_of(name, size))) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        name[i] = name[i] > ' ' && name[i] < 127 ? name[i] : name[i] == ' ' ? ' ' : '?';
    }
}

/* "GET /path" without the query, unless the script has given a name, which is at index 3. */
static struct bytes name_of(lua_State *lua, char *buffer, size_t capacity)
{
    size_t size;

    if (lua_type(lua, 3) == LUA_TSTRING) {
        const char *name = lua_tolstring(lua, 3, &size);
        return bytes_of(name, size);
    }
    const char *method = lua_tostring(lua, 1);
    const char *url = lua_tostring(lua, 2);
    const char *path = strstr(url, "://");
    path = path != NULL ? path + 3 : url;
    path += strcspn(path, "/?#");
    size_t length = *path == '/' ? strcspn(path, "?#") : 0;
    int count =
        snprintf(buffer, capacity, "%s %.*s", method, length > 0 ? (int)length : 1, length > 0 ? path : "/");
    size = (size_t)count < capacity ? (size_t)count : capacity - 1;
    mend_name(buffer, size);
    return bytes_of(buffer, size);
}

static void check_text(lua_State *lua, int index, const char *what)
{
    size_t size = 0;

    /* A number becomes text in its place. */
    if (lua_type(lua, index) != LUA_TSTRING && lua_type(lua, index) != LUA_TNUMBER) {
        lua_misuse(lua, "http: %s is a string, not a %s", what, luaL_typename(lua, index));
    }
    const char *text = luaL_checklstring(lua, index, &size);
    if (strlen(text) != size || strpbrk(text, "\r\n") != NULL) {
        lua_misuse(lua, "http: %s must not hold a line break", what);
    }
}

static void lua_http_add_header(lua_State *lua, struct draft *draft, const char *name, const char *value)
{
    if (draft->request.header_count == MAX_HEADERS) {
        lua_misuse(lua, "http: more than %d headers", MAX_HEADERS);
    }
    draft->headers[draft->request.header_count++] = (struct http_header){.name = name, .value = value};
}

/* Leaves names and values on the stack: they live as long as the request, even if the table changes. */
static void read_headers(lua_State *lua, struct draft *draft)
{
    if (lua_option_get(lua, 3, "headers") == LUA_TNIL) {
        return;
    }
    if (!lua_istable(lua, -1)) {
        lua_misuse(lua, "http: headers is a table, not a %s", luaL_typename(lua, -1));
    }
    int headers = lua_gettop(lua);
    lua_pushnil(lua);
    while (lua_next(lua, headers)) {
        luaL_checkstack(lua, 4, NULL);
        if (lua_type(lua, -2) != LUA_TSTRING) {
            lua_misuse(lua, "http: headers is a table of name = value");
        }
        check_text(lua, -2, "the name of a header");
        check_text(lua, -1, lua_tostring(lua, -2));
        lua_http_add_header(lua, draft, lua_tostring(lua, -2), lua_tostring(lua, -1));
        lua_pushvalue(lua, -2);
    }
}

static bool lua_http_has_header(const struct draft *draft, const char *name)
{
    for (size_t i = 0; i < draft->request.header_count; i++) {
        if (strcasecmp(draft->headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The value on top becomes the body's text. */
static void encode_json(lua_State *lua, struct draft *draft)
{
    library_push_json_function(lua, "encode");
    lua_pushvalue(lua, -2);
    lua_call(lua, 1, 1);
    if (!lua_http_has_header(draft, "content-type")) {
        lua_http_add_header(lua, draft, "Content-Type", "application/json");
    }
}

/* Pushes the body, or nil. */
static void push_body(lua_State *lua, struct draft *draft)
{
    lua_pushvalue(lua, 4);
    if (!lua_isnil(lua, 4) || lua_isnil(lua, 3)) {
        return;
    }
    if (lua_option_get(lua, 3, "json") != LUA_TNIL) {
        encode_json(lua, draft);
    } else {
        lua_option_get(lua, 3, "body");
    }
}

static void read_body(lua_State *lua, struct draft *draft)
{
    size_t size;

    push_body(lua, draft);
    if (lua_isnil(lua, -1)) {
        return;
    }
    if (lua_type(lua, -1) != LUA_TSTRING) {
        lua_misuse(lua, "http: body is a string, not a %s", luaL_typename(lua, -1));
    }
    const char *body = lua_tolstring(lua, -1, &size);
    draft->request.body = bytes_of(body, size);
    draft->request.has_body = true;
}

static void read_limits(lua_State *lua, struct draft *draft)
{
    if (lua_option_get(lua, 3, "timeout") != LUA_TNIL) {
        double seconds = lua_type(lua, -1) == LUA_TNUMBER ? lua_tonumber(lua, -1) : -1;
        if (!(seconds > 0 && seconds <= LONGEST_TIMEOUT_S)) {
            lua_misuse(lua, "http: timeout is a number of seconds, more than 0");
        }
        draft->request.timeout_ms = seconds < 0.001 ? 1 : (uint64_t)(seconds * 1000 + 0.5);
    }
    if (lua_option_get(lua, 3, "max_body") != LUA_TNIL) {
        if (!lua_isinteger(lua, -1) || lua_tointeger(lua, -1) < 0) {
            lua_misuse(lua, "http: max_body is a number of bytes");
        }
        draft->request.max_body_bytes = (uint64_t)lua_tointeger(lua, -1);
    }
    lua_option_get(lua, 3, "follow");
    draft->request.is_followed = lua_toboolean(lua, -1);
    if (lua_option_get(lua, 3, "auth") != LUA_TNIL) {
        if (!lua_istable(lua, -1)) {
            lua_misuse(lua, "http: auth is { user, password }");
        }
        int auth = lua_gettop(lua);
        lua_rawgeti(lua, auth, 1);
        lua_rawgeti(lua, auth, 2);
        check_text(lua, -2, "auth[1]");
        check_text(lua, -1, "auth[2]");
        draft->request.user = lua_tostring(lua, -2);
        draft->request.password = lua_tostring(lua, -1);
    }
    if (lua_option_get(lua, 3, "name") != LUA_TNIL) {
        size_t size = 0;
        const char *name = lua_type(lua, -1) == LUA_TSTRING ? lua_tolstring(lua, -1, &size) : NULL;
        if (size == 0 || size > LIMIT_NAME_BYTES || !bytes_is_printable(bytes_of(name, size))) {
            lua_misuse(lua, "http: name is printable text of 1 to %u bytes", LIMIT_NAME_BYTES);
        }
        lua_replace(lua, NAME_INDEX);
    }
}

static void lua_http_read_options(lua_State *lua, struct draft *draft)
{
    static const char *const names[] = {"headers", "body", "json",     "timeout", "follow",
                                        "auth",    "name", "max_body", NULL};

    luaL_checkstack(lua, 20 + 3 * MAX_HEADERS, NULL);
    if (!lua_isnil(lua, 3)) {
        lua_call_check_options(lua, 3, "http", names);
        read_headers(lua, draft);
        draft->request.headers = draft->headers;
        read_limits(lua, draft);
    }
    read_body(lua, draft);
}

static int lua_http_fail(lua_State *lua, const struct http_response *response)
{
    char text[700];

    snprintf(text, sizeof text, "%.10s %.300s: %.300s", lua_tostring(lua, 1), lua_tostring(lua, 2),
             response->text != NULL ? response->text : http_failure_name(response->failure));
    struct lua_failure failure = {.kind = http_failure_name(response->failure), .message = text};
    return lua_failure_raise(lua, &failure);
}

static int lua_http_on_response(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, "http");
    char buffer[LIMIT_NAME_BYTES];

    (void)status, (void)context;
    vu_resumed(lua, vu, WAIT_RESPONSE);
    struct http_response *response = vu->response;
    if (response == NULL) {
        return lua_misuse(lua, "http: a coroutine that waits was resumed without a response");
    }
    vu->response = NULL;
    bool is_ok = response->failure == HTTP_OK && response->status < 400;
    meter_request(vu_meter(vu), name_of(lua, buffer, sizeof buffer), false, is_ok,
                  response->timings.total_us);
    if (response->failure != HTTP_OK) {
        return lua_http_fail(lua, response);
    }
    lua_response_push(lua, response, 2);
    http_drop_body(vu->http);
    return 1;
}

static void lua_http_on_done(void *context, struct http_response *response)
{
    struct vu *vu = context;

    vu->response = response;
    vu_wake(vu, WAKE_DONE);
}

/* raw(method, url, options, body) */
static int request_raw(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "http");
    struct draft draft;

    lua_settop(lua, 4);
    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, request_raw);
    }
    draft.request = (struct http_request){
        .method = lua_tostring(lua, 1),
        .url = lua_tostring(lua, 2),
        .timeout_ms = HTTP_DEFAULT_TIMEOUT_MS,
        .max_body_bytes = HTTP_DEFAULT_MAX_BODY_BYTES,
    };
    lua_settop(lua, NAME_INDEX);
    if (!lua_isnil(lua, 3) || !lua_isnil(lua, 4)) {
        lua_http_read_options(lua, &draft);
    }
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        return lua_misuse(lua, "http: a call that waits is not possible here");
    }
    if (vu->http == NULL) {
        vu->http = http_client_new(vu_http_engine(vu), lua_http_on_done, vu);
    }
    http_start(vu->http, &draft.request);
    lua_settop(lua, NAME_INDEX);
    lua_replace(lua, 3);
    lua_settop(lua, 3);
    return vu_yield(lua, vu, WAIT_RESPONSE, lua_http_on_response, 0);
}

static int on_told(lua_State *lua, int status, lua_KContext context)
{
    (void)lua, (void)status, (void)context;
    return 1;
}

/* Method and URL are at 1 and 2; then come options, or a body and options. */
static int lua_http_request(lua_State *lua)
{
    struct script *script = script_of(lua);

    lua_settop(lua, 4);
    if (lua_type(lua, 3) == LUA_TSTRING) {
        lua_insert(lua, 3);
    } else {
        lua_settop(lua, 3);
    }
    lua_settop(lua, 4);
    check_text(lua, 1, "the method");
    check_text(lua, 2, "the URL");
    if (lua_type(lua, 2) == LUA_TNUMBER) {
        return lua_misuse(lua, "http: the URL is a string");
    }
    if (!lua_isnil(lua, 3) && !lua_istable(lua, 3)) {
        return lua_misuse(lua, "http: the options are a table, not a %s", luaL_typename(lua, 3));
    }
    if (!step_wrapper_has_listeners(script) || vu_is_global(vu_current(lua, "http"))) {
        return request_raw(lua);
    }
    step_wrapper_push_request(lua);
    lua_insert(lua, 1);
    lua_pushcfunction(lua, request_raw);
    lua_insert(lua, 2);
    lua_worker_push(lua, script->current);
    lua_insert(lua, 3);
    lua_callk(lua, 6, 1, 0, on_told);
    return 1;
}

/* http.get(url, options), http.put(url, body, options) and their siblings; the method is the upvalue. */
static int request_by_name(lua_State *lua)
{
    lua_settop(lua, 3);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    return lua_http_request(lua);
}

int luaopen_tutti_http(lua_State *lua)
{
    static const char *const methods[][2] = {{"get", "GET"},     {"post", "POST"},     {"put", "PUT"},
                                             {"patch", "PATCH"}, {"delete", "DELETE"}, {"head", "HEAD"}};

    lua_createtable(lua, 0, 8);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        lua_pushstring(lua, methods[i][1]);
        lua_pushcclosure(lua, request_by_name, 1);
        lua_setfield(lua, -2, methods[i][0]);
    }
    lua_pushcfunction(lua, lua_http_request);
    lua_setfield(lua, -2, "request");
    return 1;
}
