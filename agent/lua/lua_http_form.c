/* The options `query` and `form` of a request, as text. */
#include "agent/lua/lua_http_form.h"

#include "agent/lua/lua_query.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_option.h"

#include <lauxlib.h>

static void form_push(lua_State *lua, int index, const struct lua_query_style *style)
{
    if (!lua_istable(lua, index)) {
        lua_misuse(lua, "%s is a table, not a %s", style->subject, luaL_typename(lua, index));
    }
    lua_option_check_plain(lua, index, "http");
    lua_query_push_text(lua, index, style);
}

void lua_http_push_query(lua_State *lua, int index)
{
    const struct lua_query_style style = {.subject = "http: query"};

    form_push(lua, lua_absindex(lua, index), &style);
}

void lua_http_push_form(lua_State *lua, int index)
{
    const struct lua_query_style style = {.subject = "http: form", .is_form = true};

    form_push(lua, lua_absindex(lua, index), &style);
}
