/* The module `tutti.url`: URLs apart and together. */
#include "agent/lua/lua_url.h"

#include "agent/http/message/url.h"
#include "agent/http/message/url_coding.h"
#include "agent/lua/lua_query.h"
#include "agent/script/limits.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_option.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define METATABLE "tutti.url.parsed"
#define BYTES_PER_INSTRUCTION 16u

/* A string, and nothing that Lua would make one; charged to the turn. */
static struct bytes check_text(lua_State *lua, int index, const char *what)
{
    size_t size;

    if (lua_type(lua, index) != LUA_TSTRING) {
        lua_misuse(lua, "%s is a string, not a %s", what, luaL_typename(lua, index));
    }
    const char *text = lua_tolstring(lua, index, &size);
    limits_charge(lua, size / BYTES_PER_INSTRUCTION + 1);
    return bytes_of(text, size);
}

static int on_url_collected(lua_State *lua)
{
    url_finish(luaL_checkudata(lua, 1, METATABLE));
    return 0;
}

/* Pushes a URL that is freed also where an error is raised before url_finish. */
static struct url *push_parsed_url(lua_State *lua)
{
    struct url *url = lua_newuserdatauv(lua, sizeof *url, 0);

    *url = (struct url){0};
    if (luaL_newmetatable(lua, METATABLE)) {
        lua_pushcfunction(lua, on_url_collected);
        lua_setfield(lua, -2, "__gc");
    }
    lua_setmetatable(lua, -2);
    return url;
}

/* What follows the first '#'; false if there is none. */
static bool find_fragment(struct bytes text, struct bytes *fragment)
{
    const uint8_t *mark = text.size > 0 ? memchr(text.data, '#', text.size) : NULL;

    if (mark == NULL) {
        return false;
    }
    size_t before = (size_t)(mark - text.data) + 1;
    *fragment = bytes_of(text.data + before, text.size - before);
    return true;
}

static void set_bytes(lua_State *lua, const char *name, struct bytes value)
{
    lua_pushlstring(lua, (const char *)value.data, value.size);
    lua_setfield(lua, -2, name);
}

/* url.parse(text) → its parts */
static int url_parse_text(lua_State *lua)
{
    struct bytes text = check_text(lua, 1, "url.parse: the URL");
    struct error error;
    struct bytes fragment;
    struct url *url = push_parsed_url(lua);

    if (!url_parse(text, url, &error)) {
        return lua_misuse(lua, "url.parse: %s", error.text);
    }
    struct bytes path = url_path(url);
    lua_createtable(lua, 0, 8);
    set_bytes(lua, "scheme", bytes_of_string(url->is_tls ? "https" : "http"));
    set_bytes(lua, "host", bytes_of_string(url->host));
    lua_pushinteger(lua, url->port);
    lua_setfield(lua, -2, "port");
    set_bytes(lua, "path", path);
    if (path.size < url->target.size) {
        set_bytes(lua, "query", bytes_of(url->target.data + path.size + 1, url->target.size - path.size - 1));
    }
    if (url->user != NULL) {
        set_bytes(lua, "user", bytes_of_string(url->user));
        set_bytes(lua, "password", bytes_of_string(url->password));
    }
    if (find_fragment(text, &fragment)) {
        set_bytes(lua, "fragment", fragment);
    }
    url_finish(url);
    return 1;
}

static void add_encoded(lua_State *lua, luaL_Buffer *buffer, struct bytes text, const char *kept)
{
    size_t size = url_encoded_size(text, kept);

    (void)lua;
    url_encode_to(luaL_prepbuffsize(buffer, size), text, kept);
    luaL_addsize(buffer, size);
}

/* url.encode(text): fit for any place of a URL */
static int url_encode_text(lua_State *lua)
{
    struct bytes text = check_text(lua, 1, "url.encode: the text");
    luaL_Buffer buffer;

    luaL_buffinit(lua, &buffer);
    add_encoded(lua, &buffer, text, "");
    luaL_pushresult(&buffer);
    return 1;
}

/* url.decode(text) */
static int url_decode_text(lua_State *lua)
{
    struct bytes text = check_text(lua, 1, "url.decode: the text");
    luaL_Buffer buffer;
    size_t size;

    char *into = luaL_buffinitsize(lua, &buffer, text.size);
    if (!url_decode_to(into, text, false, &size)) {
        return lua_misuse(lua, "url.decode: a %% that two hexadecimal digits do not follow");
    }
    luaL_pushresultsize(&buffer, size);
    return 1;
}

/* url.query(pairs) → text; url.query(text) → pairs */
static int url_query(lua_State *lua)
{
    const struct lua_query_style style = {.subject = "url.query", .takes_lists = true};

    lua_settop(lua, 1);
    if (lua_type(lua, 1) == LUA_TSTRING) {
        lua_query_push_pairs(lua, check_text(lua, 1, "url.query: the query"));
    } else if (lua_istable(lua, 1)) {
        lua_query_push_text(lua, 1, &style);
    } else {
        return lua_misuse(lua, "url.query: pairs are a table, and a query is a string, not a %s",
                          luaL_typename(lua, 1));
    }
    return 1;
}

/* url.join(base, reference) → the absolute URL */
static int url_join(lua_State *lua)
{
    struct bytes base_text = check_text(lua, 1, "url.join: the base");
    struct bytes reference = check_text(lua, 2, "url.join: the reference");
    struct error error;
    struct bytes fragment;

    lua_settop(lua, 2);
    struct url *base = push_parsed_url(lua);
    struct url *url = push_parsed_url(lua);
    if (!url_parse(base_text, base, &error) || !url_resolve(base, reference, url, &error)) {
        return lua_misuse(lua, "url.join: %s", error.text);
    }
    lua_pushstring(lua, url->text);
    if (find_fragment(reference, &fragment)) {
        lua_pushliteral(lua, "#");
        lua_pushlstring(lua, (const char *)fragment.data, fragment.size);
        lua_concat(lua, 3);
    }
    url_finish(base);
    url_finish(url);
    return 1;
}

/* The fields of the table at 1, at these indices of the stack. */
enum {
    PART_SCHEME = 2,
    PART_USER,
    PART_PASSWORD,
    PART_HOST,
    PART_PORT,
    PART_PATH,
    PART_QUERY,
    PART_FRAGMENT
};
static const char *const part_names[] = {
    [PART_SCHEME] = "scheme", [PART_USER] = "user",         [PART_PASSWORD] = "password",
    [PART_HOST] = "host",     [PART_PORT] = "port",         [PART_PATH] = "path",
    [PART_QUERY] = "query",   [PART_FRAGMENT] = "fragment",
};

static bool is_part(lua_State *lua, int index)
{
    for (int part = PART_SCHEME; part <= PART_FRAGMENT; part++) {
        if (lua_type(lua, index) == LUA_TSTRING && strcmp(lua_tostring(lua, index), part_names[part]) == 0) {
            return true;
        }
    }
    return false;
}

/* Puts the parts where the enum says; a query that is a table becomes its text. */
static void push_parts(lua_State *lua)
{
    const struct lua_query_style style = {.subject = "url.build", .takes_lists = true};

    for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1)) {
        if (!is_part(lua, 2)) {
            lua_misuse(lua, "url.build: no part of a URL is called %.60s", luaL_tolstring(lua, 2, NULL));
        }
    }
    for (int part = PART_SCHEME; part <= PART_FRAGMENT; part++) {
        int type = lua_option_get(lua, 1, part_names[part]);
        if (part == PART_QUERY && type == LUA_TTABLE) {
            lua_query_push_text(lua, lua_gettop(lua), &style);
            lua_remove(lua, -2);
        } else if (part == PART_PORT && type != LUA_TNIL) {
            if (!lua_isinteger(lua, part) || lua_tointeger(lua, part) < 1 ||
                lua_tointeger(lua, part) > 65535) {
                lua_misuse(lua, "url.build: port is an integer from 1 to 65535");
            }
        } else if (type != LUA_TNIL) {
            char what[40];
            snprintf(what, sizeof what, "url.build: %s", part_names[part]);
            (void)check_text(lua, part, what);
        }
    }
}

static struct bytes part_bytes(lua_State *lua, int part)
{
    size_t size = 0;
    const char *text = part == PART_PORT || lua_isnil(lua, part) ? "" : lua_tolstring(lua, part, &size);

    return bytes_of(text, size);
}

static void add_part(lua_State *lua, luaL_Buffer *buffer, int part, const char *before, const char *kept)
{
    if (!lua_isnil(lua, part)) {
        luaL_addstring(buffer, before);
        add_encoded(lua, buffer, part_bytes(lua, part), kept);
    }
}

/* "scheme://user:password@host:port" */
static void add_origin(lua_State *lua, luaL_Buffer *buffer)
{
    const char *host = lua_tostring(lua, PART_HOST);
    bool is_v6 = strchr(host, ':') != NULL && host[0] != '[';

    add_part(lua, buffer, PART_SCHEME, "", "");
    luaL_addstring(buffer, "://");
    if (!lua_isnil(lua, PART_USER)) {
        add_part(lua, buffer, PART_USER, "", "");
        add_part(lua, buffer, PART_PASSWORD, ":", "");
        luaL_addchar(buffer, '@');
    }
    luaL_addstring(buffer, is_v6 ? "[" : "");
    luaL_addstring(buffer, host);
    luaL_addstring(buffer, is_v6 ? "]" : "");
    lua_Integer usual_port = strcasecmp(lua_tostring(lua, PART_SCHEME), "https") == 0 ? 443 : 80;
    if (!lua_isnil(lua, PART_PORT) && lua_tointeger(lua, PART_PORT) != usual_port) {
        char port[16];
        snprintf(port, sizeof port, ":%d", (int)lua_tointeger(lua, PART_PORT));
        luaL_addstring(buffer, port);
    }
}

static void check_parts(lua_State *lua)
{
    struct bytes host = part_bytes(lua, PART_HOST);
    struct bytes path = part_bytes(lua, PART_PATH);

    if (lua_isnil(lua, PART_HOST)) {
        if (!lua_isnil(lua, PART_SCHEME) || !lua_isnil(lua, PART_USER) || !lua_isnil(lua, PART_PASSWORD) ||
            !lua_isnil(lua, PART_PORT)) {
            lua_misuse(lua, "url.build: without a host a URL has a path, a query and a fragment only");
        }
        return;
    }
    if (lua_isnil(lua, PART_SCHEME)) {
        lua_misuse(lua, "url.build: a host needs a scheme: http or https");
    }
    if (lua_isnil(lua, PART_USER) && !lua_isnil(lua, PART_PASSWORD)) {
        lua_misuse(lua, "url.build: a password needs a user");
    }
    if (strlen((const char *)host.data) != host.size || strpbrk((const char *)host.data, "/?#@\\ ") != NULL) {
        lua_misuse(lua, "url.build: the host holds a character that no host has");
    }
    if (path.size > 0 && path.data[0] != '/') {
        lua_misuse(lua, "url.build: path begins with / where there is a host");
    }
}

/* url.build(parts) → text */
static int url_build(lua_State *lua)
{
    luaL_Buffer buffer;
    struct error error;

    lua_settop(lua, 1);
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_option_check_plain(lua, 1, "url.build");
    push_parts(lua);
    check_parts(lua);
    bool has_host = !lua_isnil(lua, PART_HOST);
    struct url *url = push_parsed_url(lua);
    luaL_buffinit(lua, &buffer);
    if (has_host) {
        add_origin(lua, &buffer);
        if (lua_isnil(lua, PART_PATH)) {
            luaL_addchar(&buffer, '/');
        }
    }
    add_part(lua, &buffer, PART_PATH, "", URL_KEPT_IN_PATH);
    add_part(lua, &buffer, PART_QUERY, "?", URL_KEPT_IN_QUERY);
    add_part(lua, &buffer, PART_FRAGMENT, "#", URL_KEPT_IN_QUERY);
    luaL_pushresult(&buffer);
    if (has_host && !url_parse(check_text(lua, -1, "url.build: the URL"), url, &error)) {
        return lua_misuse(lua, "url.build: %s", error.text);
    }
    url_finish(url);
    return 1;
}

int luaopen_tutti_url(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        {"parse", url_parse_text},
        {"build", url_build},
        {"encode", url_encode_text},
        {"decode", url_decode_text},
        {"query", url_query},
        {"join", url_join},
        {NULL, NULL},
    };

    luaL_newlib(lua, functions);
    return 1;
}
