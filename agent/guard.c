/* Stands around the library functions with which a script could outlive its limits: those that catch errors,
 * and those that loop inside C where the counting hook does not look. */
#include "agent/lua_error.h"
#include "agent/script_state.h"

/* What resuming a coroutine costs at least: its own count begins anew each time. */
#define RESUME_INSTRUCTIONS 500u

static bool is_terminated(lua_State *lua)
{
    return script_of(lua)->limits.termination != TERMINATION_NONE;
}

/* Every guard has what it guards as its upvalue. */
static int call_original(lua_State *lua)
{
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, lua_gettop(lua) - 1, LUA_MULTRET);
    /* Some catch errors themselves, and give the message as their last result. */
    if (is_terminated(lua))
        return lua_error(lua);
    return lua_gettop(lua);
}

/* pcall and xpcall, as in lbaselib.c, except that nobody catches the end of a turn. */

static int finish_pcall(lua_State *lua, int status, lua_KContext extra)
{
    if (status != LUA_OK && status != LUA_YIELD) {
        if (is_terminated(lua))
            return lua_error(lua);
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

/* A handler of the script must not run for a termination: hooks are off there, so nothing could end it. */
static int guarded_handler(lua_State *lua)
{
    if (is_terminated(lua))
        return 1;
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

/* Coroutines of the script. Where an API call waits inside one, all that resumed each other yield, down to
 * the worker's own, and are resumed the same way back. The coroutine is at index 1, or the upvalue of a wrap.
 */

static int finish_resume(lua_State *lua, lua_State *inner, int status, int results);

/* Where the one that resumes cannot yield, a call of the inner one cannot wait. */
static int resume_inner(lua_State *lua, lua_State *inner, int arguments, int *results)
{
    struct script *script = script_of(lua);
    bool could_not = script->cannot_wait;

    script->cannot_wait = could_not || !lua_isyieldable(lua);
    int status = lua_resume(inner, lua, arguments, results);
    script->cannot_wait = could_not;
    return status;
}

static int on_woken(lua_State *lua, int status, lua_KContext context)
{
    lua_State *inner = (lua_State *)context;
    int results;

    (void)status;
    if (lua_status(inner) != LUA_YIELD)
        return luaL_error(lua, "the coroutine was resumed by someone else");
    int inner_status = resume_inner(lua, inner, 0, &results);
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
    if (is_terminated(lua))
        return lua_error(lua);
    if (!is_wrap(lua)) {
        lua_pushboolean(lua, 0);
        lua_insert(lua, -2);
        return 2;
    }
    if (!script->limits.has_killed && lua_status(inner) > LUA_YIELD)
        lua_resetthread(inner);
    if (lua_type(lua, -1) == LUA_TSTRING) {
        luaL_where(lua, 1);
        lua_insert(lua, -2);
        lua_concat(lua, 2);
    }
    return lua_error(lua);
}

static int finish_resume(lua_State *lua, lua_State *inner, int status, int results)
{
    if (status == LUA_YIELD && script_of(lua)->is_waiting)
        return lua_yieldk(lua, 0, (lua_KContext)inner, on_woken);
    if (status != LUA_OK && status != LUA_YIELD)
        return fail_resume(lua, inner);
    if (!lua_checkstack(lua, results + 1)) {
        lua_pop(inner, results);
        return luaL_error(lua, "too many results to resume");
    }
    if (!is_wrap(lua))
        lua_pushboolean(lua, 1);
    lua_xmove(inner, lua, results);
    return results + !is_wrap(lua);
}

static int resume(lua_State *lua, lua_State *inner, int arguments)
{
    int results;

    limits_charge(lua, RESUME_INSTRUCTIONS);
    if (!lua_checkstack(inner, arguments))
        return luaL_error(lua, "too many arguments to resume");
    if (lua_status(inner) == LUA_OK && lua_gettop(inner) == 0) {
        lua_settop(lua, 1);
        if (is_wrap(lua))
            return luaL_error(lua, "cannot resume dead coroutine");
        lua_pushboolean(lua, 0);
        lua_pushliteral(lua, "cannot resume dead coroutine");
        return 2;
    }
    lua_xmove(lua, inner, arguments);
    int status = resume_inner(lua, inner, arguments, &results);
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

    if (lua_pushthread(lua) || (script->current && script_is_own_coroutine(script, lua)))
        return luaL_error(lua, "attempt to yield from outside a coroutine");
    lua_pop(lua, 1);
    return lua_yield(lua, lua_gettop(lua));
}

static int guarded_close(lua_State *lua)
{
    lua_State *inner = lua_tothread(lua, 1);

    luaL_argexpected(lua, inner, 1, "coroutine");
    if (script_of(lua)->limits.has_killed && lua_status(inner) > LUA_YIELD)
        return luaL_error(lua, "cannot close a coroutine that failed");
    return call_original(lua);
}

/* Precompiled chunks can crash the interpreter. */
static int guarded_load(lua_State *lua)
{
    if (lua_gettop(lua) < 3)
        lua_settop(lua, 3);
    lua_pushliteral(lua, "t");
    lua_replace(lua, 3);
    return call_original(lua);
}

static int guarded_rep(lua_State *lua)
{
    size_t size;
    size_t separator = 0;

    luaL_checklstring(lua, 1, &size);
    lua_Integer count = luaL_checkinteger(lua, 2);
    luaL_optlstring(lua, 3, "", &separator);
    if (size + separator == 0 || count <= 0) {
        lua_pushliteral(lua, "");
        return 1;
    }
    limits_charge(lua, (uint64_t)count / 16);
    return call_original(lua);
}

static int guarded_move(lua_State *lua)
{
    lua_Integer first = luaL_checkinteger(lua, 2);
    lua_Integer last = luaL_checkinteger(lua, 3);

    if (last >= first)
        limits_charge(lua, ((uint64_t)last - (uint64_t)first) * 4u + 4u > (uint64_t)last - (uint64_t)first
                               ? ((uint64_t)last - (uint64_t)first) * 4u + 4u
                               : UINT64_MAX);
    return call_original(lua);
}

/* How long they run is what # says, which must not be made up. */
static lua_Unsigned real_length(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    if (luaL_getmetafield(lua, 1, "__len") != LUA_TNIL)
        luaL_error(lua, "a table with __len is not allowed here");
    return lua_rawlen(lua, 1);
}

/* sort, concat, unpack */
static int guarded_whole(lua_State *lua)
{
    limits_charge(lua, real_length(lua) / 4);
    return call_original(lua);
}

/* insert, remove: at the end they cost nothing. */
static int guarded_insert(lua_State *lua)
{
    lua_Unsigned length = real_length(lua);

    if (lua_gettop(lua) > 2)
        limits_charge(lua, length / 16);
    return call_original(lua);
}

static int guarded_remove(lua_State *lua)
{
    lua_Unsigned length = real_length(lua);

    if (lua_gettop(lua) > 1)
        limits_charge(lua, length / 16);
    return call_original(lua);
}

/* Hooks are off while a finaliser runs. */
static int guarded_setmetatable(lua_State *lua)
{
    if (lua_istable(lua, 2)) {
        lua_pushliteral(lua, "__gc");
        if (lua_rawget(lua, 2) != LUA_TNIL)
            return luaL_error(lua, "finalisers (__gc) are not allowed in a script");
        lua_pop(lua, 1);
    }
    return call_original(lua);
}

/* Whoever stops the collector meets the memory limit; whoever calls it in a loop would stall the agent. */
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
    {"table", "move", guarded_move},
    {"table", "insert", guarded_insert},
    {"table", "remove", guarded_remove},
    {"table", "sort", guarded_whole},
    {"table", "concat", guarded_whole},
    {"table", "unpack", guarded_whole},
};

void guard_open(lua_State *lua)
{
    for (size_t i = 0; i < sizeof guards / sizeof *guards; i++) {
        const struct guard *guard = &guards[i];
        luaL_getsubtable(lua, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
        lua_getfield(lua, -1, guard->library);
        if (guard->function) {
            lua_getfield(lua, -1, guard->name);
            lua_pushcclosure(lua, guard->function, 1);
        } else {
            lua_pushnil(lua);
        }
        lua_setfield(lua, -2, guard->name);
        lua_pop(lua, 2);
    }
}
