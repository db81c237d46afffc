/* The module `tutti.http`: requests of the worker whose turn it is. */
#include "agent/lua/lua_http.h"

#include "agent/lua/lua_http_batch.h"
#include "agent/lua/lua_http_cookies.h"
#include "agent/lua/lua_http_defaults.h"
#include "agent/lua/lua_http_draft.h"
#include "agent/lua/lua_http_stream.h"
#include "agent/lua/lua_http_upload.h"
#include "agent/lua/lua_response.h"
#include "agent/lua/lua_tags.h"
#include "agent/lua/lua_worker.h"
#include "agent/script/error_key.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/shard/step_wrapper.h"
#include "agent/shard/vu_api.h"
#include "agent/shard/vu_network.h"
#include "common/clock.h"
#include "proto/message/limits.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

/* A report shows text; a URL may hold any bytes. */
static void mend_name(char *name, size_t size)
{
    if (bytes_is_printable(bytes_of(name, size))) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        name[i] = name[i] > ' ' && name[i] < 127 ? name[i] : name[i] == ' ' ? ' ' : '?';
    }
}

/* As much of the text as there is room for. */
static size_t append_to_name(char *name, size_t size, struct bytes text)
{
    size_t room = LIMIT_NAME_BYTES - 1 - size;
    size_t count = text.size < room ? text.size : room;

    memcpy(name + size, text.data, count);
    return size + count;
}

/* Of a URL as the script wrote it: "/" if it has none. */
static struct bytes path_of(const char *url)
{
    const char *colon = strchr(url, ':');

    if (colon != NULL && colon[1] == '/' && colon[2] == '/') {
        url = colon + 3;
    }
    url += strcspn(url, "/?#");
    const char *end = url + strcspn(url, "?#");
    return *url == '/' ? bytes_of(url, (size_t)(end - url)) : bytes_of("/", 1);
}

struct bytes lua_http_name(lua_State *lua, char buffer[LIMIT_NAME_BYTES])
{
    size_t size;
    struct bytes name = lua_tags_label_name(lua, 3);

    if (name.size > 0) {
        return name;
    }
    const char *method = lua_tolstring(lua, 1, &size);
    struct bytes target = path_of(lua_tostring(lua, 2));
    size = append_to_name(buffer, 0, bytes_of(method, size));
    size = append_to_name(buffer, size, bytes_of(" ", 1));
    size = append_to_name(buffer, size, target);
    mend_name(buffer, size);
    return bytes_of(buffer, size);
}

/* The message has the address and what was measured; the group has what such failures have in common. */
void lua_http_push_failure(lua_State *lua, const struct http_response *response)
{
    const char *kind = http_failure_name(response->failure);
    char name[LIMIT_NAME_BYTES];
    char text[700];
    char folded[LIMIT_NAME_BYTES];
    char group[2 * LIMIT_NAME_BYTES];

    snprintf(text, sizeof text, "%.10s %.300s: %.300s", lua_tostring(lua, 1), lua_tostring(lua, 2),
             response->text != NULL ? response->text : kind);
    /* A proxy's refusals are told apart by its status. */
    uint32_t status = response->failure == HTTP_PROXY ? response->status : 0;
    char what[32];
    if (status != 0) {
        snprintf(what, sizeof what, "%s %u", kind, status);
    } else {
        snprintf(what, sizeof what, "%s", kind);
    }
    struct bytes named = lua_http_name(lua, name);
    if (lua_tags_label_name(lua, 3).size > 0) {
        snprintf(group, sizeof group, "%.32s %.*s: %s", lua_tostring(lua, 1), BYTES_FORMAT(named), what);
    } else {
        error_key_fold(named, folded, sizeof folded);
        snprintf(group, sizeof group, "%s: %s", folded, what);
    }
    struct lua_failure failure = {
        .kind = kind, .phase = response->phase, .status = status, .group = group, .message = text};
    lua_failure_push(lua, &failure);
}

static void lua_http_log(lua_State *lua, struct vu *vu, const struct request_sample *sample,
                         const struct http_response *response)
{
    const struct logged_request logged = {.method = lua_tostring(lua, 1),
                                          .url = lua_tostring(lua, 2),
                                          .name = sample->name,
                                          .is_ok = sample->is_ok,
                                          .response = response};

    vu_log_request(vu, &logged);
}

bool lua_http_push_outcome(lua_State *lua, struct vu *vu, const struct http_response *response)
{
    char buffer[LIMIT_NAME_BYTES];
    struct request_sample sample = {.name = lua_http_name(lua, buffer),
                                    .is_ok = response->failure == HTTP_OK && response->status < 400,
                                    .is_unsent = response->failure != HTTP_OK && !response->has_left,
                                    .latency_us = response->timings.total_us,
                                    .status = response->failure == HTTP_OK ? response->status : 0,
                                    .received_bytes = response->received_bytes,
                                    .sent_bytes = response->sent_bytes,
                                    .phase_us =
                                        vu_options(vu)->has_phases ? response->timings.phase_us : NULL,
                                    .tags = lua_tags_label_tags(lua, 3)};

    vu_note_plan(vu, &sample);
    vu_measure(vu, &sample);
    vu_keep_trace(vu, sample.name, response);
    if (vu_has_log(vu)) {
        lua_http_log(lua, vu, &sample, response);
    }
    if (response->failure != HTTP_OK) {
        lua_http_push_failure(lua, response);
        return false;
    }
    const struct lua_response_booking booking = {
        .name = sample.name, .tags = sample.tags, .is_ok = sample.is_ok};
    lua_response_push(lua, response, 2, &booking);
    return true;
}

static int lua_http_on_response(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, "http");

    (void)status, (void)context;
    vu_resumed(lua, vu, WAIT_RESPONSE);
    struct http_response *response = vu->response;
    if (response == NULL) {
        return lua_misuse(lua, "http: a coroutine that waits was resumed without a response");
    }
    bool is_response = lua_http_push_outcome(lua, vu, response);
    vu_forget_exchange(vu);
    return is_response ? 1 : lua_error(lua);
}

static void lua_http_on_done(void *context, struct http_response *response)
{
    struct vu *vu = context;

    vu->response = response;
    vu_wake(vu, WAKE_DONE);
}

void lua_http_need_client(struct vu *vu)
{
    if (vu->shared->http == NULL) {
        vu->shared->http = http_client_new(vu_http_engine(vu));
        vu_network_set(vu, vu->shared->http);
    }
}

/* raw(method, url, options, body) */
static int request_raw(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "http");
    struct lua_http_draft draft;
    uint64_t now_ns = clock_now_ns();

    lua_settop(lua, LUA_HTTP_BODY);
    if (vu_has_no_lease_at(vu, now_ns)) {
        return vu_await_lease(lua, vu, request_raw);
    }
    lua_http_draft_read(lua, &draft);
    draft.request.now_ns = draft.given == 0 ? now_ns : 0; /* options take their time */
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        return lua_misuse(lua, "http: a call that waits is not possible here");
    }
    lua_http_draft_trace(vu, &draft);
    lua_http_need_client(vu);
    if (draft.request.is_chunked) {
        return lua_http_upload(lua, vu, &draft);
    }
    vu_forget_exchange(vu);
    vu->exchange = http_start(vu->shared->http, &draft.request, lua_http_on_done, vu);
    lua_copy(lua, LUA_HTTP_NAME, 3);
    lua_settop(lua, 3);
    return vu_yield(lua, vu, WAIT_RESPONSE, lua_http_on_response, 0);
}

static int on_told(lua_State *lua, int status, lua_KContext context)
{
    (void)lua, (void)status, (void)context;
    return 1;
}

int lua_http_send(lua_State *lua, lua_CFunction raw)
{
    struct script *script = script_of(lua);

    lua_http_draft_sort_arguments(lua);
    lua_http_complete(lua, LUA_HTTP_NAME);
    lua_settop(lua, LUA_HTTP_BODY);
    if (!step_wrapper_has_listeners(script) || vu_is_global(vu_current(lua, "http"))) {
        return raw(lua);
    }
    step_wrapper_push_request(lua);
    lua_insert(lua, 1);
    lua_pushcfunction(lua, raw);
    lua_insert(lua, 2);
    lua_worker_push(lua, script->current);
    lua_insert(lua, 3);
    lua_callk(lua, 6, 1, 0, on_told);
    return 1;
}

/* Takes the arguments of a function of the module, or of a session that is the first of them, and puts the
 * options that stand under theirs at LUA_HTTP_NAME. */
static void lua_http_take_arguments(lua_State *lua, int count, bool is_of_session)
{
    lua_settop(lua, count + is_of_session);
    lua_http_push_defaults(lua, is_of_session);
}

/* http.request(method, url, body, options); whether it is a session's is the upvalue. */
static int request_by_method(lua_State *lua)
{
    lua_http_take_arguments(lua, 4, lua_toboolean(lua, lua_upvalueindex(1)));
    lua_http_draft_check_method(lua);
    return lua_http_send(lua, request_raw);
}

/* http.get(url, options), http.put(url, body, options) and their siblings; whether it is a session's and the
 * method are the upvalues. */
static int request_by_name(lua_State *lua)
{
    lua_http_take_arguments(lua, 3, lua_toboolean(lua, lua_upvalueindex(1)));
    lua_pushvalue(lua, lua_upvalueindex(2));
    lua_insert(lua, 1);
    return lua_http_send(lua, request_raw);
}

/* Pushes a table of the functions that the module and sessions have; each has as its first upvalue whether
 * it is a session's. */
static void lua_http_push_functions(lua_State *lua, bool is_of_session)
{
    static const char *const methods[][2] = {{"get", "GET"},     {"post", "POST"},     {"put", "PUT"},
                                             {"patch", "PATCH"}, {"delete", "DELETE"}, {"head", "HEAD"}};

    static const luaL_Reg others[] = {{"request", request_by_method},
                                      {"batch", lua_http_batch},
                                      {"stream", lua_http_stream},
                                      {"cookies", lua_http_cookies},
                                      {"set_cookie", lua_http_set_cookie},
                                      {"clear_cookies", lua_http_clear_cookies},
                                      {"close", lua_http_close}};

    lua_createtable(lua, 0, 12);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        lua_pushboolean(lua, is_of_session);
        lua_pushstring(lua, methods[i][1]);
        lua_pushcclosure(lua, request_by_name, 2);
        lua_setfield(lua, -2, methods[i][0]);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        lua_pushboolean(lua, is_of_session);
        lua_pushcclosure(lua, others[i].func, 1);
        lua_setfield(lua, -2, others[i].name);
    }
}

int luaopen_tutti_http(lua_State *lua)
{
    lua_http_push_functions(lua, true);
    lua_http_push_functions(lua, false);
    lua_http_session_register(lua);
    return 1;
}
