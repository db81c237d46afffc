/* Requests to a WebDriver on the worker's engine, with connections of their own, and a few more functions for
 * the sources of tutti.browser. */
#include "agent/lua/lua_webdriver.h"

#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/shard/vu_api.h"
#include "common/base64.h"
#include "common/clock.h"

#include <lauxlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_TIMEOUT_S 86400.0

static int lua_webdriver_on_response(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, "tutti.browser");

    (void)status, (void)context;
    vu_resumed(lua, vu, WAIT_RESPONSE);
    const struct http_response *response = vu->response;
    if (response == NULL) {
        return lua_misuse(lua, "tutti.browser: a coroutine that waits was resumed without a response");
    }
    if (response->failure != HTTP_OK) {
        lua_pushnil(lua);
        lua_pushstring(lua, http_failure_name(response->failure));
        lua_pushstring(lua, response->text);
        vu_forget_exchange(vu);
        return 3;
    }
    lua_pushinteger(lua, response->status);
    lua_pushlstring(lua, response->body.size > 0 ? (const char *)response->body.data : "",
                    response->body.size);
    vu_forget_exchange(vu);
    return 2;
}

static void lua_webdriver_on_done(void *context, struct http_response *response)
{
    struct vu *vu = context;

    vu->response = response;
    vu_wake(vu, WAKE_DONE);
}

static uint64_t timeout_ms(lua_State *lua, int index)
{
    double seconds = luaL_checknumber(lua, index);

    if (!(seconds > 0.001)) {
        return 1;
    }
    return (uint64_t)((seconds < LONGEST_TIMEOUT_S ? seconds : LONGEST_TIMEOUT_S) * 1000);
}

static int lua_webdriver_request(lua_State *lua)
{
    static const struct http_header json[] = {{"Content-Type", "application/json; charset=utf-8"}};
    struct vu *vu = vu_current(lua, "tutti.browser");
    size_t size = 0;

    lua_settop(lua, 6);
    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, lua_webdriver_request);
    }
    const char *body = luaL_optlstring(lua, 3, NULL, &size);
    struct http_request request = {
        .method = luaL_checkstring(lua, 1),
        .url = luaL_checkstring(lua, 2),
        .headers = json,
        .header_count = body != NULL ? 1 : 0,
        .body = bytes_of(body, size),
        .has_body = body != NULL,
        .user = luaL_optstring(lua, 5, NULL),
        .password = luaL_optstring(lua, 6, ""),
        .timeout_ms = timeout_ms(lua, 4),
        .max_body_bytes = HTTP_DEFAULT_MAX_BODY_BYTES,
    };
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        return lua_misuse(lua, "tutti.browser: a call that waits is not possible here");
    }
    if (vu->shared->webdriver == NULL) {
        vu->shared->webdriver = http_client_new(vu_http_engine(vu));
    }
    vu_forget_exchange(vu);
    vu->exchange = http_start(vu->shared->webdriver, &request, lua_webdriver_on_done, vu);
    return vu_yield(lua, vu, WAIT_RESPONSE, lua_webdriver_on_response, 0);
}

static int wall(lua_State *lua)
{
    lua_pushnumber(lua, (double)clock_wall_ns() / 1e9);
    return 1;
}

/* Puts the function at index 1 in the place of `reference`. */
static void set_function(lua_State *lua, int *reference)
{
    luaL_checktype(lua, 1, LUA_TFUNCTION);
    lua_settop(lua, 1);
    luaL_unref(lua, LUA_REGISTRYINDEX, *reference);
    *reference = luaL_ref(lua, LUA_REGISTRYINDEX);
}

static int at_end(lua_State *lua)
{
    set_function(lua, &vu_current(lua, "tutti.browser")->shared->closer_reference);
    return 0;
}

static int lua_webdriver_on_failure(lua_State *lua)
{
    set_function(lua, &vu_current(lua, "tutti.browser")->shared->witness_reference);
    return 0;
}

static int lua_webdriver_keep(lua_State *lua)
{
    static const char *const kinds[] = {
        [ARTIFACT_SCREENSHOT] = "screenshot", [ARTIFACT_SOURCE] = "source", NULL};
    const struct vu *vu = vu_current(lua, "tutti.browser");
    enum artifact_kind kind = (enum artifact_kind)luaL_checkoption(lua, 1, NULL, kinds);
    size_t size;
    const char *content = luaL_checklstring(lua, 2, &size);

    vu_keep_artifact(vu, kind, bytes_of(content, size));
    return 0;
}

static int decode_base64(lua_State *lua)
{
    luaL_Buffer buffer;
    size_t size;
    const char *text = luaL_checklstring(lua, 1, &size);
    struct bytes bytes = bytes_of(text, size);
    uint8_t *decoded = (uint8_t *)luaL_buffinitsize(lua, &buffer, base64_decoded_room(bytes));

    if (!base64_decode_to(decoded, bytes, &size)) {
        return 0;
    }
    luaL_pushresultsize(&buffer, size);
    return 1;
}

static int encode_base64(lua_State *lua)
{
    luaL_Buffer buffer;
    size_t size;
    const char *text = luaL_checklstring(lua, 1, &size);
    struct bytes bytes = bytes_of(text, size);
    char *encoded = luaL_buffinitsize(lua, &buffer, base64_encoded_size(bytes));

    base64_encode_to(encoded, bytes);
    luaL_pushresultsize(&buffer, base64_encoded_size(bytes));
    return 1;
}

static int is_root(lua_State *lua)
{
    lua_pushboolean(lua, geteuid() == 0);
    return 1;
}

static int is_system_allowed(lua_State *lua)
{
    lua_pushboolean(lua, script_of(lua)->is_system_allowed);
    return 1;
}

void lua_webdriver_push(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        {"request", lua_webdriver_request},
        {"wall", wall},
        {"at_end", at_end},
        {"on_failure", lua_webdriver_on_failure},
        {"keep", lua_webdriver_keep},
        {"decode_base64", decode_base64},
        {"encode_base64", encode_base64},
        {"is_root", is_root},
        {"is_system_allowed", is_system_allowed},
        {NULL, NULL},
    };

    luaL_newlib(lua, functions);
}
