/* The `worker` of a script: its fields, its methods, and what the script itself puts there. */
#include "agent/lua/lua_worker.h"

#include "agent/lua/lua_notifier.h"
#include "agent/lua/lua_tags.h"
#include "agent/lua/lua_variables.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/shard/vu_api.h"

#include <lauxlib.h>
#include <string.h>

#define METATABLE "tutti.worker"

static struct vu *to_vu(lua_State *lua)
{
    struct vu *vu = *(struct vu **)script_check_object(lua, 1, script_of(lua)->worker_type, METATABLE);

    if (vu == NULL) {
        lua_misuse(lua, "this worker has ended");
    }
    return vu;
}

struct vu *lua_worker_check(lua_State *lua, const char *function)
{
    struct vu *vu = to_vu(lua);
    struct vu *current = vu_current(lua, function);

    if (vu->shared != current->shared) {
        lua_misuse(lua, "%s: worker %u cannot call for worker %u", function, (unsigned)current->id,
                   (unsigned)vu->id);
    }
    return current;
}

static void push_room(lua_State *lua, const struct vu *vu)
{
    lua_createtable(lua, 0, 2);
    lua_pushinteger(lua, vu_room(vu));
    lua_setfield(lua, -2, "id");
    lua_pushinteger(lua, vu_room_size(vu));
    lua_setfield(lua, -2, "size");
}

static inline bool worker_is_named(const char *name, const char *wanted)
{
    return name[0] == wanted[0] && strcmp(name, wanted) == 0;
}

/* The fields that the agent sets. */
static bool lua_worker_push_field(lua_State *lua, const struct vu *vu, const char *name)
{
    if (worker_is_named(name, "id")) {
        lua_pushinteger(lua, vu->id);
    } else if (worker_is_named(name, "step")) {
        lua_pushinteger(lua, (lua_Integer)vu->step);
    } else if (worker_is_named(name, "count")) {
        lua_pushinteger(lua, vu_worker_count(vu));
    } else if (worker_is_named(name, "seat")) {
        lua_pushinteger(lua, vu_seat(vu));
    } else if (worker_is_named(name, "room")) {
        push_room(lua, vu);
    } else if (worker_is_named(name, "agent")) {
        lua_pushstring(lua, vu_agent(vu));
    } else {
        return false;
    }
    return true;
}

/* Methods are in the upvalue, the script's own fields in the user value. No method has the name of a field.
 */
static int lua_worker_get_field(lua_State *lua)
{
    struct vu *vu = to_vu(lua);

    if (lua_type(lua, 2) == LUA_TSTRING && lua_worker_push_field(lua, vu, lua_tostring(lua, 2))) {
        return 1;
    }
    lua_settop(lua, 2);
    lua_pushvalue(lua, 2);
    if (lua_rawget(lua, lua_upvalueindex(1)) != LUA_TNIL) {
        return 1;
    }
    lua_pop(lua, 1);
    if (lua_getiuservalue(lua, 1, 1) != LUA_TTABLE) {
        return 0;
    }
    lua_pushvalue(lua, 2);
    lua_rawget(lua, -2);
    return 1;
}

static int new_index(lua_State *lua)
{
    struct vu *vu = to_vu(lua);

    luaL_checkany(lua, 3);
    lua_settop(lua, 3);
    if (lua_type(lua, 2) == LUA_TSTRING && lua_worker_push_field(lua, vu, lua_tostring(lua, 2))) {
        return lua_misuse(lua, "worker.%s cannot be set", lua_tostring(lua, 2));
    }
    if (lua_getiuservalue(lua, 1, 1) != LUA_TTABLE) {
        lua_newtable(lua);
        lua_pushvalue(lua, -1);
        lua_setiuservalue(lua, 1, 1);
        lua_replace(lua, 4);
    }
    lua_pushvalue(lua, 2);
    lua_pushvalue(lua, 3);
    lua_settable(lua, 4);
    return 0;
}

static int lua_worker_to_string(lua_State *lua)
{
    const struct vu *vu = *(struct vu **)luaL_checkudata(lua, 1, METATABLE);

    if (vu != NULL) {
        lua_pushfstring(lua, "worker %d", (int)vu->id);
    } else {
        lua_pushliteral(lua, "a worker that has ended");
    }
    return 1;
}

static void lua_worker_open_metatable(lua_State *lua)
{
    if (!luaL_newmetatable(lua, METATABLE)) {
        return;
    }
    script_of(lua)->worker_type = lua_topointer(lua, -1);
    lua_newtable(lua);
    lua_pushcfunction(lua, lua_notifier_new);
    lua_setfield(lua, -2, "notifier");
    lua_pushcfunction(lua, lua_barrier);
    lua_setfield(lua, -2, "barrier");
    lua_pushcfunction(lua, lua_tags_of_worker);
    lua_setfield(lua, -2, "tag");
    lua_variables_open_room(lua);
    lua_pushcclosure(lua, lua_worker_get_field, 1);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, new_index);
    lua_setfield(lua, -2, "__newindex");
    lua_pushcfunction(lua, lua_worker_to_string);
    lua_setfield(lua, -2, "__tostring");
    lua_pushliteral(lua, "worker");
    lua_setfield(lua, -2, "__metatable");
}

void lua_worker_push(lua_State *lua, struct vu *vu)
{
    if (vu->shared->object_reference != LUA_NOREF) {
        lua_rawgeti(lua, LUA_REGISTRYINDEX, vu->shared->object_reference);
        return;
    }
    struct vu **object = lua_newuserdatauv(lua, sizeof(struct vu *), 1);
    *object = vu->shared->main;
    lua_worker_open_metatable(lua);
    lua_setmetatable(lua, -2);
    lua_pushvalue(lua, -1);
    vu->shared->object_reference = luaL_ref(lua, LUA_REGISTRYINDEX);
}
