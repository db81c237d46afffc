/* A userdata that ends in the header lines, the address and a short body; what few scripts look at is made on
 * demand. */
#include "agent/lua/lua_response.h"

#include "agent/lua/lua_expect.h"
#include "agent/lua/lua_extract.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_json.h"
#include "agent/script/script_state.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define METATABLE "tutti.response"
#define HEADERS_METATABLE "tutti.headers"
/* A longer body becomes a string at once, so that it is not there twice. */
#define SHORT_BODY_BYTES 4096u

enum { VALUE_BODY = 1, VALUE_URL, VALUE_HEADERS, VALUE_REDIRECTS, VALUE_COUNT = VALUE_REDIRECTS };

struct lua_response {
    uint32_t status;
    uint32_t header_size;
    struct http_timings timings;
    uint32_t body_size;   /* of a short one, after the address */
    uint8_t address_size; /* after the headers */
    uint8_t name_size;    /* of the request in the report, after a short body */
    struct tag_set tags;  /* that it is counted with */
    bool is_counted_ok;
    bool is_judged;
    bool is_reused;
    bool is_retried;
    char version[4]; /* empty: not known */
    char headers[];
};

static_assert(HTTP_ADDRESS_BYTES <= UINT8_MAX, "the size of an address is kept in a byte");

/* Names are in lower case, so that a look-up does not depend on case. */
static void push_lower(lua_State *lua, const char *text, size_t size)
{
    luaL_Buffer buffer;
    char *lower = luaL_buffinitsize(lua, &buffer, size);

    for (size_t i = 0; i < size; i++) {
        lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    }
    luaL_pushresultsize(&buffer, size);
}

/* headers:all(name) → a list of the values. Upvalue 1: lists of those names that came more than once, or nil.
 */
static int headers_all(lua_State *lua)
{
    size_t size;

    luaL_checktype(lua, 1, LUA_TTABLE);
    const char *name = luaL_checklstring(lua, 2, &size);
    push_lower(lua, name, size);
    int lower = lua_gettop(lua);
    lua_newtable(lua);
    lua_pushvalue(lua, lower);
    if (lua_istable(lua, lua_upvalueindex(1)) && lua_rawget(lua, lua_upvalueindex(1)) == LUA_TTABLE) {
        lua_Integer count = (lua_Integer)lua_rawlen(lua, -1);
        for (lua_Integer i = 1; i <= count; i++) {
            lua_rawgeti(lua, -1, i);
            lua_rawseti(lua, lower + 1, i);
        }
    } else {
        lua_pushvalue(lua, lower);
        lua_rawget(lua, 1);
        lua_rawseti(lua, lower + 1, 1);
    }
    lua_settop(lua, lower + 1);
    return 1;
}

/* Upvalue 1 as above. */
static int headers_index(lua_State *lua)
{
    size_t size;

    luaL_checktype(lua, 1, LUA_TTABLE);
    const char *name = luaL_checklstring(lua, 2, &size);
    push_lower(lua, name, size);
    lua_pushvalue(lua, -1);
    if (lua_rawget(lua, 1) == LUA_TNIL && strcmp(lua_tostring(lua, -2), "all") == 0) {
        lua_pushvalue(lua, lua_upvalueindex(1));
        lua_pushcclosure(lua, headers_all, 1);
    }
    return 1;
}

/* The headers, and lists of what has come more than once: nil until there is some. */
struct header_tables {
    int headers;
    int lists;
};

/* Adds the value on top of the stack to the list of its name, which is below it; it has come before. */
static void headers_add_to_list(lua_State *lua, const struct header_tables *tables)
{
    int value = lua_gettop(lua);

    if (lua_isnil(lua, tables->lists)) {
        lua_newtable(lua);
        lua_replace(lua, tables->lists);
    }
    lua_pushvalue(lua, value - 1);
    if (lua_rawget(lua, tables->lists) != LUA_TTABLE) {
        lua_newtable(lua);
        lua_pushvalue(lua, value - 1);
        lua_rawget(lua, tables->headers);
        lua_rawseti(lua, -2, 1);
        lua_pushvalue(lua, value - 1);
        lua_pushvalue(lua, -2);
        lua_rawset(lua, tables->lists);
    }
    lua_pushvalue(lua, value);
    lua_rawseti(lua, -2, (lua_Integer)lua_rawlen(lua, -2) + 1);
    lua_settop(lua, value);
}

/* Adds one line; a repeated header is joined with a comma, as HTTP allows. */
static void lua_response_add_header(lua_State *lua, const struct header_tables *tables, const char *line,
                                    size_t size)
{
    const char *colon = memchr(line, ':', size);

    if (colon == NULL) {
        return;
    }
    const char *value = colon + 1;
    const char *end = line + size;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) {
        end--;
    }
    push_lower(lua, line, (size_t)(colon - line));
    lua_pushlstring(lua, value, (size_t)(end - value));
    lua_pushvalue(lua, -2);
    if (lua_rawget(lua, tables->headers) == LUA_TSTRING) {
        lua_insert(lua, -2);
        lua_pushvalue(lua, -3);
        lua_insert(lua, -2);
        headers_add_to_list(lua, tables);
        lua_remove(lua, -2);
        lua_pushliteral(lua, ", ");
        lua_insert(lua, -2);
        lua_concat(lua, 3);
    } else {
        lua_pop(lua, 1);
    }
    lua_rawset(lua, tables->headers);
}

/* The metatable of headers whose lists, or nil, are on top of the stack, in their place. */
static void headers_push_metatable(lua_State *lua)
{
    bool is_shared = lua_isnil(lua, -1);

    if (is_shared && lua_getfield(lua, LUA_REGISTRYINDEX, HEADERS_METATABLE) == LUA_TTABLE) {
        lua_remove(lua, -2);
        return;
    }
    lua_settop(lua, lua_gettop(lua) - is_shared);
    lua_createtable(lua, 0, 2);
    lua_insert(lua, -2);
    lua_pushcclosure(lua, headers_index, 1);
    lua_setfield(lua, -2, "__index");
    lua_pushliteral(lua, "headers");
    lua_setfield(lua, -2, "__metatable");
    if (is_shared) {
        lua_pushvalue(lua, -1);
        lua_setfield(lua, LUA_REGISTRYINDEX, HEADERS_METATABLE);
    }
}

static void push_headers(lua_State *lua, const struct lua_response *response)
{
    if (lua_getiuservalue(lua, 1, VALUE_HEADERS) == LUA_TTABLE) {
        return;
    }
    lua_pop(lua, 1);
    luaL_checkstack(lua, 12, NULL);
    lua_newtable(lua);
    lua_pushnil(lua);
    struct header_tables tables = {.headers = lua_gettop(lua) - 1, .lists = lua_gettop(lua)};
    const char *at = response->headers;
    const char *end = at + response->header_size;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        lua_response_add_header(lua, &tables, at, (size_t)(stop - at));
        at = stop + 1;
    }
    headers_push_metatable(lua);
    lua_setmetatable(lua, -2);
    lua_pushvalue(lua, -1);
    lua_setiuservalue(lua, 1, VALUE_HEADERS);
}

/* A list of { url =, status = }, made of the lines "302 URL". */
static void push_redirects(lua_State *lua)
{
    size_t size = 0;

    if (lua_getiuservalue(lua, 1, VALUE_REDIRECTS) == LUA_TTABLE) {
        return;
    }
    const char *at = lua_tolstring(lua, -1, &size);
    const char *end = at + size;
    lua_newtable(lua);
    for (lua_Integer i = 1; at < end; i++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        char *space;
        lua_createtable(lua, 0, 2);
        lua_pushinteger(lua, strtol(at, &space, 10));
        lua_setfield(lua, -2, "status");
        lua_pushlstring(lua, space + 1, (size_t)(stop - space - 1));
        lua_setfield(lua, -2, "url");
        lua_rawseti(lua, -2, i);
        at = stop + 1;
    }
    lua_pushvalue(lua, -1);
    lua_setiuservalue(lua, 1, VALUE_REDIRECTS);
}

static void push_timings(lua_State *lua, const struct http_timings *timings)
{
    const struct {
        const char *name;
        uint64_t us;
    } rows[] = {{"name_lookup", timings->name_lookup_us},
                {"connect", timings->connect_us},
                {"tls", timings->tls_us},
                {"first_byte", timings->first_byte_us},
                {"total", timings->total_us}};

    lua_createtable(lua, 0, 6);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lua_pushnumber(lua, (double)rows[i].us / 1e6);
        lua_setfield(lua, -2, rows[i].name);
    }
    lua_createtable(lua, 0, REQUEST_PHASE_COUNT);
    for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        lua_pushnumber(lua, (double)timings->phase_us[phase] / 1e6);
        lua_setfield(lua, -2, request_phase_name((enum request_phase)phase));
    }
    lua_setfield(lua, -2, "phases");
}

static struct bytes short_body(const struct lua_response *response)
{
    return bytes_of(response->headers + response->header_size + response->address_size, response->body_size);
}

/* Pushes the body of the response at index 1. */
static void push_body(lua_State *lua, const struct lua_response *response)
{
    if (lua_getiuservalue(lua, 1, VALUE_BODY) == LUA_TSTRING) {
        return;
    }
    lua_pop(lua, 1);
    lua_pushlstring(lua, (const char *)short_body(response).data, response->body_size);
    lua_pushvalue(lua, -1);
    lua_setiuservalue(lua, 1, VALUE_BODY);
}

static int lua_response_get_field(lua_State *lua);
static int lua_response_to_string(lua_State *lua);

/* Found by a number, which is quicker than by its name: each answer needs it. */
static void response_push_metatable(lua_State *lua)
{
    struct script *script = script_of(lua);

    if (script->response_type != LUA_NOREF) {
        lua_rawgeti(lua, LUA_REGISTRYINDEX, script->response_type);
        return;
    }
    luaL_newmetatable(lua, METATABLE);
    lua_pushcfunction(lua, lua_response_get_field);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, lua_response_to_string);
    lua_setfield(lua, -2, "__tostring");
    lua_pushliteral(lua, "response");
    lua_setfield(lua, -2, "__metatable");
    script->response_metatable = lua_topointer(lua, -1);
    lua_pushvalue(lua, -1);
    script->response_type = luaL_ref(lua, LUA_REGISTRYINDEX);
}

/* The response at index 1. */
static const struct lua_response *response_check(lua_State *lua)
{
    return script_check_object(lua, 1, script_of(lua)->response_metatable, METATABLE);
}

void lua_response_push_json(lua_State *lua)
{
    struct json_problem problem;
    const struct lua_response *response = response_check(lua);
    struct bytes body = short_body(response);

    if (lua_getiuservalue(lua, 1, VALUE_BODY) == LUA_TSTRING) {
        const char *text = lua_tolstring(lua, -1, &body.size);
        body = bytes_of(text, body.size);
    }
    if (!lua_json_read(lua, body, &problem)) {
        lua_misuse(lua, "the answer is not JSON: %s (line %zu, column %zu)", problem.text, problem.line,
                   problem.column);
    }
    lua_remove(lua, -2);
}

/* response:json([path]) */
static int to_json(lua_State *lua)
{
    lua_settop(lua, 2);
    if (!lua_isnil(lua, 2)) {
        return lua_extract_json(lua);
    }
    lua_response_push_json(lua);
    return 1;
}

struct lua_response_facts lua_response_facts(lua_State *lua)
{
    const struct lua_response *response = response_check(lua);
    struct bytes body = short_body(response);

    return (struct lua_response_facts){
        .status = response->status,
        .total_s = (double)response->timings.total_us / 1e6,
        .booking = {.name = bytes_of(body.data + body.size, response->name_size),
                    .tags = response->tags,
                    .is_ok = response->is_counted_ok},
        .is_judged = response->is_judged,
    };
}

void lua_response_rebook(lua_State *lua, bool is_ok)
{
    struct lua_response *response = lua_touserdata(lua, 1);

    response->is_counted_ok = is_ok;
    response->is_judged = true;
}

void lua_response_push_body(lua_State *lua)
{
    push_body(lua, response_check(lua));
}

void lua_response_push_headers(lua_State *lua)
{
    push_headers(lua, response_check(lua));
}

static inline bool response_is_named(const char *name, const char *wanted)
{
    return name[0] == wanted[0] && strcmp(name, wanted) == 0;
}

/* Pushes the function of this name; false if there is none. */
static bool push_method(lua_State *lua, const char *name)
{
    static const luaL_Reg methods[] = {
        {"json", to_json},      {"xpath", lua_extract_xpath}, {"match", lua_extract_match},
        {"expect", lua_expect}, {"fail", lua_expect_fail},    {"ok", lua_expect_ok}};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (response_is_named(name, methods[i].name)) {
            lua_pushcfunction(lua, methods[i].func);
            return true;
        }
    }
    return false;
}

/* Pushes what is known of the exchange under this name, or nil. */
static void push_exchange(lua_State *lua, const struct lua_response *response, const char *name)
{
    if (response_is_named(name, "version") && response->version[0]) {
        lua_pushstring(lua, response->version);
    } else if (response_is_named(name, "address") && response->address_size > 0) {
        lua_pushlstring(lua, response->headers + response->header_size, response->address_size);
    } else if (response_is_named(name, "reused")) {
        lua_pushboolean(lua, response->is_reused);
    } else if (response_is_named(name, "retried")) {
        lua_pushboolean(lua, response->is_retried);
    } else {
        lua_pushnil(lua);
    }
}

static int lua_response_get_field(lua_State *lua)
{
    const struct lua_response *response = response_check(lua);
    const char *name = luaL_checkstring(lua, 2);

    if (response_is_named(name, "status")) {
        lua_pushinteger(lua, response->status);
    } else if (response_is_named(name, "body")) {
        push_body(lua, response);
    } else if (response_is_named(name, "headers")) {
        push_headers(lua, response);
    } else if (response_is_named(name, "url")) {
        lua_getiuservalue(lua, 1, VALUE_URL);
    } else if (push_method(lua, name)) {
        return 1;
    } else if (response_is_named(name, "redirects")) {
        push_redirects(lua);
    } else if (response_is_named(name, "timings")) {
        push_timings(lua, &response->timings);
    } else {
        push_exchange(lua, response, name);
    }
    return 1;
}

static int lua_response_to_string(lua_State *lua)
{
    const struct lua_response *response = response_check(lua);

    push_body(lua, response);
    lua_pushfstring(lua, "response of status %d, %d bytes", (int)response->status, (int)lua_rawlen(lua, -1));
    return 1;
}

static void copy_exchange(struct lua_response *copy, const struct http_response *response)
{
    copy->address_size = (uint8_t)(response->address != NULL ? strlen(response->address) : 0);
    if (copy->address_size > 0) {
        memcpy(copy->headers + copy->header_size, response->address, copy->address_size);
    }
    copy->is_reused = response->is_reused;
    copy->is_retried = response->is_retried;
    copy->version[0] = 0;
    if (response->version != NULL) {
        size_t size = strnlen(response->version, sizeof copy->version - 1);
        memcpy(copy->version, response->version, size);
        copy->version[size] = 0;
    }
}

void lua_response_push(lua_State *lua, const struct http_response *response, int url_index,
                       const struct lua_response_booking *booking)
{
    size_t address_size = response->address != NULL ? strlen(response->address) : 0;
    size_t body_size = response->body.size <= SHORT_BODY_BYTES ? response->body.size : 0;
    struct lua_response *copy = lua_newuserdatauv(
        lua, sizeof *copy + response->headers.size + address_size + body_size + booking->name.size,
        VALUE_COUNT);

    copy->status = response->status;
    copy->timings = response->timings;
    copy->header_size = (uint32_t)response->headers.size;
    if (response->headers.size > 0) {
        memcpy(copy->headers, response->headers.data, response->headers.size);
    }
    copy_exchange(copy, response);
    copy->body_size = (uint32_t)body_size;
    copy->name_size = (uint8_t)booking->name.size;
    copy->tags = booking->tags;
    copy->is_counted_ok = booking->is_ok;
    copy->is_judged = false;
    if (booking->name.size > 0) {
        memcpy(copy->headers + copy->header_size + copy->address_size + body_size, booking->name.data,
               booking->name.size);
    }
    if (body_size > 0) {
        memcpy(copy->headers + copy->header_size + copy->address_size, response->body.data, body_size);
    } else if (response->body.size > 0) {
        lua_pushlstring(lua, (const char *)response->body.data, response->body.size);
        lua_setiuservalue(lua, -2, VALUE_BODY);
    }
    if (response->url != NULL) {
        lua_pushstring(lua, response->url);
    } else {
        lua_pushvalue(lua, url_index);
    }
    lua_setiuservalue(lua, -2, VALUE_URL);
    if (response->redirects.size > 0) {
        lua_pushlstring(lua, (const char *)response->redirects.data, response->redirects.size);
        lua_setiuservalue(lua, -2, VALUE_REDIRECTS);
    }
    response_push_metatable(lua);
    lua_setmetatable(lua, -2);
}
