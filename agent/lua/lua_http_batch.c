/* `http.batch`: several requests of the worker at once. */
#include "agent/lua/lua_http_batch.h"

#include "agent/lua/lua_http.h"
#include "agent/lua/lua_http_defaults.h"
#include "agent/lua/lua_http_draft.h"
#include "agent/lua/lua_worker.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/shard/step_wrapper.h"
#include "agent/shard/vu_api.h"

#include <lauxlib.h>
#include <string.h>

/* On the stack of a call: the items, and what is kept of each until its response has come. */
enum batch_index { BATCH_ITEMS = 1, BATCH_KEPT };
/* Method, URL and name, one after the other for each item. */
#define KEPT_FIELDS 3

/* (method, url, options): raises what is wrong with them. */
static int batch_check_item(lua_State *lua)
{
    struct lua_http_draft draft;

    lua_settop(lua, LUA_HTTP_BODY);
    lua_http_draft_check_method(lua);
    lua_http_draft_sort_arguments(lua);
    lua_http_draft_read(lua, &draft);
    if (draft.request.is_chunked) {
        return lua_misuse(lua, "http: the body is a string, not a function");
    }
    return 0;
}

/* (method, url, options) → method, url, name */
static int batch_start_item(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "http.batch");
    struct lua_http_draft draft;

    lua_settop(lua, LUA_HTTP_BODY);
    lua_http_draft_check_method(lua);
    lua_http_draft_sort_arguments(lua);
    lua_http_draft_read(lua, &draft);
    lua_http_draft_trace(vu, &draft);
    vu_batch_start(vu, &draft.request);
    lua_settop(lua, LUA_HTTP_NAME);
    lua_replace(lua, 3);
    lua_settop(lua, KEPT_FIELDS);
    return KEPT_FIELDS;
}

/* (method, url, name, index) → response or error object */
static int batch_finish_item(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "http.batch");
    size_t index = (size_t)lua_tointeger(lua, 4);

    lua_settop(lua, 3);
    (void)lua_http_push_outcome(lua, vu, vu_batch_response(vu, index));
    return 1;
}

/* Pushes method, URL and options of item `i`: a copy of what else it has, so that its names can be checked.
 */
static void batch_push_item(lua_State *lua, lua_Integer i)
{
    if (lua_rawgeti(lua, BATCH_ITEMS, i) != LUA_TTABLE) {
        lua_misuse(lua, "http.batch: request %d is a table { method =, url =, … }, not a %s", (int)i,
                   luaL_typename(lua, -1));
    }
    int item = lua_gettop(lua);
    lua_pushliteral(lua, "method");
    if (lua_rawget(lua, item) == LUA_TNIL) {
        lua_pop(lua, 1);
        lua_pushliteral(lua, "GET");
    }
    lua_pushliteral(lua, "url");
    lua_rawget(lua, item);
    lua_newtable(lua);
    lua_pushnil(lua);
    while (lua_next(lua, item)) {
        lua_pushvalue(lua, -2);
        lua_insert(lua, -2);
        lua_rawset(lua, item + 3);
    }
    lua_pushnil(lua);
    lua_setfield(lua, item + 3, "method");
    lua_pushnil(lua);
    lua_setfield(lua, item + 3, "url");
    lua_remove(lua, item);
}

/* The error on top is about item `i`: says so behind where it was raised. */
static int batch_blame_item(lua_State *lua, lua_Integer i)
{
    if (lua_type(lua, -1) != LUA_TSTRING) {
        return lua_error(lua);
    }
    lua_push_where(lua);
    const char *where = lua_tostring(lua, -1);
    const char *text = lua_tostring(lua, -2);
    size_t size = strlen(where);
    text += strncmp(text, where, size) == 0 ? size : 0;
    return lua_misuse(lua, "http.batch: request %d: %s", (int)i, text);
}

/* Calls the function on top of the stack with the item's method, URL and options. */
static void batch_with_item(lua_State *lua, lua_Integer i, int results)
{
    batch_push_item(lua, i);
    if (lua_pcall(lua, 3, results, 0) != LUA_OK) {
        vu_forget_exchange(vu_current(lua, "http.batch")); /* those that were started */
        batch_blame_item(lua, i);
    }
}

static int batch_on_responses(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, "http.batch");

    (void)status, (void)context;
    vu_resumed(lua, vu, WAIT_RESPONSE);
    lua_Integer count = (lua_Integer)vu_batch_count(vu);
    lua_createtable(lua, (int)count, 0);
    for (lua_Integer i = 0; i < count; i++) {
        lua_pushcfunction(lua, batch_finish_item);
        for (lua_Integer j = 1; j <= KEPT_FIELDS; j++) {
            lua_rawgeti(lua, BATCH_KEPT, i * KEPT_FIELDS + j);
        }
        lua_pushinteger(lua, i);
        lua_call(lua, KEPT_FIELDS + 1, 1);
        lua_rawseti(lua, -2, i + 1);
    }
    vu_forget_exchange(vu);
    return 1;
}

static lua_Integer batch_count_items(lua_State *lua)
{
    if (!lua_istable(lua, BATCH_ITEMS)) {
        lua_misuse(lua, "http.batch: the requests are a table of tables, not a %s",
                   luaL_typename(lua, BATCH_ITEMS));
    }
    size_t count = lua_rawlen(lua, BATCH_ITEMS);
    if (count > LUA_HTTP_BATCH_MAX) {
        lua_misuse(lua, "http.batch: more than %d requests", LUA_HTTP_BATCH_MAX);
    }
    return (lua_Integer)count;
}

/* raw(items). Nothing leaves unless all of them can. */
static int batch_raw(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "http.batch");

    lua_settop(lua, BATCH_ITEMS);
    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, batch_raw);
    }
    lua_Integer count = batch_count_items(lua);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_pushcfunction(lua, batch_check_item);
        batch_with_item(lua, i, 0);
    }
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        return lua_misuse(lua, "http.batch: a call that waits is not possible here");
    }
    lua_createtable(lua, (int)count * KEPT_FIELDS, 0);
    if (count == 0) {
        return 1;
    }
    lua_http_need_client(vu);
    vu_batch_begin(vu, (size_t)count);
    for (lua_Integer i = 0; i < count; i++) {
        lua_pushcfunction(lua, batch_start_item);
        batch_with_item(lua, i + 1, KEPT_FIELDS);
        for (int j = KEPT_FIELDS; j >= 1; j--) {
            lua_rawseti(lua, BATCH_KEPT, i * KEPT_FIELDS + j);
        }
    }
    return vu_yield(lua, vu, WAIT_RESPONSE, batch_on_responses, 0);
}

static int batch_on_told(lua_State *lua, int status, lua_KContext context)
{
    (void)lua, (void)status, (void)context;
    return 1;
}

/* (method, url, options) → an item of all that; what stands under the options is the upvalue. */
static int batch_complete_item(lua_State *lua)
{
    lua_settop(lua, LUA_HTTP_BODY);
    lua_http_draft_check_method(lua);
    lua_http_draft_sort_arguments(lua);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_http_complete(lua, LUA_HTTP_NAME);
    lua_newtable(lua);
    int item = lua_gettop(lua);
    lua_pushnil(lua);
    while (lua_next(lua, LUA_HTTP_OPTIONS)) {
        lua_pushvalue(lua, -2);
        lua_insert(lua, -2);
        lua_rawset(lua, item);
    }
    lua_pushvalue(lua, LUA_HTTP_METHOD);
    lua_setfield(lua, item, "method");
    lua_pushvalue(lua, LUA_HTTP_URL);
    lua_setfield(lua, item, "url");
    return 1;
}

/* Puts a list of the completed items in place of the script's; what stands under their options is at 2. */
static void batch_complete(lua_State *lua)
{
    lua_Integer count = batch_count_items(lua);

    lua_createtable(lua, (int)count, 0);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_pushvalue(lua, 2);
        lua_pushcclosure(lua, batch_complete_item, 1);
        batch_with_item(lua, i, 1);
        lua_rawseti(lua, 3, i);
    }
    lua_replace(lua, BATCH_ITEMS);
    lua_settop(lua, BATCH_ITEMS);
}

int lua_http_batch(lua_State *lua)
{
    struct script *script = script_of(lua);
    bool is_of_session = lua_toboolean(lua, lua_upvalueindex(1));

    lua_settop(lua, 1 + is_of_session);
    lua_http_push_defaults(lua, is_of_session);
    batch_complete(lua);
    if (!step_wrapper_has_listeners(script) || vu_is_global(vu_current(lua, "http.batch"))) {
        return batch_raw(lua);
    }
    step_wrapper_push_batch(lua);
    lua_insert(lua, 1);
    lua_pushcfunction(lua, batch_raw);
    lua_insert(lua, 2);
    lua_worker_push(lua, script->current);
    lua_insert(lua, 3);
    lua_callk(lua, 3, 1, 0, batch_on_told);
    return 1;
}
