/* The worker's cookies: all of them are in one jar, whatever session they came by. */
#include "agent/lua/lua_http_cookies.h"

#include "agent/http/message/cookie_jar.h"
#include "agent/lua/lua_http.h"
#include "agent/lua/lua_http_base.h"
#include "agent/lua/lua_http_defaults.h"
#include "agent/script/lua_error.h"
#include "agent/shard/vu_api.h"
#include "common/clock.h"

#include <lauxlib.h>

/* The client of the worker whose turn it is; the arguments are at 1 to `count`, after them the options that
 * stand under them, or nil. */
static struct http_client *cookies_open(lua_State *lua, const char *function, int count)
{
    struct vu *vu = vu_current(lua, function);
    bool is_of_session = lua_toboolean(lua, lua_upvalueindex(1));

    lua_settop(lua, count + is_of_session);
    lua_http_push_defaults(lua, is_of_session);
    lua_http_need_client(vu);
    return vu->http;
}

/* The URL at index 1, completed; on the stack. */
static const struct url *cookies_push_url(lua_State *lua, const char *function, int options)
{
    if (lua_type(lua, 1) != LUA_TSTRING) {
        lua_misuse(lua, "%s: the URL is a string, not a %s", function, luaL_typename(lua, 1));
    }
    (void)lua_http_resolve(lua, 1, options);
    return lua_http_push_url(lua, 1, function);
}

static int64_t cookies_now_s(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

static void cookies_set_text(lua_State *lua, const char *name, struct bytes text)
{
    lua_pushlstring(lua, (const char *)text.data, text.size);
    lua_setfield(lua, -2, name);
}

static void cookies_push(lua_State *lua, const struct cookie_view *cookie)
{
    lua_createtable(lua, 0, 8);
    cookies_set_text(lua, "name", cookie->name);
    cookies_set_text(lua, "value", cookie->value);
    cookies_set_text(lua, "domain", cookie->domain);
    cookies_set_text(lua, "path", cookie->path);
    lua_pushboolean(lua, cookie->is_secure);
    lua_setfield(lua, -2, "secure");
    lua_pushboolean(lua, cookie->is_http_only);
    lua_setfield(lua, -2, "http_only");
    lua_pushboolean(lua, cookie->is_host_only);
    lua_setfield(lua, -2, "host_only");
    if (cookie->expires_s < INT64_MAX) {
        lua_pushinteger(lua, cookie->expires_s);
        lua_setfield(lua, -2, "expires");
    }
}

/* cookies(url) → values by name, list */
int lua_http_cookies(lua_State *lua)
{
    struct http_client *client = cookies_open(lua, "http.cookies", 1);
    const struct url *url = cookies_push_url(lua, "http.cookies", 2);
    struct cookie_view found[COOKIE_JAR_MAX];
    size_t count = cookie_jar_find(http_cookies(client), url, cookies_now_s(), found);

    lua_createtable(lua, 0, (int)count);
    lua_createtable(lua, (int)count, 0);
    int list = lua_gettop(lua);
    /* Of two with the same name the first is the one that a server takes. */
    for (size_t i = count; i > 0; i--) {
        const struct cookie_view *cookie = &found[i - 1];
        cookies_push(lua, cookie);
        lua_rawseti(lua, list, (lua_Integer)i);
        lua_pushlstring(lua, (const char *)cookie->name.data, cookie->name.size);
        lua_pushlstring(lua, (const char *)cookie->value.data, cookie->value.size);
        lua_rawset(lua, list - 1);
    }
    return 2;
}

/* set_cookie(url, "name=value; Path=/") */
int lua_http_set_cookie(lua_State *lua)
{
    struct http_client *client = cookies_open(lua, "http.set_cookie", 2);
    const struct url *url = cookies_push_url(lua, "http.set_cookie", 3);
    size_t size;

    if (lua_type(lua, 2) != LUA_TSTRING) {
        return lua_misuse(lua, "http.set_cookie: a cookie is a string, not a %s", luaL_typename(lua, 2));
    }
    const char *text = lua_tolstring(lua, 2, &size);
    if (!cookie_jar_take(http_cookies(client), url, bytes_of(text, size), cookies_now_s())) {
        return lua_misuse(lua, "http.set_cookie: \"%s\" is no cookie that %s may set", text, url->host);
    }
    http_cookies_changed(client);
    return 0;
}

int lua_http_clear_cookies(lua_State *lua)
{
    struct http_client *client = cookies_open(lua, "http.clear_cookies", 0);

    cookie_jar_clear(http_cookies(client));
    http_cookies_changed(client);
    return 0;
}

int lua_http_close(lua_State *lua)
{
    http_close_idle(cookies_open(lua, "http.close", 0));
    return 0;
}
