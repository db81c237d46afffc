/* The shared variables as a script sees them. Every function has the variable's name at index 1, once a
 * method has removed its worker from there; an upvalue says whose scope it is. */
#include "agent/lua/lua_variables.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_data.h"
#include "agent/lua/lua_worker.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_value.h"
#include "agent/script/script_state.h"

#include <lauxlib.h>
#include <string.h>

/* While a factory runs: index 1 is the name, 2 the factory, then what tells that it was cancelled. */
#define MAKER 3
#define MAKER_METATABLE "tutti.maker"

static bool is_of_room(lua_State *lua)
{
    return lua_toboolean(lua, lua_upvalueindex(1));
}

static struct vu *prepare_at(lua_State *lua, const char *function, struct operation *operation,
                             enum operation_kind kind)
{
    struct vu *vu = vu_current(lua, function);

    lua_call_prepare(lua, vu, operation, kind, 1);
    if (strncmp(lua_tostring(lua, 1), LUA_DATA_PREFIX, strlen(LUA_DATA_PREFIX)) == 0) {
        lua_misuse(lua, "%s: names that begin with " LUA_DATA_PREFIX " are those of tutti.data", function);
    }
    if (!is_of_room(lua)) {
        operation->room = ROOM_CAMPAIGN;
    }
    return vu;
}

/* At the entry of a function; its continuations use prepare_at. */
static struct vu *lua_variables_prepare(lua_State *lua, const char *function, struct operation *operation,
                                        enum operation_kind kind)
{
    if (is_of_room(lua)) {
        lua_worker_check(lua, function);
        lua_remove(lua, 1);
    }
    return prepare_at(lua, function, operation, kind);
}

static struct bytes lua_variables_encode(lua_State *lua, int index, struct lua_value_room *room,
                                         const char *what)
{
    if (lua_isnone(lua, index)) {
        lua_settop(lua, index);
    }
    return lua_value_encode(lua, index, room, what);
}

static int give_value(lua_State *lua, struct vu *vu, const struct reply *reply)
{
    (void)vu;
    lua_value_push(lua, reply->value);
    return 1;
}

static int give_nothing(lua_State *lua, struct vu *vu, const struct reply *reply)
{
    (void)lua, (void)vu, (void)reply;
    return 0;
}

static int lua_variables_give_won(lua_State *lua, struct vu *vu, const struct reply *reply)
{
    (void)vu;
    lua_pushboolean(lua, reply->is_won);
    return 1;
}

static int give_won_and_value(lua_State *lua, struct vu *vu, const struct reply *reply)
{
    (void)vu;
    lua_pushboolean(lua, reply->is_won);
    lua_value_push(lua, reply->value);
    return 2;
}

static void tell_making_failed(lua_State *lua)
{
    struct operation operation;
    struct error error;
    struct vu *vu = prepare_at(lua, "get_var", &operation, OPERATION_MAKING_FAILED);

    /* Where it cannot be sent any more, no worker waits for it either. */
    (void)!vu_call(vu, &operation, &error);
}

/* The factory has run: its result is on top. */
static int on_made(lua_State *lua, int status, lua_KContext context)
{
    struct operation operation;
    struct lua_value_room room;

    (void)context;
    if (status != LUA_OK && status != LUA_YIELD) {
        tell_making_failed(lua);
        return lua_error(lua);
    }
    struct vu *vu = prepare_at(lua, "get_var", &operation, OPERATION_MADE);
    operation.value = lua_variables_encode(lua, -1, &room, "what the factory made");
    return lua_call_send(lua, vu, &operation, give_value);
}

/* Encoding can fail too, which is reported like a failure of the factory. */
static int run_factory(lua_State *lua);

static int give_or_make(lua_State *lua, struct vu *vu, const struct reply *reply)
{
    if (!reply->is_maker) {
        return give_value(lua, vu, reply);
    }
    vu_drop_answer(vu);
    return run_factory(lua);
}

static int check_made(lua_State *lua)
{
    struct lua_value_room room;

    (void)lua_value_encode(lua, 1, &room, "what the factory made");
    return 0;
}

/* Its name is its user value. */
struct maker {
    bool is_armed;
    bool is_of_room;
};

/* A task that runs a factory is cancelled: the factory of the next caller runs. */
static int maker_close(lua_State *lua)
{
    const struct maker *maker = lua_touserdata(lua, 1);
    struct operation operation;
    struct error error;

    if (!maker->is_armed) {
        return 0;
    }
    struct vu *vu = vu_current(lua, "get_var");
    lua_getiuservalue(lua, 1, 1);
    lua_call_prepare(lua, vu, &operation, OPERATION_MAKING_FAILED, -1);
    operation.room = maker->is_of_room ? operation.room : ROOM_CAMPAIGN;
    (void)!vu_call(vu, &operation, &error);
    return 0;
}

static void maker_push(lua_State *lua)
{
    struct maker *maker = lua_newuserdatauv(lua, sizeof *maker, 1);

    *maker = (struct maker){.is_armed = true, .is_of_room = is_of_room(lua)};
    lua_pushvalue(lua, 1);
    lua_setiuservalue(lua, MAKER, 1);
    if (luaL_newmetatable(lua, MAKER_METATABLE)) {
        lua_pushcfunction(lua, maker_close);
        lua_setfield(lua, -2, "__close");
        lua_pushliteral(lua, "maker");
        lua_setfield(lua, -2, "__metatable");
    }
    lua_setmetatable(lua, MAKER);
    lua_toclose(lua, MAKER);
}

static int on_factory(lua_State *lua, int status, lua_KContext context)
{
    ((struct maker *)lua_touserdata(lua, MAKER))->is_armed = false;
    if (status == LUA_OK || status == LUA_YIELD) {
        lua_pushcfunction(lua, check_made);
        lua_pushvalue(lua, -2);
        int checked = lua_pcall(lua, 1, 0, 0);
        if (checked != LUA_OK) {
            status = checked;
        }
    }
    return on_made(lua, status, context);
}

static int run_factory(lua_State *lua)
{
    lua_settop(lua, 2);
    maker_push(lua);
    lua_pushvalue(lua, 2);
    int status = lua_pcallk(lua, 0, 1, 0, 0, on_factory);
    return on_factory(lua, status, 0);
}

static int get_var(lua_State *lua)
{
    struct operation operation;
    struct vu *vu = lua_variables_prepare(lua, "get_var", &operation, OPERATION_GET);

    if (lua_isnoneornil(lua, 2)) {
        return lua_call_send(lua, vu, &operation, give_value);
    }
    luaL_checktype(lua, 2, LUA_TFUNCTION);
    operation.kind = OPERATION_GET_OR_MAKE;
    return lua_call_send(lua, vu, &operation, give_or_make);
}

static int set_var(lua_State *lua)
{
    struct operation operation;
    struct lua_value_room room;
    struct vu *vu = lua_variables_prepare(lua, "set_var", &operation, OPERATION_SET);

    operation.value = lua_variables_encode(lua, 2, &room, "value");
    return lua_call_send(lua, vu, &operation, give_nothing);
}

static int cas(lua_State *lua)
{
    struct operation operation;
    struct lua_value_room expected;
    struct lua_value_room room;
    struct vu *vu = lua_variables_prepare(lua, "cas", &operation, OPERATION_CAS);

    lua_settop(lua, 3);
    operation.expected = lua_value_encode(lua, 2, &expected, "expected value");
    operation.value = lua_value_encode(lua, 3, &room, "value");
    return lua_call_send(lua, vu, &operation, give_won_and_value);
}

static int incr(lua_State *lua)
{
    struct operation operation;
    struct lua_value_room room;
    struct vu *vu = lua_variables_prepare(lua, "incr", &operation, OPERATION_INCR);

    if (lua_isnoneornil(lua, 2)) {
        lua_settop(lua, 1);
        lua_pushinteger(lua, 1);
    }
    luaL_checknumber(lua, 2);
    if (lua_type(lua, 2) == LUA_TSTRING) {
        return luaL_typeerror(lua, 2, "number");
    }
    operation.value = lua_variables_encode(lua, 2, &room, "increment");
    return lua_call_send(lua, vu, &operation, give_value);
}

static int delete_var(lua_State *lua)
{
    struct operation operation;
    struct vu *vu = lua_variables_prepare(lua, "delete", &operation, OPERATION_DELETE);

    return lua_call_send(lua, vu, &operation, lua_variables_give_won);
}

static int wait_var(lua_State *lua)
{
    static const char *const names[] = {"changed_from", "timeout", NULL};
    struct operation operation;
    struct lua_value_room expected;
    struct vu *vu = lua_variables_prepare(lua, "wait_var", &operation, OPERATION_WAIT_SET);

    lua_settop(lua, 2);
    lua_call_check_options(lua, 2, "wait_var", names);
    if (lua_istable(lua, 2)) {
        lua_option_get(lua, 2, "timeout");
        operation.timeout_ms = lua_call_timeout(lua, -1, "wait_var");
        if (lua_option_get(lua, 2, "changed_from") != LUA_TNIL) {
            operation.kind = OPERATION_WAIT_CHANGED;
            operation.expected = lua_value_encode(lua, -1, &expected, "changed_from");
        }
    }
    return lua_call_send(lua, vu, &operation, give_value);
}

static const luaL_Reg functions[] = {
    {"get_var", get_var},   {"set_var", set_var},   {"cas", cas}, {"incr", incr},
    {"delete", delete_var}, {"wait_var", wait_var}, {NULL, NULL},
};

void lua_variables_open_campaign(lua_State *lua)
{
    lua_pushboolean(lua, 0);
    luaL_setfuncs(lua, functions, 1);
}

void lua_variables_open_room(lua_State *lua)
{
    lua_pushboolean(lua, 1);
    luaL_setfuncs(lua, functions, 1);
}
