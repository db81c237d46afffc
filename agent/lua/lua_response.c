/* A userdata that ends in the header lines and the address; what few scripts look at is made on demand. */
#include "agent/lua/lua_response.h"

#include "agent/script/library.h"
#include "agent/script/lua_error.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define METATABLE "tutti.response"
#define HEADERS_METATABLE "tutti.headers"

enum { VALUE_BODY = 1, VALUE_URL, VALUE_HEADERS };

struct lua_response {
    uint32_t status;
    uint32_t header_size;
    struct http_timings timings;
    uint8_t address_size; /* behind the headers */
    bool is_reused;
    bool is_retried;
    bool is_retry_known;
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

static int headers_index(lua_State *lua)
{
    size_t size;

    luaL_checktype(lua, 1, LUA_TTABLE);
    const char *name = luaL_checklstring(lua, 2, &size);
    push_lower(lua, name, size);
    lua_rawget(lua, 1);
    return 1;
}

/* Adds one line; a repeated header is joined with a comma, as HTTP allows. */
static void lua_response_add_header(lua_State *lua, const char *line, size_t size)
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
    lua_pushvalue(lua, -1);
    if (lua_rawget(lua, -3) == LUA_TSTRING) {
        lua_pushliteral(lua, ", ");
        lua_pushlstring(lua, value, (size_t)(end - value));
        lua_concat(lua, 3);
    } else {
        lua_pop(lua, 1);
        lua_pushlstring(lua, value, (size_t)(end - value));
    }
    lua_rawset(lua, -3);
}

static void push_headers(lua_State *lua, const struct lua_response *response)
{
    if (lua_getiuservalue(lua, 1, VALUE_HEADERS) == LUA_TTABLE) {
        return;
    }
    lua_pop(lua, 1);
    lua_newtable(lua);
    const char *at = response->headers;
    const char *end = at + response->header_size;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        lua_response_add_header(lua, at, (size_t)(stop - at));
        at = stop + 1;
    }
    if (luaL_newmetatable(lua, HEADERS_METATABLE)) {
        lua_pushcfunction(lua, headers_index);
        lua_setfield(lua, -2, "__index");
        lua_pushliteral(lua, "headers");
        lua_setfield(lua, -2, "__metatable");
    }
    lua_setmetatable(lua, -2);
    lua_pushvalue(lua, -1);
    lua_setiuservalue(lua, 1, VALUE_HEADERS);
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

    lua_createtable(lua, 0, 5);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lua_pushnumber(lua, (double)rows[i].us / 1e6);
        lua_setfield(lua, -2, rows[i].name);
    }
}

/* response:json() */
static int to_json(lua_State *lua)
{
    luaL_checkudata(lua, 1, METATABLE);
    lua_settop(lua, 1);
    library_push_json_function(lua, "decode");
    lua_getiuservalue(lua, 1, VALUE_BODY);
    if (lua_pcall(lua, 1, 1, 0) == LUA_OK) {
        return 1;
    }
    const char *why = lua_tostring(lua, -1);
    return lua_misuse(lua, "the answer is not JSON: %s", why != NULL ? why : "?");
}

/* Pushes what is known of the exchange under this name, or nil. */
static void push_exchange(lua_State *lua, const struct lua_response *response, const char *name)
{
    if (strcmp(name, "version") == 0 && response->version[0]) {
        lua_pushstring(lua, response->version);
    } else if (strcmp(name, "address") == 0 && response->address_size > 0) {
        lua_pushlstring(lua, response->headers + response->header_size, response->address_size);
    } else if (strcmp(name, "reused") == 0) {
        lua_pushboolean(lua, response->is_reused);
    } else if (strcmp(name, "retried") == 0 && response->is_retry_known) {
        lua_pushboolean(lua, response->is_retried);
    } else {
        lua_pushnil(lua);
    }
}

static int lua_response_get_field(lua_State *lua)
{
    const struct lua_response *response = luaL_checkudata(lua, 1, METATABLE);
    const char *name = luaL_checkstring(lua, 2);

    if (strcmp(name, "status") == 0) {
        lua_pushinteger(lua, response->status);
    } else if (strcmp(name, "body") == 0) {
        lua_getiuservalue(lua, 1, VALUE_BODY);
    } else if (strcmp(name, "headers") == 0) {
        push_headers(lua, response);
    } else if (strcmp(name, "url") == 0) {
        lua_getiuservalue(lua, 1, VALUE_URL);
    } else if (strcmp(name, "json") == 0) {
        lua_pushcfunction(lua, to_json);
    } else if (strcmp(name, "timings") == 0) {
        push_timings(lua, &response->timings);
    } else {
        push_exchange(lua, response, name);
    }
    return 1;
}

static int lua_response_to_string(lua_State *lua)
{
    const struct lua_response *response = luaL_checkudata(lua, 1, METATABLE);

    lua_getiuservalue(lua, 1, VALUE_BODY);
    lua_pushfstring(lua, "response %d of %d bytes", (int)response->status, (int)lua_rawlen(lua, -1));
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
    copy->is_retry_known = response->is_retry_known;
    copy->version[0] = 0;
    if (response->version != NULL) {
        size_t size = strnlen(response->version, sizeof copy->version - 1);
        memcpy(copy->version, response->version, size);
        copy->version[size] = 0;
    }
}

/* Found by an address, which is quicker than by its name: each answer needs it. */
static void response_push_metatable(lua_State *lua)
{
    static const char address;

    if (lua_rawgetp(lua, LUA_REGISTRYINDEX, &address) == LUA_TTABLE) {
        return;
    }
    lua_pop(lua, 1);
    luaL_newmetatable(lua, METATABLE);
    lua_pushcfunction(lua, lua_response_get_field);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, lua_response_to_string);
    lua_setfield(lua, -2, "__tostring");
    lua_pushliteral(lua, "response");
    lua_setfield(lua, -2, "__metatable");
    lua_pushvalue(lua, -1);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &address);
}

void lua_response_push(lua_State *lua, const struct http_response *response, int url_index)
{
    size_t address_size = response->address != NULL ? strlen(response->address) : 0;
    struct lua_response *copy =
        lua_newuserdatauv(lua, sizeof *copy + response->headers.size + address_size, 3);

    copy->status = response->status;
    copy->timings = response->timings;
    copy->header_size = (uint32_t)response->headers.size;
    if (response->headers.size > 0) {
        memcpy(copy->headers, response->headers.data, response->headers.size);
    }
    copy_exchange(copy, response);
    lua_pushlstring(lua, response->body.size > 0 ? (const char *)response->body.data : "",
                    response->body.size);
    lua_setiuservalue(lua, -2, VALUE_BODY);
    if (response->url != NULL) {
        lua_pushstring(lua, response->url);
    } else {
        lua_pushvalue(lua, url_index);
    }
    lua_setiuservalue(lua, -2, VALUE_URL);
    response_push_metatable(lua);
    lua_setmetatable(lua, -2);
}
