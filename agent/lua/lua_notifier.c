/* Notifiers and barriers as a script sees them. */
#include "agent/lua/lua_notifier.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_worker.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_value.h"
#include "agent/script/script_state.h"
#include "common/clock.h"
#include "common/digest.h"

#include <lauxlib.h>
#include <string.h>

#define METATABLE "tutti.notifier"
/* The clock of a page may be a little ahead of ours. */
#define LONGEST_AHEAD_S 1.0
#define LONGEST_AGO_S 3600.0
/* What is less is an instant of tutti.now(): so long no machine has run. */
#define LEAST_WALL_S 1e9

/* Its name is its user value. */
struct lua_notifier {
    uint64_t step;
};

bool lua_notifier_is(lua_State *lua, int index)
{
    return luaL_testudata(lua, index, METATABLE) != NULL;
}

/* Leaves the name on top of the stack: the operation borrows it. */
static struct vu *lua_notifier_prepare(lua_State *lua, const char *function, struct operation *operation,
                                       enum operation_kind kind)
{
    struct lua_notifier *notifier = script_check_object(lua, 1, script_of(lua)->notifier_type, METATABLE);
    struct vu *vu = vu_current(lua, function);
    size_t size;

    lua_getiuservalue(lua, 1, 1);
    const char *name = lua_tolstring(lua, -1, &size);
    lua_call_fill(vu, operation, kind, bytes_of(name, size));
    operation->step = notifier->step;
    return vu;
}

static int give_payload(lua_State *lua, struct vu *vu, const struct reply *reply)
{
    (void)vu;
    lua_value_push(lua, reply->value);
    return 1;
}

static int give_counts(lua_State *lua, struct vu *vu, const struct reply *reply)
{
    (void)vu;
    lua_pushinteger(lua, (lua_Integer)reply->count);
    lua_pushinteger(lua, (lua_Integer)reply->total);
    return 2;
}

static int lua_notifier_give_won(lua_State *lua, struct vu *vu, const struct reply *reply)
{
    (void)vu;
    lua_pushboolean(lua, reply->is_won);
    return 1;
}

/* The instant at which this host had it, on our clock. The field `name` of the options at `index` is in
 * seconds: of tutti.now(), as connections date their messages, or since 1970 by the host's wall clock, as
 * pages do; without it the instant is now. */
static int64_t seen_instant_ns(lua_State *lua, int index, const char *function, const char *name)
{
    uint64_t now_ns = clock_now_ns();

    if (lua_isnil(lua, index)) {
        return (int64_t)now_ns;
    }
    if (lua_option_get(lua, index, name) == LUA_TNIL) {
        lua_pop(lua, 1);
        return (int64_t)now_ns;
    }
    double seconds = lua_type(lua, -1) == LUA_TNUMBER ? lua_tonumber(lua, -1) : -1;
    uint64_t clock_ns = seconds >= LEAST_WALL_S ? clock_wall_ns() : now_ns;
    double ago_s = (double)clock_ns / 1e9 - seconds;
    if (!(ago_s > -LONGEST_AHEAD_S && ago_s < LONGEST_AGO_S)) {
        lua_misuse(lua,
                   "%s: %s is an instant of this host's clock, in seconds since 1970 or of tutti.now(): at "
                   "most an hour ago, and not to come",
                   function, name);
    }
    lua_pop(lua, 1);
    int64_t at_ns = (int64_t)now_ns - (int64_t)(ago_s * 1e9);
    return ago_s <= 0 ? (int64_t)now_ns : at_ns > 0 ? at_ns : 1;
}

static int64_t edit_instant_ns(lua_State *lua, int index, const char *function)
{
    static const char *const names[] = {"at", NULL};

    if (!lua_isnil(lua, index)) {
        lua_call_check_options(lua, index, function, names);
    }
    return seen_instant_ns(lua, index, function, "at");
}

/* round:written([payload], [{at=}]) */
static int written(lua_State *lua)
{
    struct operation operation;
    struct lua_value_room room;

    lua_settop(lua, 3);
    struct vu *vu = lua_notifier_prepare(lua, "written", &operation, OPERATION_WRITTEN);
    operation.first_ns = operation.last_ns = edit_instant_ns(lua, 3, "written");
    operation.value = lua_value_encode(lua, 2, &room, "payload");
    return lua_call_send(lua, vu, &operation, lua_notifier_give_won);
}

/* round:writing([{at=}]) */
static int writing(lua_State *lua)
{
    struct operation operation;

    lua_settop(lua, 2);
    struct vu *vu = lua_notifier_prepare(lua, "writing", &operation, OPERATION_WRITING);
    operation.first_ns = operation.last_ns = edit_instant_ns(lua, 2, "writing");
    return lua_call_send(lua, vu, &operation, NULL);
}

static int wait_for_writer(lua_State *lua)
{
    struct operation operation;

    lua_settop(lua, 2);
    uint64_t timeout_ms = lua_call_timeout(lua, 2, "wait_for_writer");
    struct vu *vu = lua_notifier_prepare(lua, "wait_for_writer", &operation, OPERATION_WAIT_WRITER);
    operation.timeout_ms = timeout_ms;
    return lua_call_send(lua, vu, &operation, give_payload);
}

/* The sighting of a wait in a page can be given as it is. What the operation borrows stays on the stack. */
static void read_sighting(lua_State *lua, int index, struct operation *operation)
{
    static const char *const names[] = {"seen_at", "at_once", "browser", "polled", "waited", NULL};
    size_t size;

    if (!lua_isnil(lua, index)) {
        lua_call_check_options(lua, index, "one_read", names);
        lua_option_get(lua, index, "at_once");
        operation->is_at_once = lua_toboolean(lua, -1);
        if (lua_option_get(lua, index, "browser") != LUA_TNIL) {
            if (lua_type(lua, -1) != LUA_TSTRING) {
                lua_misuse(lua, "one_read: browser is a text, not a %s", luaL_typename(lua, -1));
            }
            const char *browser = lua_tolstring(lua, -1, &size);
            operation->text = bytes_of(browser, size);
        }
    }
    operation->first_ns = operation->last_ns = seen_instant_ns(lua, index, "one_read", "seen_at");
}

/* round:one_read([text], [{seen_at=, at_once=, browser=}]) */
static int one_read(lua_State *lua)
{
    struct operation operation;
    uint8_t digest[OPERATION_DIGEST_BYTES];
    size_t size;

    lua_settop(lua, 3);
    struct vu *vu = lua_notifier_prepare(lua, "one_read", &operation, OPERATION_READ);
    int options = lua_istable(lua, 2) ? 2 : 3;
    if (lua_type(lua, 2) == LUA_TSTRING) {
        const char *text = lua_tolstring(lua, 2, &size);
        digest_start_of(bytes_of(text, size), digest, sizeof digest);
        operation.digest = bytes_of(digest, sizeof digest);
    } else if (!lua_isnil(lua, 2) && options == 3) {
        return lua_misuse(lua, "one_read: what was seen is a text, not a %s", luaL_typename(lua, 2));
    }
    read_sighting(lua, options, &operation);
    return lua_call_send(lua, vu, &operation, NULL);
}

static int wait_for_readers(lua_State *lua)
{
    static const char *const names[] = {"timeout", "strict", NULL};
    struct operation operation;

    lua_settop(lua, 2);
    struct vu *vu = lua_notifier_prepare(lua, "wait_for_readers", &operation, OPERATION_WAIT_READERS);
    if (lua_istable(lua, 2)) {
        lua_call_check_options(lua, 2, "wait_for_readers", names);
        lua_option_get(lua, 2, "strict");
        operation.is_strict = lua_toboolean(lua, -1);
        lua_option_get(lua, 2, "timeout");
        operation.timeout_ms = lua_call_timeout(lua, -1, "wait_for_readers");
    } else {
        operation.timeout_ms = lua_call_timeout(lua, 2, "wait_for_readers");
    }
    return lua_call_send(lua, vu, &operation, give_counts);
}

/* Pushes the metatable of notifiers. */
static void lua_notifier_open(lua_State *lua)
{
    static const luaL_Reg methods[] = {
        {"writing", writing},
        {"written", written},
        {"wait_for_writer", wait_for_writer},
        {"one_read", one_read},
        {"wait_for_readers", wait_for_readers},
        {NULL, NULL},
    };

    if (luaL_newmetatable(lua, METATABLE)) {
        script_of(lua)->notifier_type = lua_topointer(lua, -1);
        luaL_newlib(lua, methods);
        lua_setfield(lua, -2, "__index");
        lua_pushliteral(lua, "notifier");
        lua_setfield(lua, -2, "__metatable");
    }
}

static int give_notifier(lua_State *lua, struct vu *vu, const struct reply *reply)
{
    (void)vu, (void)reply;
    lua_settop(lua, 4);
    return 1;
}

/* An integer from 1 in the options at index 3; 0 if it is not there. */
static uint64_t whole_option(lua_State *lua, const char *name, const char *function, lua_Integer maximum)
{
    int is_whole = 1;

    if (lua_option_get(lua, 3, name) == LUA_TNIL) {
        lua_pop(lua, 1);
        return 0;
    }
    lua_Integer number = lua_type(lua, -1) == LUA_TNUMBER ? lua_tointegerx(lua, -1, &is_whole) : 0;
    if (!is_whole || number < 1 || number > maximum) {
        lua_misuse(lua, "%s: %s is a whole number from 1", function, name);
    }
    lua_pop(lua, 1);
    return (uint64_t)number;
}

/* worker:notifier(name, [{step=, readers=}]) */
int lua_notifier_new(lua_State *lua)
{
    static const char *const names[] = {"step", "readers", NULL};
    struct operation operation;
    uint64_t readers = 0;

    lua_settop(lua, 3);
    struct vu *vu = lua_worker_check(lua, "notifier");
    lua_call_prepare(lua, vu, &operation, OPERATION_DECLARE, 2);
    if (operation.name.size == 0) {
        return lua_misuse(lua, "notifier: a name has at least one character");
    }
    if (!lua_isnil(lua, 3)) {
        lua_call_check_options(lua, 3, "notifier", names);
        uint64_t step = whole_option(lua, "step", "notifier", INT64_MAX);
        operation.step = step ? step : operation.step;
        readers = whole_option(lua, "readers", "notifier", UINT32_MAX);
    }
    struct lua_notifier *notifier = lua_newuserdatauv(lua, sizeof *notifier, 1);
    notifier->step = operation.step;
    lua_pushvalue(lua, 2);
    lua_setiuservalue(lua, 4, 1);
    lua_notifier_open(lua);
    lua_setmetatable(lua, 4);
    if (readers == 0) {
        return 1;
    }
    operation.count = (uint32_t)readers;
    return lua_call_send(lua, vu, &operation, give_notifier);
}

/* The coordinator has asked for an instant: reports when this worker really went on. */
static void report_release(lua_State *lua, struct vu *vu, const struct reply *reply)
{
    struct operation operation;
    struct error error;

    lua_call_prepare(lua, vu, &operation, OPERATION_RELEASED, 2);
    operation.step = reply->step;
    operation.first_ns = operation.last_ns = (int64_t)clock_now_ns();
    (void)!vu_call(vu, &operation, &error);
}

static int give_rank(lua_State *lua, struct vu *vu, const struct reply *reply)
{
    if (reply->at_ns > 0) {
        report_release(lua, vu, reply);
    }
    lua_pushinteger(lua, (lua_Integer)vu->rank);
    lua_pushinteger(lua, (lua_Integer)reply->count);
    lua_pushinteger(lua, (lua_Integer)reply->present);
    return 3;
}

static enum barrier_timeout barrier_timeout_option(lua_State *lua)
{
    static const char *const words[BARRIER_TIMEOUTS] = {"fail", "go", "leave"};
    enum barrier_timeout chosen = BARRIER_TIMEOUT_FAIL;

    if (lua_option_get(lua, 3, "on_timeout") == LUA_TNIL) {
        return chosen;
    }
    const char *word = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
    while (chosen < BARRIER_TIMEOUTS && strcmp(words[chosen], word) != 0) {
        chosen++;
    }
    if (chosen == BARRIER_TIMEOUTS) {
        lua_misuse(lua, "barrier: on_timeout is \"fail\", \"go\" or \"leave\"");
    }
    return chosen;
}

/* worker:barrier(name, [{parties=, timeout=, on_timeout=, at_once=}]) → rank, arrived, present */
int lua_barrier(lua_State *lua)
{
    static const char *const names[] = {"parties", "timeout", "on_timeout", "at_once", NULL};
    struct operation operation;

    lua_settop(lua, 3);
    struct vu *vu = lua_worker_check(lua, "barrier");
    lua_call_prepare(lua, vu, &operation, OPERATION_BARRIER, 2);
    if (!lua_isnil(lua, 3)) {
        lua_call_check_options(lua, 3, "barrier", names);
        operation.count = (uint32_t)whole_option(lua, "parties", "barrier", UINT32_MAX);
        lua_option_get(lua, 3, "timeout");
        operation.timeout_ms = lua_call_timeout(lua, -1, "barrier");
        lua_option_get(lua, 3, "at_once");
        operation.is_at_once = lua_toboolean(lua, -1);
        operation.on_timeout = barrier_timeout_option(lua);
        lua_settop(lua, 3);
    }
    return lua_call_send(lua, vu, &operation, give_rank);
}
