/* A request as a script asks for it: its arguments and options, checked. */
#include "agent/lua/lua_http_draft.h"

#include "agent/http/message/fields.h"
#include "agent/lua/lua_call.h"
#include "agent/lua/lua_http_form.h"
#include "agent/lua/lua_http_tls.h"
#include "agent/lua/lua_tags.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_json.h"
#include "agent/script/lua_option.h"
#include "proto/message/limits.h"

#include <lauxlib.h>
#include <string.h>
#include <strings.h>

#define LONGEST_TIMEOUT_S 86400.0
/* For the texts of all options; headers need more. */
#define DRAFT_STACK_SLOTS 24

const char *const lua_http_default_options[] = {
    "base",     "headers",          "query",   "auth",  "tls",   "follow", "timeout",
    "max_body", "fresh_connection", "version", "share", "proxy", "tags",   NULL};

enum draft_option {
    DRAFT_HEADERS,
    DRAFT_BODY,
    DRAFT_JSON,
    DRAFT_FORM,
    DRAFT_MULTIPART,
    DRAFT_TIMEOUT,
    DRAFT_FOLLOW,
    DRAFT_AUTH,
    DRAFT_NAME,
    DRAFT_QUERY,
    DRAFT_MAX_BODY,
    DRAFT_TLS,
    DRAFT_BASE,
    DRAFT_FRESH_CONNECTION,
    DRAFT_VERSION,
    DRAFT_SHARE,
    DRAFT_PROXY,
    DRAFT_TAGS,
    DRAFT_OPTION_COUNT
};

static const char *const draft_options[DRAFT_OPTION_COUNT + 1] = {
    "headers", "body",  "json",  "form",     "multipart", "timeout", "follow",
    "auth",    "name",  "query", "max_body", "tls",       "base",    "fresh_connection",
    "version", "share", "proxy", "tags",     NULL};

/* Whether an option is given, and pushes its value if so. Only those that are given are looked up: most
 * requests have one or two. */
static bool draft_get(lua_State *lua, const struct lua_http_draft *draft, enum draft_option option)
{
    bool is_given = (draft->given & UINT32_C(1) << option) != 0;

    if (is_given) {
        (void)lua_option_get(lua, LUA_HTTP_OPTIONS, draft_options[option]);
    }
    return is_given;
}

/* One that is true or false; false where it is not given. */
static bool draft_get_flag(lua_State *lua, const struct lua_http_draft *draft, enum draft_option option)
{
    if (!draft_get(lua, draft, option)) {
        return false;
    }
    if (!lua_isboolean(lua, -1)) {
        lua_misuse(lua, "http: %s is true or false, not a %s", draft_options[option], luaL_typename(lua, -1));
    }
    bool flag = lua_toboolean(lua, -1);
    lua_pop(lua, 1);
    return flag;
}

static void draft_check_text(lua_State *lua, int index, const char *what)
{
    size_t size = 0;
    const char *text = lua_tolstring(lua, index, &size); /* a number becomes text in its place */

    if (text == NULL) {
        lua_misuse(lua, "http: %s is a string, not a %s", what, luaL_typename(lua, index));
    }
    if (!field_is_value(bytes_of(text, size))) {
        lua_misuse(lua, "http: %s must not hold a line break", what);
    }
}

/* Methods depend on case, and those that everybody knows are upper case; scripts write them in any. */
void lua_http_draft_check_method(lua_State *lua)
{
    static const char *const known[] = {"GET",   "HEAD",    "POST",    "PUT",  "DELETE",
                                        "PATCH", "OPTIONS", "CONNECT", "TRACE"};

    draft_check_text(lua, LUA_HTTP_METHOD, "the method");
    const char *method = lua_tostring(lua, LUA_HTTP_METHOD);
    const char *at = method;

    while (*at != 0 && (*at < 'a' || *at > 'z')) {
        at++;
    }
    if (*at == 0) {
        return;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcasecmp(method, known[i]) == 0) {
            lua_pushstring(lua, known[i]);
            lua_replace(lua, LUA_HTTP_METHOD);
            return;
        }
    }
}

void lua_http_draft_sort_arguments(lua_State *lua)
{
    int third = lua_type(lua, 3);
    int fourth = lua_type(lua, 4);

    if (lua_type(lua, LUA_HTTP_URL) == LUA_TNUMBER) {
        lua_misuse(lua, "http: the URL is a string, not a number");
    }
    if (lua_type(lua, LUA_HTTP_URL) == LUA_TTABLE) {
        lua_misuse(lua,
                   "http: the URL is a string, not a table; http.get and the like are called with a dot");
    }
    draft_check_text(lua, LUA_HTTP_URL, "the URL");
    if (fourth == LUA_TNIL && (third == LUA_TNIL || third == LUA_TTABLE)) {
        return;
    }
    if (third == LUA_TTABLE) {
        lua_misuse(lua, "http: the body is a string, not a table (the option json sends a table as JSON)");
    }
    if (third != LUA_TNIL && third != LUA_TSTRING && third != LUA_TFUNCTION) {
        lua_misuse(lua, "http: the third argument is a body (a string) or a table of options, not a %s",
                   luaL_typename(lua, 3));
    }
    if (fourth != LUA_TNIL && fourth != LUA_TTABLE) {
        lua_misuse(lua, "http: the options are a table, not a %s", luaL_typename(lua, 4));
    }
    lua_pushvalue(lua, 3);
    lua_copy(lua, 4, 3);
    lua_replace(lua, 4);
}

static void draft_add_header(lua_State *lua, struct lua_http_draft *draft, const char *name,
                             const char *value)
{
    if (draft->request.header_count == LUA_HTTP_MAX_HEADERS) {
        lua_misuse(lua, "http: more than %d headers", LUA_HTTP_MAX_HEADERS);
    }
    draft->headers[draft->request.header_count++] = (struct http_header){.name = name, .value = value};
}

/* Leaves names and values on the stack: they live as long as the request, even if the table changes. */
static void draft_read_headers(lua_State *lua, struct lua_http_draft *draft)
{
    if (!draft_get(lua, draft, DRAFT_HEADERS)) {
        return;
    }
    if (!lua_istable(lua, -1)) {
        lua_misuse(lua, "http: headers is a table, not a %s", luaL_typename(lua, -1));
    }
    int headers = lua_gettop(lua);
    lua_pushnil(lua);
    while (lua_next(lua, headers)) {
        luaL_checkstack(lua, 4, NULL);
        if (lua_type(lua, -2) != LUA_TSTRING) {
            lua_misuse(lua, "http: headers is a table of name = value");
        }
        draft_check_text(lua, -2, "the name of a header");
        draft_check_text(lua, -1, lua_tostring(lua, -2));
        draft_add_header(lua, draft, lua_tostring(lua, -2), lua_tostring(lua, -1));
        lua_pushvalue(lua, -2);
    }
}

/* NULL if there is none. */
static const char *draft_find_header(const struct lua_http_draft *draft, const char *name)
{
    for (size_t i = 0; i < draft->request.header_count; i++) {
        if (strcasecmp(draft->headers[i].name, name) == 0) {
            return draft->headers[i].value;
        }
    }
    return NULL;
}

static bool draft_has_header(const struct lua_http_draft *draft, const char *name)
{
    return draft_find_header(draft, name) != NULL;
}

/* The value on top becomes the body's text, which for JSON is no string; what it is goes into a header,
 * unless the script has given one. */
static void draft_encode(lua_State *lua, struct lua_http_draft *draft, const char *option)
{
    const char *type;

    if (strcmp(option, "json") == 0) {
        draft->request.body = lua_json_write_text(lua, -1, &draft->json);
        type = "application/json";
    } else if (strcmp(option, "form") == 0) {
        lua_http_push_form(lua, -1);
        type = "application/x-www-form-urlencoded";
    } else {
        lua_http_push_multipart(lua, -1);
        type = lua_tostring(lua, -1);
        lua_insert(lua, -2);
    }
    if (!draft_has_header(draft, "content-type")) {
        draft_add_header(lua, draft, "Content-Type", type);
    }
}

/* Pushes the body, or nil: it is given once, as an argument or by an option. */
static void draft_push_body(lua_State *lua, struct lua_http_draft *draft)
{
    const char *given = lua_isnil(lua, LUA_HTTP_BODY) ? NULL : "an argument";

    lua_pushvalue(lua, LUA_HTTP_BODY);
    for (int option = DRAFT_BODY; option <= DRAFT_MULTIPART; option++) {
        const char *name = draft_options[option];
        if (!draft_get(lua, draft, (enum draft_option)option)) {
            continue;
        }
        if (given != NULL && !lua_isnil(lua, LUA_HTTP_BODY)) {
            lua_misuse(lua, "http: the body is given twice: as an argument, and by the option %s", name);
        }
        if (given != NULL) {
            lua_misuse(lua, "http: %s and %s are both given: a request has one body", given, name);
        }
        given = name;
    }
    if (given != NULL && lua_isnil(lua, LUA_HTTP_BODY) && strcmp(given, "body") != 0) {
        draft_encode(lua, draft, given);
    }
}

static void draft_read_body(lua_State *lua, struct lua_http_draft *draft)
{
    size_t size;

    draft_push_body(lua, draft);
    if (draft->request.body.size > 0) { /* JSON is never empty */
        draft->request.has_body = true;
        return;
    }
    if (lua_isnil(lua, -1)) {
        return;
    }
    if (lua_type(lua, -1) == LUA_TFUNCTION) {
        draft->request.has_body = draft->request.is_chunked = true;
        lua_replace(lua, LUA_HTTP_BODY);
        return;
    }
    if (lua_type(lua, -1) != LUA_TSTRING) {
        lua_misuse(lua, "http: body is a string or a function, not a %s", luaL_typename(lua, -1));
    }
    const char *body = lua_tolstring(lua, -1, &size);
    draft->request.body = bytes_of(body, size);
    draft->request.has_body = true;
}

static void draft_read_limits(lua_State *lua, struct lua_http_draft *draft)
{
    if (draft_get(lua, draft, DRAFT_TIMEOUT)) {
        double seconds = lua_type(lua, -1) == LUA_TNUMBER ? lua_tonumber(lua, -1) : -1;
        if (!(seconds > 0 && seconds <= LONGEST_TIMEOUT_S)) {
            lua_misuse(lua, "http: timeout is a number of seconds, more than 0");
        }
        draft->request.timeout_ms = seconds < 0.001 ? 1 : (uint64_t)(seconds * 1000 + 0.5);
        lua_pop(lua, 1);
    }
    if (draft_get(lua, draft, DRAFT_MAX_BODY)) {
        if (!lua_isinteger(lua, -1) || lua_tointeger(lua, -1) < 0) {
            lua_misuse(lua, "http: max_body is a number of bytes");
        }
        draft->request.max_body_bytes = (uint64_t)lua_tointeger(lua, -1);
        lua_pop(lua, 1);
    }
    draft->request.is_followed = draft_get_flag(lua, draft, DRAFT_FOLLOW);
    draft->request.is_fresh = draft_get_flag(lua, draft, DRAFT_FRESH_CONNECTION);
}

/* Raises for names that `auth` does not know. */
static void draft_check_auth(lua_State *lua, int auth)
{
    lua_option_check_plain(lua, auth, "http: auth");
    for (lua_pushnil(lua); lua_next(lua, auth); lua_pop(lua, 1)) {
        bool is_place =
            lua_isinteger(lua, -2) && (lua_tointeger(lua, -2) == 1 || lua_tointeger(lua, -2) == 2);
        bool is_name = lua_type(lua, -2) == LUA_TSTRING && (strcmp(lua_tostring(lua, -2), "digest") == 0 ||
                                                            strcmp(lua_tostring(lua, -2), "bearer") == 0);
        if (!is_place && !is_name) {
            lua_misuse(lua, "http: auth: unknown option %s", luaL_tolstring(lua, -2, NULL));
        }
    }
}

/* The token is on top of the stack. A header of the script's own is sent in its place. */
static void draft_use_token(lua_State *lua, struct lua_http_draft *draft, int auth)
{
    draft_check_text(lua, -1, "auth.bearer");
    bool has_user = lua_rawgeti(lua, auth, 1) != LUA_TNIL;
    if (has_user || lua_option_get(lua, auth, "digest") != LUA_TNIL) {
        lua_misuse(lua, "http: auth has a bearer token, or a user and password, not both");
    }
    lua_pop(lua, 2);
    lua_pushfstring(lua, "Bearer %s", lua_tostring(lua, -1));
    if (!draft_has_header(draft, "authorization")) {
        draft_add_header(lua, draft, "Authorization", lua_tostring(lua, -1));
    }
}

/* As numbers or as text: 1.1 and 2, as a response has it. */
static void draft_read_version(lua_State *lua, struct lua_http_draft *draft)
{
    if (draft_get(lua, draft, DRAFT_VERSION)) {
        double version = lua_tonumber(lua, -1);
        if (!lua_isnumber(lua, -1) || (version != 2 && version != 1.1)) {
            lua_misuse(lua, "http: version is 1.1 or 2");
        }
        draft->request.is_http2 = version == 2;
        lua_pop(lua, 1);
    }
    if (draft_get(lua, draft, DRAFT_SHARE)) {
        if (lua_type(lua, -1) != LUA_TSTRING || strcmp(lua_tostring(lua, -1), "agent") != 0) {
            lua_misuse(lua, "http: share is \"agent\", if it is given");
        }
        if (!draft->request.is_http2) {
            lua_misuse(lua, "http: share needs version = 2: a connection of HTTP/1.1 serves one request");
        }
        draft->request.is_shared = true;
        lua_pop(lua, 1);
    }
}

static void draft_read_auth(lua_State *lua, struct lua_http_draft *draft)
{
    if (!draft_get(lua, draft, DRAFT_AUTH)) {
        return;
    }
    if (!lua_istable(lua, -1)) {
        lua_misuse(lua, "http: auth is { user, password } or { bearer = token }");
    }
    int auth = lua_gettop(lua);
    draft_check_auth(lua, auth);
    if (lua_option_get(lua, auth, "bearer") != LUA_TNIL) {
        draft_use_token(lua, draft, auth);
        return;
    }
    if (lua_option_get(lua, auth, "digest") != LUA_TNIL && !lua_isboolean(lua, -1)) {
        lua_misuse(lua, "http: auth.digest is true or false, not a %s", luaL_typename(lua, -1));
    }
    draft->request.is_digest = lua_toboolean(lua, -1);
    lua_rawgeti(lua, auth, 1);
    lua_rawgeti(lua, auth, 2);
    draft_check_text(lua, -2, "auth[1]");
    draft_check_text(lua, -1, "auth[2]");
    draft->request.user = lua_tostring(lua, -2);
    draft->request.password = lua_tostring(lua, -1);
}

/* false is none: to take back what a default says. */
static void draft_read_proxy(lua_State *lua, struct lua_http_draft *draft)
{
    if (!draft_get(lua, draft, DRAFT_PROXY)) {
        return;
    }
    if (lua_isboolean(lua, -1) && !lua_toboolean(lua, -1)) {
        return;
    }
    if (lua_type(lua, -1) != LUA_TSTRING || lua_rawlen(lua, -1) == 0) {
        lua_misuse(lua, "http: proxy is \"http://user:password@host:port\", \"environment\" or false");
    }
    draft_check_text(lua, -1, "proxy");
    draft->request.proxy = lua_tostring(lua, -1);
}

static void draft_read_name(lua_State *lua, const struct lua_http_draft *draft)
{
    size_t size = 0;

    if (!draft_get(lua, draft, DRAFT_NAME)) {
        return;
    }
    const char *name = lua_type(lua, -1) == LUA_TSTRING ? lua_tolstring(lua, -1, &size) : NULL;
    if (size == 0 || size > LIMIT_NAME_BYTES || !bytes_is_printable(bytes_of(name, size))) {
        lua_misuse(lua, "http: name is printable text of 1 to %u bytes", LIMIT_NAME_BYTES);
    }
    lua_replace(lua, LUA_HTTP_NAME);
}

static void draft_read_tags(lua_State *lua, const struct lua_http_draft *draft)
{
    if (!draft_get(lua, draft, DRAFT_TAGS)) {
        return;
    }
    struct tag_set tags = lua_tags_read(lua, lua_gettop(lua), "http");
    lua_tags_push_label(lua, LUA_HTTP_NAME, &tags);
    lua_replace(lua, LUA_HTTP_NAME);
}

void lua_http_draft_read(lua_State *lua, struct lua_http_draft *draft)
{
    draft->request = (struct http_request){
        .method = lua_tostring(lua, LUA_HTTP_METHOD),
        .url = lua_tostring(lua, LUA_HTTP_URL),
        .tls = vu_current_tls(lua),
        .timeout_ms = HTTP_DEFAULT_TIMEOUT_MS,
        .max_body_bytes = HTTP_DEFAULT_MAX_BODY_BYTES,
    };
    draft->given = 0;
    lua_settop(lua, LUA_HTTP_NAME);
    if (lua_isnil(lua, LUA_HTTP_OPTIONS) && lua_isnil(lua, LUA_HTTP_BODY)) {
        return;
    }
    luaL_checkstack(lua, DRAFT_STACK_SLOTS, NULL);
    if (!lua_isnil(lua, LUA_HTTP_OPTIONS)) {
        draft->given = lua_call_check_options(lua, LUA_HTTP_OPTIONS, "http", draft_options);
        draft_read_headers(lua, draft);
        luaL_checkstack(lua, DRAFT_STACK_SLOTS, NULL);
        draft->request.headers = draft->headers;
        draft_read_limits(lua, draft);
        draft_read_version(lua, draft);
        draft_read_auth(lua, draft);
        draft_read_proxy(lua, draft);
        draft_read_name(lua, draft);
        draft_read_tags(lua, draft);
        if (draft_get(lua, draft, DRAFT_TLS)) {
            draft->tls = draft->request.tls != NULL ? *draft->request.tls : (struct http_tls){0};
            lua_http_read_tls(lua, lua_gettop(lua), &draft->tls);
            draft->request.tls = &draft->tls;
        }
    }
    draft_read_body(lua, draft);
}

void lua_http_draft_trace(struct vu *vu, struct lua_http_draft *draft)
{
    if (!vu_may_trace(vu)) {
        return;
    }
    const char *own = draft_find_header(draft, TRACE_HEADER);
    draft->trace.is_set = false;
    if (own != NULL) {
        vu_read_trace(bytes_of_string(own), &draft->trace);
    } else if (vu_draw_trace(vu, &draft->trace, draft->trace_header)) {
        draft->request.headers = draft->headers;
        draft->headers[draft->request.header_count++] =
            (struct http_header){.name = TRACE_HEADER, .value = draft->trace_header};
    }
    draft->request.trace = draft->trace.is_set ? &draft->trace : NULL;
}
