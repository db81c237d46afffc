/* The response to a request, as a script sees it. */
#pragma once
#include "agent/http/engine.h"
#include "proto/message/tags.h"

#include <lua.h>

/* How the report counts the request. */
struct lua_response_booking {
    struct bytes name;
    struct tag_set tags;
    bool is_ok;
};

/* Pushes a copy of the response. `url_index` is the stack index of the URL that was requested. */
void lua_response_push(lua_State *lua, const struct http_response *response, int url_index,
                       const struct lua_response_booking *booking);

/* What judges a response looks at. Borrowed from it. */
struct lua_response_facts {
    uint32_t status;
    double total_s;
    struct lua_response_booking booking;
    bool is_judged; /* the script has changed how it is counted */
};
/* Of the response at index 1; raises for anything else there. */
struct lua_response_facts lua_response_facts(lua_State *lua);
/* The script has judged it: from now on it is counted like this. */
void lua_response_rebook(lua_State *lua, bool is_ok);
/* Pushes the body, or the headers, of the response at index 1. */
void lua_response_push_body(lua_State *lua);
void lua_response_push_headers(lua_State *lua);
/* Pushes the body decoded as JSON; raises if it is none. */
void lua_response_push_json(lua_State *lua);
