/* Sends operations and turns outcomes into results or error objects. */
#include "agent/lua/lua_call.h"

#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_TIMEOUT_S (365.0 * 86400)

void lua_call_prepare(lua_State *lua, struct vu *vu, struct operation *operation, enum operation_kind kind,
                      int index)
{
    size_t size;
    const char *name = luaL_checklstring(lua, index, &size);

    if (!bytes_is_printable(bytes_of(name, size))) {
        lua_misuse(lua, "%s: a name is printable text", operation_name(kind));
    }
    lua_call_fill(vu, operation, kind, bytes_of(name, size));
}

void lua_call_fill(const struct vu *vu, struct operation *operation, enum operation_kind kind,
                   struct bytes name)
{
    *operation = (struct operation){
        .kind = kind,
        .room = vu_room(vu),
        .name = name,
        .step = vu->step,
    };
}

uint64_t lua_call_timeout(lua_State *lua, int index, const char *function)
{
    if (lua_isnoneornil(lua, index)) {
        return 0;
    }
    double seconds = lua_type(lua, index) == LUA_TNUMBER ? lua_tonumber(lua, index) : -1;
    if (!(seconds >= 0 && seconds <= LONGEST_TIMEOUT_S)) {
        lua_misuse(lua, "%s: a timeout is a number of seconds, not negative", function);
    }
    uint64_t timeout_ms = (uint64_t)(seconds * 1000 + 0.5);
    return timeout_ms > 0 ? timeout_ms : 1;
}

/* The index of the name on top of the stack but one; raises if there is none. */
static unsigned lua_call_find_option(lua_State *lua, const char *function, const char *const *names)
{
    const char *given = lua_type(lua, -2) == LUA_TSTRING ? lua_tostring(lua, -2) : "";
    unsigned i = 0;

    while (names[i] != NULL && (names[i][0] != given[0] || strcmp(names[i], given) != 0)) {
        i++;
    }
    if (names[i] == NULL) {
        lua_misuse(lua, "%s: unknown option %s", function, luaL_tolstring(lua, -2, NULL));
    }
    return i;
}

uint32_t lua_call_check_options(lua_State *lua, int index, const char *function, const char *const *names)
{
    uint32_t given = 0;

    if (lua_isnoneornil(lua, index)) {
        return 0;
    }
    if (!lua_istable(lua, index)) {
        lua_misuse(lua, "%s: expected a table of options, got a %s", function, luaL_typename(lua, index));
    }
    lua_option_check_plain(lua, index, function);
    for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
        given |= UINT32_C(1) << lua_call_find_option(lua, function, names);
    }
    return given;
}

static void raise_outcome(lua_State *lua, struct vu *vu, enum operation_kind kind, double waited_s)
{
    const struct reply *reply = shared_reply_get(vu->answer);
    char name[80];
    char text[LUAL_BUFFERSIZE];

    if (reply->outcome == OUTCOME_STOPPED) {
        bytes_to_text(reply->text, text, sizeof text);
        vu_raise_stopped(lua, vu, waited_s, text);
    }
    bytes_to_text(reply->name, name, sizeof name);
    if (reply->text.size > 0) {
        bytes_to_text(reply->text, text, sizeof text);
    } else {
        snprintf(text, sizeof text, "%s of %s: %s after %.3g s", operation_name(kind), name,
                 outcome_name(reply->outcome), waited_s);
    }
    bool is_barrier = reply->kind == OPERATION_BARRIER;
    struct lua_failure failure = {.outcome = outcome_name(reply->outcome),
                                  .arrived = is_barrier ? reply->count : 0,
                                  .parties = is_barrier ? reply->total : 0,
                                  .waited_s = waited_s,
                                  .missing = &reply->missing,
                                  .message = text,
                                  .is_by_loss = reply->is_by_loss};
    lua_failure_raise(lua, &failure);
}

static bool call_is_digit(const struct bytes *name, size_t index)
{
    return name->data[index] >= '0' && name->data[index] <= '9';
}

/* Variables that a script numbers ("turn-17", "turn-18") are awaited as one: "turn-N". */
static struct bytes name_of_wait(const struct reply *reply, char folded[LIMIT_NAME_BYTES])
{
    size_t size = 0;
    bool is_variable = reply->kind == OPERATION_GET_OR_MAKE || reply->kind == OPERATION_WAIT_SET ||
                       reply->kind == OPERATION_WAIT_CHANGED;

    for (size_t i = 0; is_variable && i < reply->name.size && size < LIMIT_NAME_BYTES; i++) {
        bool is_digit = call_is_digit(&reply->name, i);
        if (!is_digit || i == 0 || !call_is_digit(&reply->name, i - 1)) {
            folded[size++] = is_digit ? 'N' : (char)reply->name.data[i];
        }
    }
    return is_variable ? bytes_of(folded, size) : reply->name;
}

typedef int finish_function(lua_State *lua, struct vu *vu, const struct reply *reply);

static int lua_call_try(lua_State *lua, struct vu *vu, const struct operation *operation,
                        finish_function *finish);

static int on_answer(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, "an answer");
    finish_function *finish = (finish_function *)context;

    (void)status;
    vu_resumed(lua, vu, WAIT_ANSWER);
    if (vu->answer == NULL) {
        return lua_misuse(lua, "a coroutine that waits was resumed without an answer");
    }
    const struct reply *reply = shared_reply_get(vu->answer);
    uint64_t waited_ns = vu_turn_ns(vu) - vu->wait_began_ns;
    if (operation_is_wait(reply->kind)) {
        char folded[LIMIT_NAME_BYTES];
        struct bytes name = name_of_wait(reply, folded);
        meter_wait(vu_meter(vu), name, reply->kind, reply->outcome, waited_ns / 1000);
    }
    if (reply->outcome != OUTCOME_OK) {
        raise_outcome(lua, vu, reply->kind, (double)waited_ns / 1e9);
    }
    int results = finish(lua, vu, reply);
    vu_drop_answer(vu);
    return results;
}

static int lua_call_refuse(lua_State *lua, const struct error *error)
{
    struct lua_failure failure = {.outcome = outcome_name(OUTCOME_REFUSED), .message = error->text};

    return lua_failure_raise(lua, &failure);
}

/* Its turn to call has come. */
static int on_room(lua_State *lua, int status, lua_KContext context)
{
    struct vu *vu = vu_current(lua, "a call");

    (void)status;
    vu_resumed(lua, vu, WAIT_CALL);
    if (vu->parked == NULL) {
        return lua_misuse(lua, "a coroutine that waits was resumed without a call to make");
    }
    return lua_call_try(lua, vu, vu->parked, (finish_function *)context);
}

/* `operation` may be the one that the vu has parked. */
static int lua_call_try(lua_State *lua, struct vu *vu, const struct operation *operation,
                        finish_function *finish)
{
    struct error error;
    enum runner_call call = vu_call(vu, operation, &error);

    if (call == RUNNER_CALL_BUSY) {
        vu->parked = operation == vu->parked ? vu->parked : operation_copy(operation);
        return vu_yield(lua, vu, WAIT_CALL, on_room, (lua_KContext)finish);
    }
    operation_free(&vu->parked);
    switch (call) {
    case RUNNER_CALL_BUSY:
    case RUNNER_CALL_DONE:
        return 0;
    case RUNNER_CALL_WAITS:
        /* Not before: where nothing can wait, the caller may be reading the last answer. */
        vu_drop_answer(vu);
        return vu_yield(lua, vu, WAIT_ANSWER, on_answer, (lua_KContext)finish);
    case RUNNER_CALL_STOPPED:
        return vu_raise_stopped(lua, vu, 0, NULL);
    case RUNNER_CALL_REFUSED:
        break;
    }
    return lua_call_refuse(lua, &error);
}

int lua_call_send(lua_State *lua, struct vu *vu, const struct operation *operation, finish_function *finish)
{
    vu_check_stopped(lua, vu);
    if (operation_is_answered(operation->kind) && !script_may_wait(lua)) {
        return lua_misuse(lua, "%s: a call that waits is not possible here", operation_name(operation->kind));
    }
    return lua_call_try(lua, vu, operation, finish);
}
