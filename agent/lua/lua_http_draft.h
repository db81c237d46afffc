/* A request as a script asks for it: its arguments and options, checked. */
#pragma once
#include "agent/http/engine.h"
#include "agent/script/lua_json.h"
#include "agent/shard/vu_trace.h"

#include <lua.h>
#include <stdint.h>

#define LUA_HTTP_MAX_HEADERS 100

/* Where the arguments are on the stack. The name is read once, since a metamethod could change it: it is put
 * beside the options with the tags, as lua_tags_push_label has it. */
enum lua_http_index { LUA_HTTP_METHOD = 1, LUA_HTTP_URL, LUA_HTTP_OPTIONS, LUA_HTTP_BODY, LUA_HTTP_NAME };

/* Everything in it is borrowed from the stack, or from the draft itself. */
struct lua_http_draft {
    struct http_request request;
    struct http_header headers[LUA_HTTP_MAX_HEADERS + 1]; /* the last place is for that of its trace */
    struct http_trace trace;
    char trace_header[TRACE_HEADER_BYTES];
    struct http_tls tls;
    struct json_text json; /* the body, if it is such and short */
    uint32_t given;        /* a bit for each option that the request has */
};

/* What a session may set for its requests; ends with NULL. */
extern const char *const lua_http_default_options[];

/* Raises if the method at 1 is none; one that everybody knows is put into upper case. */
void lua_http_draft_check_method(lua_State *lua);
/* Checks the arguments of a request at 1 to 4: a method that is in order, URL, and then options, or a body
 * and options; leaves them at their indices, with the options and the body nil where there are none. Raises
 * what is wrong. */
void lua_http_draft_sort_arguments(lua_State *lua);
/* After lua_http_complete, which has used `base` and `query`: fills the draft, and what is at LUA_HTTP_NAME.
 * The texts are above it on the stack. Raises what is wrong. */
void lua_http_draft_read(lua_State *lua, struct lua_http_draft *draft);
/* When it is about to leave: gives it a trace, where the campaign wants that. A header `traceparent` of the
 * script's own stays. */
void lua_http_draft_trace(struct vu *vu, struct lua_http_draft *draft);
