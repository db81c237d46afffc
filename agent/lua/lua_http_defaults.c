/* Options are merged into a table of their own before a request is read: what is set for one request stands
 * over what its session sets, and that over what the script sets for all. */
#include "agent/lua/lua_http_defaults.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_http_base.h"
#include "agent/lua/lua_http_draft.h"
#include "agent/lua/lua_http_form.h"
#include "agent/script/library.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/shard/step_wrapper.h"
#include "agent/shard/vu_api.h"

#include <lauxlib.h>
#include <string.h>
#include <strings.h>

#define SESSION_METATABLE "tutti.http.session"
/* Tables in options, such as a list in `query`. */
#define DEFAULTS_MAX_DEPTH 4

enum { SESSION_OWN = 1, SESSION_MERGED };

/* Pushes a copy of the value at `index`, with the tables in it. */
static void defaults_push_copy(lua_State *lua, int index, int depth)
{
    index = lua_absindex(lua, index);
    if (!lua_istable(lua, index)) {
        lua_pushvalue(lua, index);
        return;
    }
    if (depth == DEFAULTS_MAX_DEPTH) {
        lua_misuse(lua, "http: the options hold tables in tables in tables");
    }
    luaL_checkstack(lua, 6, NULL);
    lua_option_check_plain(lua, index, "http");
    lua_newtable(lua);
    int copy = lua_gettop(lua);
    for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
        lua_pushvalue(lua, -2);
        defaults_push_copy(lua, -2, depth + 1);
        lua_rawset(lua, copy);
    }
}

/* Sets what the table at `from` has in the one at `to`. */
static void defaults_set_all(lua_State *lua, int to, int from)
{
    for (lua_pushnil(lua); lua_next(lua, from);) {
        lua_pushvalue(lua, -2);
        lua_insert(lua, -2);
        lua_rawset(lua, to);
    }
}

/* Takes what has the name at `name`, in any case of letters, out of the headers at `headers`. */
static void defaults_drop_header(lua_State *lua, int headers, int name)
{
    if (lua_type(lua, name) != LUA_TSTRING) {
        return;
    }
    for (lua_pushnil(lua); lua_next(lua, headers);) {
        lua_pop(lua, 1);
        if (lua_type(lua, -1) == LUA_TSTRING &&
            strcasecmp(lua_tostring(lua, -1), lua_tostring(lua, name)) == 0) {
            lua_pushvalue(lua, -1);
            lua_pushnil(lua);
            lua_rawset(lua, headers);
        }
    }
}

/* The tables of two sets of options, and what they become. */
struct defaults_merge {
    int under;
    int over;
    int merged;
};

/* Where `option` is a table in both, its fields are merged. */
static void defaults_merge_fields(lua_State *lua, const struct defaults_merge *merge, const char *option)
{
    int top = lua_gettop(lua);

    if (lua_option_get(lua, merge->under, option) == LUA_TTABLE &&
        lua_option_get(lua, merge->over, option) == LUA_TTABLE) {
        lua_newtable(lua);
        defaults_set_all(lua, top + 3, top + 1);
        lua_pushnil(lua);
        while (strcmp(option, "headers") == 0 && lua_next(lua, top + 2)) {
            lua_pop(lua, 1);
            defaults_drop_header(lua, top + 3, top + 4);
        }
        lua_settop(lua, top + 3);
        defaults_set_all(lua, top + 3, top + 2);
        lua_setfield(lua, merge->merged, option);
    }
    lua_settop(lua, top);
}

static void defaults_push_merged(lua_State *lua, int under, int over)
{
    luaL_checkstack(lua, 10, NULL);
    lua_newtable(lua);
    struct defaults_merge merge = {.under = under, .over = over, .merged = lua_gettop(lua)};
    defaults_set_all(lua, merge.merged, under);
    defaults_set_all(lua, merge.merged, over);
    defaults_merge_fields(lua, &merge, "headers");
    defaults_merge_fields(lua, &merge, "query");
    defaults_merge_fields(lua, &merge, "tags");
}

/* check(method, url, options): as a request would find them. */
static int defaults_check(lua_State *lua)
{
    struct lua_http_draft draft;

    lua_settop(lua, LUA_HTTP_BODY);
    lua_http_base_check(lua, LUA_HTTP_OPTIONS);
    lua_pushnil(lua);
    lua_http_complete(lua, LUA_HTTP_NAME);
    lua_settop(lua, LUA_HTTP_BODY);
    lua_http_draft_read(lua, &draft);
    return 0;
}

/* Pushes a copy of the options at index 1, which are in order. */
static void defaults_take(lua_State *lua, const char *function)
{
    if (!lua_istable(lua, 1)) {
        lua_misuse(lua, "%s: expected a table of options, got a %s", function, luaL_typename(lua, 1));
    }
    lua_call_check_options(lua, 1, function, lua_http_default_options);
    lua_pushcfunction(lua, defaults_check);
    lua_pushliteral(lua, "GET");
    lua_pushliteral(lua, "http://host/");
    defaults_push_copy(lua, 1, 0);
    lua_pushvalue(lua, -1);
    lua_insert(lua, 2);
    lua_call(lua, 3, 0);
}

int lua_http_set_defaults(lua_State *lua)
{
    if (!script_of(lua)->is_loading) {
        return lua_misuse(lua, "tutti.http_defaults: only while the script loads");
    }
    lua_settop(lua, 1);
    defaults_take(lua, "tutti.http_defaults");
    luaL_unref(lua, LUA_REGISTRYINDEX, script_of(lua)->http_defaults);
    script_of(lua)->http_defaults = luaL_ref(lua, LUA_REGISTRYINDEX);
    return 0;
}

/* The worker whose requests have defaults of their own; NULL where none runs that has. */
static const struct vu *defaults_worker(lua_State *lua)
{
    const struct vu *vu = script_of(lua)->current;

    return vu != NULL && vu->shared->http_defaults != LUA_NOREF ? vu : NULL;
}

/* Pushes what the script, and the worker's setup over it, have set for all requests, or nil. */
static void defaults_push(lua_State *lua)
{
    const struct vu *vu = defaults_worker(lua);
    int reference = vu != NULL ? vu->shared->http_defaults : script_of(lua)->http_defaults;

    if (reference == LUA_NOREF) {
        lua_pushnil(lua);
    } else {
        lua_rawgeti(lua, LUA_REGISTRYINDEX, reference);
    }
}

/* What the worker's setup has returned. */
static int defaults_take_of_worker(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "setup");

    lua_settop(lua, 1);
    if (lua_isnil(lua, 1)) {
        return 0;
    }
    defaults_take(lua, "what setup returns");
    defaults_push(lua);
    if (lua_istable(lua, -1)) {
        defaults_push_merged(lua, lua_gettop(lua), lua_gettop(lua) - 1);
    } else {
        lua_pop(lua, 1);
    }
    luaL_unref(lua, LUA_REGISTRYINDEX, vu->shared->http_defaults);
    vu->shared->http_defaults = luaL_ref(lua, LUA_REGISTRYINDEX);
    return 0;
}

void lua_http_wrap_setup(lua_State *lua)
{
    static const char wrap[] = "local take, setup = ...\n"
                               "return function(worker) take((setup(worker))) end\n";

    library_load(lua, wrap, sizeof wrap - 1, "=tutti.setup");
    lua_insert(lua, -2);
    lua_pushcfunction(lua, defaults_take_of_worker);
    lua_insert(lua, -2);
    lua_call(lua, 2, 1);
}

static int session_to_string(lua_State *lua)
{
    lua_pushliteral(lua, "http session");
    return 1;
}

/* http.session { … }; the functions of sessions are the upvalue. */
static int session_new(lua_State *lua)
{
    lua_settop(lua, 1);
    defaults_take(lua, "http.session");
    lua_newuserdatauv(lua, 0, 2);
    lua_insert(lua, -2);
    lua_setiuservalue(lua, -2, SESSION_OWN);
    if (luaL_newmetatable(lua, SESSION_METATABLE)) {
        lua_pushvalue(lua, lua_upvalueindex(1));
        lua_setfield(lua, -2, "__index");
        lua_pushcfunction(lua, session_to_string);
        lua_setfield(lua, -2, "__tostring");
        lua_pushliteral(lua, "session");
        lua_setfield(lua, -2, "__metatable");
    }
    lua_setmetatable(lua, -2);
    return 1;
}

void lua_http_session_register(lua_State *lua)
{
    lua_pushvalue(lua, -2);
    lua_pushcclosure(lua, session_new, 1);
    lua_setfield(lua, -2, "session");
}

/* Not before the first request: the script may set its defaults after it has made the session. */
static void session_push_options(lua_State *lua)
{
    if (luaL_testudata(lua, 1, SESSION_METATABLE) == NULL) {
        lua_misuse(lua, "http: the functions of a session are called with a colon, as in session:get(url)");
    }
    /* A session may be of several workers. */
    bool is_common = defaults_worker(lua) == NULL;
    if (lua_getiuservalue(lua, 1, SESSION_MERGED) != LUA_TNIL && is_common) {
        return;
    }
    lua_pop(lua, 1);
    lua_getiuservalue(lua, 1, SESSION_OWN);
    defaults_push(lua);
    if (lua_istable(lua, -1)) {
        int top = lua_gettop(lua);
        defaults_push_merged(lua, top, top - 1);
        lua_replace(lua, top - 1);
    }
    lua_pop(lua, 1);
    if (!script_of(lua)->is_loading && is_common) {
        lua_pushvalue(lua, -1);
        lua_setiuservalue(lua, 1, SESSION_MERGED);
    }
}

void lua_http_push_defaults(lua_State *lua, bool is_of_session)
{
    if (is_of_session) {
        session_push_options(lua);
        lua_remove(lua, 1);
    } else {
        defaults_push(lua);
    }
}

/* Listeners may change the options that they see: those of others stay as they are. */
static void defaults_apply(lua_State *lua, int defaults)
{
    if (lua_isnil(lua, defaults)) {
        return;
    }
    if (lua_istable(lua, LUA_HTTP_OPTIONS)) {
        lua_option_check_plain(lua, LUA_HTTP_OPTIONS, "http");
        defaults_push_merged(lua, defaults, LUA_HTTP_OPTIONS);
    } else if (step_wrapper_has_listeners(script_of(lua))) {
        defaults_push_copy(lua, defaults, 0);
    } else {
        lua_pushvalue(lua, defaults);
    }
    lua_replace(lua, LUA_HTTP_OPTIONS);
}

/* Sets the option that is on top of the stack in a copy, unless there is one. */
static void defaults_add_auth(lua_State *lua)
{
    int auth = lua_gettop(lua);
    bool has_options = lua_istable(lua, LUA_HTTP_OPTIONS);

    if (has_options && lua_option_get(lua, LUA_HTTP_OPTIONS, "auth") != LUA_TNIL) {
        return;
    }
    lua_newtable(lua);
    int copy = lua_gettop(lua);
    if (has_options) {
        lua_option_check_plain(lua, LUA_HTTP_OPTIONS, "http");
        defaults_set_all(lua, copy, LUA_HTTP_OPTIONS);
    }
    lua_pushvalue(lua, auth);
    lua_setfield(lua, copy, "auth");
    lua_replace(lua, LUA_HTTP_OPTIONS);
}

/* Before the fragment, after a query that is there. */
static void defaults_append_query(lua_State *lua)
{
    size_t size;

    lua_http_push_query(lua, -1);
    int query = lua_gettop(lua);
    if (lua_rawlen(lua, query) == 0) {
        return;
    }
    const char *url = lua_tolstring(lua, LUA_HTTP_URL, &size);
    size_t end = strcspn(url, "#");
    const char *mark = memchr(url, '?', end);
    bool is_open = mark != NULL && (mark + 1 == url + end || url[end - 1] == '&');
    lua_pushlstring(lua, url, end);
    lua_pushstring(lua, is_open ? "" : mark != NULL ? "&" : "?");
    lua_pushvalue(lua, query);
    lua_pushlstring(lua, url + end, size - end);
    lua_concat(lua, 4);
    lua_replace(lua, LUA_HTTP_URL);
}

void lua_http_complete(lua_State *lua, int defaults)
{
    int top = lua_gettop(lua);

    if (lua_isnil(lua, defaults) && lua_isnil(lua, LUA_HTTP_OPTIONS) &&
        lua_http_is_absolute(lua, LUA_HTTP_URL)) {
        return;
    }
    luaL_checkstack(lua, 12, NULL);
    defaults_apply(lua, defaults);
    if (lua_http_resolve(lua, LUA_HTTP_URL, LUA_HTTP_OPTIONS)) {
        defaults_add_auth(lua);
    }
    if (lua_istable(lua, LUA_HTTP_OPTIONS) && lua_option_get(lua, LUA_HTTP_OPTIONS, "query") != LUA_TNIL) {
        defaults_append_query(lua);
    }
    lua_settop(lua, top);
}
