/* Wraps the library functions with which a script could escape its limits: those that catch errors, and those
 * that loop inside C, where the counting hook does not run. */
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"

#include <string.h>

/* Charged for resuming a coroutine: its instruction count starts again each time. */
#define RESUME_INSTRUCTIONS 500u

static bool is_terminated(lua_State *lua)
{
    return script_of(lua)->limits.termination != TERMINATION_NONE;
}

/* The wrapped function is the upvalue of each wrapper. */
static int call_original(lua_State *lua)
{
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, lua_gettop(lua) - 1, LUA_MULTRET);
    /* Some functions catch errors themselves, and return the message as their last result. */
    if (is_terminated(lua)) {
        return lua_error(lua);
    }
    return lua_gettop(lua);
}

/* pcall and xpcall, as in lbaselib.c, except that the end of a turn cannot be caught. */

static int finish_pcall(lua_State *lua, int status, lua_KContext extra)
{
    if (status != LUA_OK && status != LUA_YIELD) {
        if (is_terminated(lua)) {
            return lua_error(lua);
        }
        lua_pushboolean(lua, 0);
        lua_pushvalue(lua, -2);
        return 2;
    }
    return lua_gettop(lua) - (int)extra;
}

static int guarded_pcall(lua_State *lua)
{
    luaL_checkany(lua, 1);
    lua_pushboolean(lua, 1);
    lua_insert(lua, 1);
    int status = lua_pcallk(lua, lua_gettop(lua) - 2, LUA_MULTRET, 0, 0, finish_pcall);
    return finish_pcall(lua, status, 0);
}

/* A handler of the script must not run for a termination: hooks are disabled there, so nothing could end
 * it. */
static int guarded_handler(lua_State *lua)
{
    if (is_terminated(lua)) {
        return 1;
    }
    lua_settop(lua, 1);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, 1, 1);
    return 1;
}

static int guarded_xpcall(lua_State *lua)
{
    int arguments = lua_gettop(lua) - 2;

    luaL_checktype(lua, 2, LUA_TFUNCTION);
    lua_pushvalue(lua, 2);
    lua_pushcclosure(lua, guarded_handler, 1);
    lua_replace(lua, 2);
    lua_pushboolean(lua, 1);
    lua_pushvalue(lua, 1);
    lua_rotate(lua, 3, 2);
    int status = lua_pcallk(lua, arguments, LUA_MULTRET, 2, 2, finish_pcall);
    return finish_pcall(lua, status, 2);
}

/* Coroutines of the script. If an API call waits inside one, all coroutines down to the worker's own yield,
 * and are resumed in the reverse order. The coroutine is at index 1, or the upvalue of a wrap. */

static int finish_resume(lua_State *lua, lua_State *inner, int status, int results);

static int on_woken(lua_State *lua, int status, lua_KContext context)
{
    lua_State *inner = (lua_State *)context;
    int results;

    (void)status;
    if (lua_status(inner) != LUA_YIELD) {
        return luaL_error(lua, "the coroutine was resumed by someone else");
    }
    int inner_status = limits_resume(lua, inner, 0, &results);
    return finish_resume(lua, inner, inner_status, results);
}

static int is_wrap(lua_State *lua)
{
    return lua_type(lua, lua_upvalueindex(1)) == LUA_TTHREAD;
}

static int fail_resume(lua_State *lua, lua_State *inner)
{
    struct script *script = script_of(lua);

    lua_xmove(inner, lua, 1);
    if (is_terminated(lua)) {
        return lua_error(lua);
    }
    if (!is_wrap(lua)) {
        lua_pushboolean(lua, 0);
        lua_insert(lua, -2);
        return 2;
    }
    if (!script->limits.has_killed && lua_status(inner) > LUA_YIELD) {
        (void)limits_close(lua, inner);
        lua_settop(inner, 0);
        if (is_terminated(lua)) {
            return lua_error(lua);
        }
    }
    if (lua_type(lua, -1) == LUA_TSTRING) {
        luaL_where(lua, 1);
        lua_insert(lua, -2);
        lua_concat(lua, 2);
    }
    return lua_error(lua);
}

static int finish_resume(lua_State *lua, lua_State *inner, int status, int results)
{
    if (status == LUA_YIELD && script_of(lua)->is_waiting) {
        return lua_yieldk(lua, 0, (lua_KContext)inner, on_woken);
    }
    if (status != LUA_OK && status != LUA_YIELD) {
        return fail_resume(lua, inner);
    }
    if (!lua_checkstack(lua, results + 1)) {
        lua_pop(inner, results);
        return luaL_error(lua, "too many results to resume");
    }
    if (!is_wrap(lua)) {
        lua_pushboolean(lua, 1);
    }
    lua_xmove(inner, lua, results);
    return results + !is_wrap(lua);
}

static int resume(lua_State *lua, lua_State *inner, int arguments)
{
    int results;

    limits_charge(lua, RESUME_INSTRUCTIONS);
    luaL_checkstack(lua, 1, "too many arguments to resume");
    if (script_owns(lua, inner)) {
        return luaL_error(lua, "cannot resume the coroutine of a worker");
    }
    if (!lua_checkstack(inner, arguments)) {
        return luaL_error(lua, "too many arguments to resume");
    }
    if (lua_status(inner) == LUA_OK && lua_gettop(inner) == 0) {
        lua_settop(lua, 1);
        if (is_wrap(lua)) {
            return luaL_error(lua, "cannot resume dead coroutine");
        }
        lua_pushboolean(lua, 0);
        lua_pushliteral(lua, "cannot resume dead coroutine");
        return 2;
    }
    lua_xmove(lua, inner, arguments);
    int status = limits_resume(lua, inner, arguments, &results);
    return finish_resume(lua, inner, status, results);
}

static int guarded_resume(lua_State *lua)
{
    lua_State *inner = lua_tothread(lua, 1);

    luaL_argexpected(lua, inner, 1, "coroutine");
    return resume(lua, inner, lua_gettop(lua) - 1);
}

static int call_wrapped(lua_State *lua)
{
    return resume(lua, lua_tothread(lua, lua_upvalueindex(1)), lua_gettop(lua));
}

static int guarded_wrap(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TFUNCTION);
    lua_State *inner = lua_newthread(lua);
    lua_pushvalue(lua, 1);
    lua_xmove(lua, inner, 1);
    lua_pushcclosure(lua, call_wrapped, 1);
    return 1;
}

/* The worker's own coroutine belongs to the agent. */
static int guarded_yield(lua_State *lua)
{
    struct script *script = script_of(lua);

    if (lua_pushthread(lua) || (script->current != NULL && script_owns(lua, lua))) {
        return luaL_error(lua, "attempt to yield from outside a coroutine");
    }
    lua_pop(lua, 1);
    return lua_yield(lua, lua_gettop(lua));
}

static bool is_suspended_or_dead(lua_State *lua, lua_State *inner)
{
    lua_Debug activation;

    if (inner == lua || script_owns(lua, inner)) {
        return false;
    }
    return lua_status(inner) != LUA_OK || !lua_getstack(inner, 0, &activation);
}

static int guarded_close(lua_State *lua)
{
    lua_State *inner = lua_tothread(lua, 1);

    luaL_argexpected(lua, inner, 1, "coroutine");
    if (!is_suspended_or_dead(lua, inner)) {
        return luaL_error(lua, "cannot close a running coroutine");
    }
    if (script_of(lua)->limits.has_killed && lua_status(inner) > LUA_YIELD) {
        return luaL_error(lua, "cannot close a coroutine that failed");
    }
    int status = limits_close(lua, inner);
    if (status == LUA_OK) {
        lua_pushboolean(lua, 1);
        return 1;
    }
    lua_pushboolean(lua, 0);
    lua_xmove(inner, lua, 1);
    /* Its handlers may have been killed. */
    return is_terminated(lua) ? lua_error(lua) : 2;
}

/* Returns the next piece from the script's function; the last one stays at LOAD_PIECE, to keep it alive. */
enum { LOAD_CHUNK = 1, LOAD_NAME, LOAD_MODE, LOAD_ENVIRONMENT, LOAD_PIECE };

static const char *read_piece(lua_State *lua, void *context, size_t *size)
{
    (void)context;
    limits_charge(lua, RESUME_INSTRUCTIONS);
    luaL_checkstack(lua, 2, "too many nested functions");
    lua_pushvalue(lua, LOAD_CHUNK);
    lua_call(lua, 0, 1);
    if (lua_isnil(lua, -1)) {
        lua_pop(lua, 1);
        *size = 0;
        return NULL;
    }
    if (!lua_isstring(lua, -1)) {
        luaL_error(lua, "reader function must return a string");
    }
    lua_replace(lua, LOAD_PIECE);
    const char *piece = lua_tolstring(lua, LOAD_PIECE, size);
    limits_charge(lua, *size);
    return piece;
}

/* Text only: precompiled chunks can crash the interpreter. */
static int guarded_load(lua_State *lua)
{
    bool has_environment = lua_gettop(lua) >= LOAD_ENVIRONMENT;
    size_t size;
    int status;

    lua_settop(lua, LOAD_PIECE);
    if (lua_type(lua, LOAD_CHUNK) == LUA_TSTRING) {
        const char *text = lua_tolstring(lua, LOAD_CHUNK, &size);
        status = limits_load(lua, text, size, luaL_optstring(lua, LOAD_NAME, text));
    } else {
        const char *name = luaL_optstring(lua, LOAD_NAME, "=(load)");
        luaL_checktype(lua, LOAD_CHUNK, LUA_TFUNCTION);
        status = lua_load(lua, read_piece, NULL, name, "t");
    }
    if (status != LUA_OK) {
        if (is_terminated(lua)) {
            return lua_error(lua);
        }
        luaL_pushfail(lua);
        lua_insert(lua, -2);
        return 2;
    }
    if (has_environment) {
        lua_pushvalue(lua, LOAD_ENVIRONMENT);
        if (lua_setupvalue(lua, -2, 1) == NULL) {
            lua_pop(lua, 1);
        }
    }
    return 1;
}

/* As in the library, but copies what it already has, doubling each time. */
static int guarded_rep(lua_State *lua)
{
    luaL_Buffer buffer;
    size_t size;
    size_t separator_size = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    lua_Integer count = luaL_checkinteger(lua, 2);
    const char *separator = luaL_optlstring(lua, 3, "", &separator_size);
    size_t unit = size + separator_size;

    if (unit == 0 || count <= 0) {
        lua_pushliteral(lua, "");
        return 1;
    }
    limits_charge(lua, (uint64_t)count / 16);
    if ((lua_Unsigned)count > LIMITS_MAX_STRING_BYTES / unit + 1) {
        return luaL_error(lua, "resulting string too large");
    }
    size_t whole = unit * (size_t)count - separator_size;
    limits_charge(lua, whole / 16);
    char *into = luaL_buffinitsize(lua, &buffer, whole + separator_size);
    memcpy(into, text, size);
    memcpy(into + size, separator, separator_size);
    for (size_t done = unit; done < whole;) {
        size_t more = done < whole - done ? done : whole - done;
        memcpy(into + done, into, more);
        done += more;
    }
    luaL_pushresultsize(&buffer, whole);
    return 1;
}

/* Hardly any script needs more, and each letter may cost a lookup of the time zone. */
#define LONGEST_DATE_FORMAT 1000u

static int guarded_date(lua_State *lua)
{
    size_t size = 0;

    (void)luaL_optlstring(lua, 1, "", &size);
    if (size > LONGEST_DATE_FORMAT) {
        return luaL_argerror(lua, 1, "the format is too long");
    }
    return call_original(lua);
}

/* Hooks are disabled while a finaliser runs. */
static int guarded_setmetatable(lua_State *lua)
{
    if (lua_istable(lua, 2)) {
        lua_pushliteral(lua, "__gc");
        if (lua_rawget(lua, 2) != LUA_TNIL) {
            return luaL_error(lua, "finalisers (__gc) are not allowed in a script");
        }
        lua_pop(lua, 1);
    }
    return call_original(lua);
}

/* Stopping the collector is harmless, since the memory limit still applies; a full collection in a loop would
 * stall the agent. */
static int guarded_collectgarbage(lua_State *lua)
{
    static const char *const options[] = {"collect", "count", "step", "isrunning", NULL};
    int option = luaL_checkoption(lua, 1, "collect", options);

    if (option == 0 || option == 2) {
        limits_charge(lua, (uint64_t)lua_gc(lua, LUA_GCCOUNT) * 64u);
        lua_gc(lua, LUA_GCCOLLECT);
        lua_pushinteger(lua, 0);
    } else if (option == 1) {
        lua_pushnumber(lua, lua_gc(lua, LUA_GCCOUNT) + lua_gc(lua, LUA_GCCOUNTB) / 1024.0);
    } else {
        lua_pushboolean(lua, 1);
    }
    return 1;
}

static const struct guard {
    const char *library;
    const char *name;
    lua_CFunction function; /* NULL: removed */
} guards[] = {
    {"_G", "pcall", guarded_pcall},
    {"_G", "xpcall", guarded_xpcall},
    {"_G", "load", guarded_load},
    {"_G", "dofile", NULL},
    {"_G", "loadfile", NULL},
    {"_G", "setmetatable", guarded_setmetatable},
    {"_G", "collectgarbage", guarded_collectgarbage},
    {"coroutine", "resume", guarded_resume},
    {"coroutine", "wrap", guarded_wrap},
    {"coroutine", "yield", guarded_yield},
    {"coroutine", "close", guarded_close},
    {"string", "dump", NULL},
    {"string", "rep", guarded_rep},
    {"os", "date", guarded_date},
};

void guard_open(lua_State *lua)
{
    for (size_t i = 0; i < sizeof guards / sizeof *guards; i++) {
        const struct guard *guard = &guards[i];
        luaL_getsubtable(lua, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
        lua_getfield(lua, -1, guard->library);
        if (guard->function != NULL) {
            lua_getfield(lua, -1, guard->name);
            lua_pushcclosure(lua, guard->function, 1);
        } else {
            lua_pushnil(lua);
        }
        lua_setfield(lua, -2, guard->name);
        lua_pop(lua, 2);
    }
}
